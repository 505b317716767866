import Foundation
import Testing

@testable import TortoiseCore

/// Samplers on a network that is exactly right for a known distribution.
@Suite struct DiffusionSolverTests {
    /// The exact noise predictor for elements drawn from a mixture of normal distributions.
    private struct MixtureNetwork: DiffusionNetwork {
        let diffusion: GaussianDiffusion
        var parts: [(weight: Double, mean: Double, deviation: Double)] = [(0.4, -0.5, 0.25), (0.6, 0.35, 0.2)]

        func prediction(_ x: Tensor, timestep: Int) -> Tensor {
            guard let step = diffusion.timesteps.firstIndex(of: timestep) else { return x }
            let (signal, noise) = (diffusion.signalScale(step), diffusion.noiseScale(step))
            let values = x.values.map { x -> Float in
                let x = Double(x)
                var (total, start) = (0.0, 0.0)
                for part in parts {
                    let variance = signal * signal * part.deviation * part.deviation + noise * noise
                    let distance = x - signal * part.mean
                    let share = part.weight * exp(-distance * distance / (2 * variance)) / variance.squareRoot()
                    total += share
                    start += share * (part.mean + signal * part.deviation * part.deviation / variance * distance)
                }
                return Float((x - signal * start / total) / noise)
            }
            return Tensor(values, shape: x.shape)
        }

        func unconditionedPrediction(_ x: Tensor, timestep: Int) -> Tensor { prediction(x, timestep: timestep) * 0.9 }

        var mean: Double { parts.reduce(0) { $0 + $1.weight * $1.mean } }
        var deviation: Double {
            (parts.reduce(0) { $0 + $1.weight * ($1.mean * $1.mean + $1.deviation * $1.deviation) } - mean * mean)
                .squareRoot()
        }
    }

    /// A full process whose steps are equally long in λ, so that the error of a solver has one order all along.
    private static let evenBetas: [Double] = {
        let signals = (0...4_000).map { 1 / (1 + exp(-2 * (6 - Double($0) / 400))) }
        return zip(signals, [1] + signals).map { 1 - $0 / $1 }
    }()

    private func sample(
        _ name: DiffusionSamplerName, _ diffusion: GaussianDiffusion, eta: Double? = 0, shape: [Int] = [1, 1, 256]
    ) throws -> Tensor {
        var sampling = DiffusionSampling()
        (sampling.sampler, sampling.eta, sampling.guidance, sampling.clipsStart) = (name, eta, nil, false)
        return try sampling.sample(
            MixtureNetwork(diffusion: diffusion), diffusion, shape: shape, noise: .init(RandomSource(seed: 3)))
    }

    private func distance(_ a: Tensor, _ b: Tensor) -> Double { ((a - b).sumOfSquares / Double(a.count)).squareRoot() }

    /// Halving the steps divides the error against 1,000 steps by 2 to the power of the order.
    @Test(arguments: [
        (DiffusionSamplerName.ddim, 1), (.eulerAncestral, 1), (.dpmSolver2M, 2), (.heun, 2), (.dpmSolver3MSDE, 3),
        (.uniPC, 3),
    ])
    func errorsFallWithTheOrder(name: DiffusionSamplerName, order: Int) throws {
        let process = { try GaussianDiffusion(betas: Self.evenBetas, spacing: .even($0 + 1)) }
        let reference = try sample(.uniPC, try process(1_000))
        let steps = name == .uniPC ? [25, 50, 100] : [50, 100, 200]
        let errors = try steps.map { distance(try sample(name, try process($0)), reference) }
        for (coarse, fine) in zip(errors, errors.dropFirst()) {
            let measured = log2(coarse / fine)
            #expect(measured > Double(order) - 0.4, "\(name): order \(measured) of \(errors)")
        }
        report("order of \(name.rawValue): \(errors.map { String(format: "%.2e", $0) })")
    }

