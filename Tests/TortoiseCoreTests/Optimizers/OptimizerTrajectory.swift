import Foundation
import Testing

@testable import TortoiseCore

/// The run of Tools/goldens/optimizers.py: four parameters in two groups, a schedule, clipping, gradients that are missing
/// at times.
struct Trajectory {
    static let steps = 50
    static let cases = [
        "sgd", "momentum", "nesterov", "adam", "adamw", "reference", "prodigy", "prodigy-coupled", "prodigy-safe",
        "prodigy-slice", "muon", "muon-heavy",
    ]
    private static let names = ["a", "b", "c", "d"]
    private static let schedule = LearningRateSchedule.cosine(steps: steps, warmup: 8, minimum: 0.1)

    let optimizer: any Optimizer
    let parameters: [Parameter]
    /// The norm of each step's gradients.
    private(set) var norms: [Double] = []
    /// Prodigy's estimate after each step.
    private(set) var distances: [Double] = []
    private var step = 0
    private let target: [[Float]]
    private let pull: [[Float]]

    init(_ name: String, _ golden: GoldenArrays) throws {
        // Cases with a tiny first distance start from small weights; see the script.
        let shrink: Float = ["prodigy", "prodigy-slice"].contains(name) ? 0x1p-12 : 1
        parameters = try Self.names.map { trainable($0, try golden.tensor("start.\($0)") * shrink) }
        target = try Self.names.map { try golden.floats("target.\($0)") }
        pull = try Self.names.map { try golden.floats("pull.\($0)") }
        optimizer = try #require(Self.optimizer(name, parameters))
    }

    private static func optimizer(_ name: String, _ parameters: [Parameter]) -> (any Optimizer)? {
        func groups(_ rate: Double, _ decay: Double, secondRate: Double? = nil) -> [ParameterGroup] {
            [
                ParameterGroup(Array(parameters[..<2]), learningRate: rate, weightDecay: decay),
                ParameterGroup(Array(parameters[2...]), learningRate: secondRate ?? rate / 2),
            ]
        }
        var prodigy = Prodigy.Settings()
        switch name {
        case "sgd": return SGD(groups(0.1, 0.02))
        case "momentum": return SGD(groups(0.05, 0.02), SGD.Settings(momentum: 0.9, dampening: 0.1))
        case "nesterov": return SGD(groups(0.05, 0), SGD.Settings(momentum: 0.9, isNesterov: true))
        case "adam": return Adam(groups(0.05, 0.03), Adam.Settings(weightDecay: .coupled))
        case "adamw": return Adam(groups(0.05, 0.1))
        case "reference": return Adam(groups(0.02, 0.01), Adam.Settings(beta1: 0.9, beta2: 0.96, epsilon: 1e-7))
        case "prodigy": return Prodigy(groups(1, 0.01, secondRate: 1))
        case "prodigy-coupled":
            (prodigy.isDecoupled, prodigy.initialDistance) = (false, 1e-3)
            return Prodigy(groups(1, 0.01, secondRate: 1), prodigy)
        case "prodigy-safe":
            (prodigy.usesBiasCorrection, prodigy.safeguardsWarmup) = (true, true)
            (prodigy.growthRate, prodigy.coefficient, prodigy.initialDistance) = (1.2, 0.7, 1e-2)
            prodigy.beta2 = 0.99
            return Prodigy(groups(1, 0, secondRate: 1), prodigy)
        case "prodigy-slice":
            (prodigy.sliceStride, prodigy.beta3) = (3, 0.9)
            return Prodigy(groups(1, 0, secondRate: 1), prodigy)
        case "muon": return Muon(groups(0.05, 0.1))
        case "muon-heavy":
            var muon = Muon.Settings()
            (muon.momentum, muon.isNesterov, muon.iterations) = (0.8, false, 3)
            return Muon(groups(0.05, 0), muon)
        default: return nil
        }
    }

    /// Goes on to a step.
    mutating func run(to end: Int) throws {
        while step < end {
            let c = Float(Double(step * 7 % 5 + 1) / 5)
            let pairs = parameters.indices.filter { hasGradient(Self.names[$0]) }.map { i in
                let values = parameters[i].value.values
                let gradient = values.indices.map { (values[$0] - target[i][$0]) * pull[i][$0] * c }
                return (parameters[i], Tensor(gradient, shape: parameters[i].shape))
            }
            let found = try gradients(pairs)
            let norm = found.norm(of: parameters, clippingAt: 0.7)
            norms.append(norm.value)
            optimizer.learningRateFactor = Self.schedule.factor(at: step)
            optimizer.step(found, gradientScale: norm.scale)
            if let prodigy = optimizer as? Prodigy { distances.append(prodigy.distance) }
            step += 1
        }
    }

    /// Continues elsewhere from this run's weights and state.
    mutating func resume(from other: Trajectory) throws {
        for (own, parameter) in zip(parameters, other.parameters) { own.assign(parameter.value) }
        try optimizer.restore(other.optimizer.state())
        step = other.step
    }

    private func hasGradient(_ name: String) -> Bool { !(name == "c" && step % 7 == 3) && !(name == "d" && step < 4) }

    /// The bits of all weights and of the optimizer's state.
    var fingerprint: [String: [UInt8]] {
        var result = optimizer.state().fingerprint
        for parameter in parameters { result[parameter.name] = parameter.value.bytes }
        return result
    }
}
