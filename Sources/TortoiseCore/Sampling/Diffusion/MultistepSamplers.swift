// Samplers that remember what was predicted at earlier steps.
//
// All solve the same equation exactly but for one integral: over a step of length h in λ = ln(signal / noise),
// x′ = √ᾱ′/√ᾱ e^(−H) x + √ᾱ′ ∫ H e^(−H(1 − u)) start(u) du over u in 0...1, with H = (1 + eta) h. They differ in the polynomial that
// stands for the predicted data, and in the noise: eta of it is made afresh.
//
// The last steps have ever lower orders, down to one. On TorToiSe's schedule the step to the least noise is several times as long in λ
// as any before it, and a polynomial that is followed so far beyond its nodes leads anywhere.

import Foundation

/// A step in λ, from one step of the process to the one before it.
struct ExponentialStep {
    let signalScale, nextSignalScale, nextNoiseScale: Double
    /// λ where it starts, and how far it goes.
    let start, length: Double
    let eta: Double

    init(from step: Int, _ diffusion: GaussianDiffusion, eta: Double = 0) {
        signalScale = diffusion.signalScale(step)
        nextSignalScale = diffusion.signalScale(step - 1)
        nextNoiseScale = diffusion.noiseScale(step - 1)
        start = diffusion.logRatio(step)
        length = diffusion.logRatio(step - 1) - start
        self.eta = eta
    }

    private var decay: Double { (1 + eta) * length }
    /// The integral's weight for data that does not change.
    var total: Double { -expm1(-decay) }

    /// Weights by which data at some nodes is integrated exactly while it is a polynomial through them.
    ///
    /// - Parameter nodes: In λ.
    func weights(_ nodes: [Double]) -> [Double] {
        let places = nodes.map { ($0 - start) / length }
        let moments = (0..<nodes.count).map(moment)
        return places.indices.map { own in
            // Coefficients of the polynomial that is 1 at this node and 0 at the others.
            var polynomial = [1.0]
            for other in places.indices where other != own {
                let (root, scale) = (places[other], 1 / (places[own] - places[other]))
                let (raised, kept) = ([0] + polynomial, polynomial + [0])
                polynomial = zip(raised, kept).map { ($0 - root * $1) * scale }
            }
            return zip(polynomial, moments).reduce(0) { $0 + $1.0 * $1.1 }
        }
    }

    /// ∫ H e^(−H(1 − u)) uⁿ du over 0...1.
    private func moment(_ power: Int) -> Double {
        guard decay < 1 else { return power == 0 ? total : 1 - Double(power) / decay * moment(power - 1) }
        // The recursion would cancel; a series does not: H Σ (−H)^k n! / (n + k + 1)!
        var term = decay / Double(power + 1)
        var sum = 0.0
        for k in 0..<30 {
            sum += term
            term *= -decay / Double(power + k + 2)
        }
        return sum
    }

    /// Where the step ends. Shape: [batch, ...], and predicted data of that shape → the same
    func end(_ x: Tensor, _ data: [(weight: Double, start: Tensor)]) -> Tensor {
        let carried = x * Float(nextSignalScale / signalScale * exp(-decay))
        return data.reduce(carried) { $0 + $1.start * Float(nextSignalScale * $1.weight) }
    }

    /// How much fresh noise comes on top.
    var freshNoise: Double { nextNoiseScale * (-expm1(-2 * eta * length)).squareRoot() }
}

/// Data that was predicted, and where.
private struct PastPrediction {
    let place: Double
    let start: Tensor
}

extension ArraySlice<PastPrediction> {
    /// The weights of these predictions over a step.
    fileprivate func integrated(over path: ExponentialStep) -> [(weight: Double, start: Tensor)] {
        Array(zip(path.weights(map(\.place)), map(\.start)))
    }
}

/// DPM-Solver++ of second order: a straight line through two predictions (Lu et al., 2022, algorithm 2).
struct DPMSolver2MSampler: DiffusionSampler {
    private var last: PastPrediction?

    mutating func advance(_ x: Tensor, from step: Int, _ process: DenoisingProcess) throws -> Tensor {
        let start = try process.predict(x, step).start
        guard step > 0 else { return start }
        let path = ExponentialStep(from: step, process.diffusion)
        defer { last = PastPrediction(place: path.start, start: start) }
        guard let last, step > 1 else { return path.end(x, [(path.total, start)]) }
        // The line's value halfway through the step stands for all of it.
        let lead = path.length / (path.start - last.place) / 2
        return path.end(x, [(path.total * (1 + lead), start), (-path.total * lead, last.start)])
    }
}

/// DPM-Solver++ with fresh noise and a parabola through three predictions.
///
/// The published code halves the parabola's curvature, which costs it the third order; here the integral is exact.
struct DPMSolver3MSampler: DiffusionSampler {
    let eta: Double
    private var past: [PastPrediction] = []

    init(eta: Double) { self.eta = eta }

    mutating func advance(_ x: Tensor, from step: Int, _ process: DenoisingProcess) throws -> Tensor {
        let start = try process.predict(x, step).start
        guard step > 0 else { return start }
        let path = ExponentialStep(from: step, process.diffusion, eta: eta)
        past = [PastPrediction(place: path.start, start: start)] + past.prefix(2)
        let next = path.end(x, past.prefix(step).integrated(over: path))
        return eta > 0 ? next + process.freshNoise(step, like: x) * Float(path.freshNoise) : next
    }
}

/// Predicts each step from three predictions, and corrects it once the network has seen where it led (Zhao et al., 2023).
///
/// The order is three; the weights are those that integrate polynomials exactly, to which the paper's come for any B(h).
struct UniPCSampler: DiffusionSampler {
    private static let order = 3
    private var past: [PastPrediction] = []
    /// The step that is to be corrected, and where it started.
    private var pending: (path: ExponentialStep, x: Tensor)?

    mutating func advance(_ x: Tensor, from step: Int, _ process: DenoisingProcess) throws -> Tensor {
        let start = try process.predict(x, step).start
        guard step > 0 else { return start }
        let path = ExponentialStep(from: step, process.diffusion)
        past.insert(PastPrediction(place: path.start, start: start), at: 0)
        let corrected = pending.map { $0.path.end($0.x, past[...].integrated(over: $0.path)) } ?? x
        past = Array(past.prefix(Self.order))
        pending = (path, corrected)
        return path.end(corrected, past.prefix(step).integrated(over: path))
    }
}