    /// On the published process too, more steps are nearer to 1,000 and higher orders are nearer than lower ones.
    @Test func errorsFallOnThePublishedProcess() throws {
        let reference = try sample(.uniPC, try GaussianDiffusion(.even(1_000)))
        var errors: [DiffusionSamplerName: [Double]] = [:]
        for name in DiffusionSamplerName.allCases where name != .ancestral {
            errors[name] = try [10, 20, 40].map {
                distance(try sample(name, try GaussianDiffusion(.even($0))), reference)
            }
            report("published, \(name.rawValue): \((errors[name] ?? []).map { String(format: "%.2e", $0) })")
        }
        for (name, falling) in errors { #expect(falling == falling.sorted(by: >), "\(name): \(falling)") }
        let euler = try #require(errors[.ddim])
        for name in [DiffusionSamplerName.dpmSolver2M, .dpmSolver3MSDE, .uniPC, .heun] {
            #expect(try #require(errors[name])[2] < euler[2] * 0.6, "\(name) at 40 steps")
        }
    }

    /// With noise, samples have the distribution that the network stands for.
    @Test(arguments: DiffusionSamplerName.allCases)
    func samplesHaveTheDistribution(name: DiffusionSamplerName) throws {
        let diffusion = try GaussianDiffusion(.even([.ancestral, .ddim, .eulerAncestral].contains(name) ? 200 : 80))
        let found = try sample(name, diffusion, eta: nil, shape: [1, 1, 8_192]).values.map(Double.init)
        let mean = found.reduce(0, +) / Double(found.count)
        let deviation = (found.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(found.count)).squareRoot()
        let network = MixtureNetwork(diffusion: diffusion)
        #expect(abs(mean - network.mean) < 0.025, "mean \(mean), expected \(network.mean)")
        #expect(abs(deviation - network.deviation) < 0.025, "deviation \(deviation), expected \(network.deviation)")
        // Not only the first two moments: the share on the left is that of the left hump, nearly.
        let left = Double(found.count { $0 < -0.07 }) / Double(found.count)
        #expect(abs(left - 0.4) < 0.04, "\(left) on the left")
    }

    /// Euler a as it is usually written, in x / √ᾱ with a step down and noise up, is what the sampler computes.
    @Test func eulerAncestralIsTheUsualOne() throws {
        let diffusion = try GaussianDiffusion(.even(6))
        let network = MixtureNetwork(diffusion: diffusion)
        let noise = DiffusionNoise(RandomSource(seed: 3))
        var x = noise.start([1, 1, 256])
        for step in (0..<6).reversed() {
            func ratio(_ step: Int) -> Double { diffusion.noiseScale(step) / diffusion.signalScale(step) }
            let (now, next) = (ratio(step), ratio(step - 1))
            let up = min(next, (next * next * (now * now - next * next) / (now * now)).squareRoot())
            let down = (next * next - up * up).squareRoot()
            let slope = network.prediction(x, timestep: diffusion.timesteps[step])
            let scaled = x * Float(1 / diffusion.signalScale(step)) + slope * Float(down - now)
            x = (scaled + noise.step(5 - step, x.shape) * Float(up)) * Float(diffusion.signalScale(step - 1))
        }
        expectClose(try sample(.eulerAncestral, diffusion, eta: nil), x, 1e-4, "sample")
    }

    // MARK: - Running

    private struct Stopped: Error {}

    @Test(arguments: DiffusionSamplerName.allCases)
    func runsCanBeStoppedBetweenSteps(name: DiffusionSamplerName) throws {
        let diffusion = try GaussianDiffusion(.even(9))
        var sampling = DiffusionSampling()
        sampling.sampler = name
        var evaluations = 0
        let network = RecordingNetwork(MixtureNetwork(diffusion: diffusion)) { _ in evaluations += 1 }
        var steps: [Int] = []
        _ = try sampling.sample(network, diffusion, shape: [1, 1, 4], noise: .init(RandomSource(seed: 1))) {
            done, total in
            #expect(total == 9)
            steps.append(done)
        }
        #expect(steps == Array(0...9))
        #expect(evaluations == (name == .heun ? 17 : 9))
        evaluations = 0
        #expect(throws: Stopped.self) {
            try sampling.sample(network, diffusion, shape: [1, 1, 4], noise: .init(RandomSource(seed: 1))) { done, _ in
                if done == 2 { throw Stopped() }
            }
        }
        #expect(evaluations == (name == .heun ? 4 : 2))
    }

    /// A sample is the same bits alone and in a batch.
    @Test(arguments: DiffusionSamplerName.allCases)
    func samplesDoNotDependOnTheBatch(name: DiffusionSamplerName) throws {
        let diffusion = try GaussianDiffusion(.even(7))
        let network = MixtureNetwork(diffusion: diffusion)
        var sampling = DiffusionSampling()
        (sampling.sampler, sampling.temperature) = (name, 0.9)
        let sources = (0..<3).map { RandomSource(seed: 5)[$0] }
        let together = try sampling.sample(network, diffusion, shape: [3, 2, 33], noise: .init(sources))
        for (entry, source) in sources.enumerated() {
            let alone = try sampling.sample(network, diffusion, shape: [1, 2, 33], noise: .init(source))
            #expect(haveSameBits(alone, together.sliced(0, entry..<entry + 1).contiguous), "entry \(entry)")
        }
    }

    @Test func namesAreThoseOfTheCommandLine() throws {
        #expect(
            DiffusionSamplerName.allCases.map(\.rawValue) == [
                "p", "ddim", "dpm++2m", "dpm++3m-sde", "unipc", "heun", "euler-a",
            ])
        #expect(try DiffusionSamplerName(parsing: "DDIM") == .ddim)
        #expect(throws: InputError.self) { try DiffusionSamplerName(parsing: "dpm++") }
    }

    private func report(_ text: String) {
        if ProcessInfo.processInfo.environment["TORTOISE_REPORT_ERRORS"] != nil { print(text) }
    }
}

/// A network that tells what it is asked, guidance's second question apart.
struct RecordingNetwork<Base: DiffusionNetwork>: DiffusionNetwork {
    let base: Base
    let record: (Tensor) -> Void

    init(_ base: Base, record: @escaping (Tensor) -> Void) { (self.base, self.record) = (base, record) }

    func prediction(_ x: Tensor, timestep: Int) throws -> Tensor {
        record(x)
        return try base.prediction(x, timestep: timestep)
    }

    func unconditionedPrediction(_ x: Tensor, timestep: Int) throws -> Tensor {
        try base.unconditionedPrediction(x, timestep: timestep)
    }
}
