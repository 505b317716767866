import Foundation

/// A process that turns data into noise, respaced to few steps, and what it says about the way back.
///
/// Tables are in double precision. Port of `SpacedDiffusion` (`tortoise/utils/diffusion.py`), for networks that predict the noise
/// and how much of its range the variance uses. Names are those of Ho et al. (2020) and Nichol and Dhariwal (2021): ᾱ is the
/// signal's share of a step's variance.
public struct GaussianDiffusion: Sendable {
    /// The original step that each of ours stands for; it is what the network hears.
    public let timesteps: [Int]
    let betas: [Double]
    /// ᾱ of each step, and of the one before it, where the first has 1.
    let signal, previousSignal: [Double]
    /// The least variance of a step back, as a logarithm; the first step, of which it is 0, has that of the second.
    let leastLogVariance: [Double]
    /// What the mean of a step back takes of the data and of the noisy data.
    let startShare, noisyShare: [Double]

    /// Steps of this process.
    public var count: Int { timesteps.count }

    /// - Parameters:
    ///   - betas: Of the full process, in steps.
    ///   - spacing: The steps to keep.
    /// - Throws: `InputError.usage` when there is no such spacing.
    public init(betas full: [Double], spacing: TimestepSpacing) throws {
        timesteps = try spacing.timesteps(of: full.count)
        var product = 1.0
        let fullSignal = full.map { beta -> Double in
            product *= 1 - beta
            return product
        }
        let signal = timesteps.map { fullSignal[$0] }
        let kept = zip(signal, [1] + signal).map { 1 - $0 / $1 }
        // ᾱ again from the betas, as the original does, to the last bit.
        product = 1
        self.signal = kept.map { beta in
            product *= 1 - beta
            return product
        }
        previousSignal = [1] + self.signal.dropLast()
        betas = kept
        let (noise, previousNoise) = (self.signal.map { 1 - $0 }, previousSignal.map { 1 - $0 })
        let variances = betas.indices.map { kept[$0] * previousNoise[$0] / noise[$0] }
        leastLogVariance = variances.indices.map { log(variances[max($0, min(1, variances.count - 1))]) }
        startShare = betas.indices.map { [previousSignal] in kept[$0] * previousSignal[$0].squareRoot() / noise[$0] }
        noisyShare = betas.indices.map { previousNoise[$0] * (1 - kept[$0]).squareRoot() / noise[$0] }
    }

    /// TorToiSe's process: 4,000 linear steps, of which some are kept.
    ///
    /// - Throws: `InputError.usage` when there is no such spacing.
    public init(_ spacing: TimestepSpacing, schedule: BetaSchedule = .linear, fullSteps: Int = 4_000) throws {
        try self.init(betas: schedule.betas(fullSteps), spacing: spacing)
    }

    // MARK: - Scales

    /// How strong the data is at a step, √ᾱ; 1 before the first.
    func signalScale(_ step: Int) -> Double { step < 0 ? 1 : signal[step].squareRoot() }
    /// How strong the noise is at a step, √(1 − ᾱ); 0 before the first.
    func noiseScale(_ step: Int) -> Double { step < 0 ? 0 : (1 - signal[step]).squareRoot() }
    /// The logarithm of the ratio of both, in which solvers measure time; infinite before the first.
    func logRatio(_ step: Int) -> Double { step < 0 ? .infinity : log(signal[step] / (1 - signal[step])) / 2 }

    // MARK: - Tensors

    /// Data with the noise of a step. Shape: data and noise [batch, ...], one step per batch entry → [batch, ...]
    public func noised(_ data: Tensor, _ noise: Tensor, steps: [Int]) -> Tensor {
        data * column(steps, like: data) { signalScale($0) } + noise * column(steps, like: data) { noiseScale($0) }
    }

    /// The data that is left when the noise is taken out.
    func start(_ x: Tensor, noise: Tensor, steps: [Int]) -> Tensor {
        x * column(steps, like: x) { 1 / signalScale($0) }
            - noise * column(steps, like: x) { (1 / signal[$0] - 1).squareRoot() }
    }

    /// The noise that is left when the data is taken out.
    func noise(_ x: Tensor, start: Tensor, steps: [Int]) -> Tensor {
        (x * column(steps, like: x) { 1 / signalScale($0) } - start)
            * column(steps, like: x) { 1 / (1 / signal[$0] - 1).squareRoot() }
    }

    /// The mean of a step back from `x`, if the data is `start`.
    func backwardMean(_ x: Tensor, start: Tensor, steps: [Int]) -> Tensor {
        start * column(steps, like: x) { startShare[$0] } + x * column(steps, like: x) { noisyShare[$0] }
    }

    /// The logarithm of the variance of a step back.
    ///
    /// - Parameter range: What the network says, −1 for the least and 1 for the greatest that make sense.
    func logVariance(_ range: Tensor, steps: [Int]) -> Tensor {
        let most = column(steps, like: range) { log(betas[$0]) }
        let least = column(steps, like: range) { leastLogVariance[$0] }
        let share = (range + 1) * 0.5
        return share * most + (1 - share) * least
    }

    /// A number per batch entry, to be multiplied with tensors of the rank of `x`.
    func column(_ steps: [Int], like x: Tensor, _ value: (Int) -> Double) -> Tensor {
        precondition(
            steps.count == x.size(0) && steps.allSatisfy { (0..<count).contains($0) },
            "diffusion: steps \(steps) of \(count) for a batch \(x.shape)")
        return Tensor(steps.map { Float(value($0)) }, shape: [steps.count] + [Int](repeating: 1, count: x.rank - 1))
    }
}
