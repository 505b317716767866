import Foundation

/// Prodigy (Mishchenko and Defazio, "Prodigy: an expeditiously adaptive parameter-free learner", 2024): Adam that
/// estimates its own learning rate, as in prodigyopt 1.1.2.
///
/// The estimate d is a lower bound of the distance to the solution. In each step, with g the gradient, w₀ the weights
/// at their first gradient, and everything summed over all parameters:
///
///     a ← d · rate · correction
///     r ← β₃ r + (d / d₀) a ⟨g, w₀ − w⟩;   s ← β₃ s + (d / d₀) a g
///     m ← β₁ m + d (1 − β₁) g;   v ← β₂ v + d² (1 − β₂) g²
///     d ← the largest of d and coefficient · r / ‖s‖₁, growing by `growthRate` at most
///     w ← w − a m / (√v + d ε)
///
/// Groups have one learning rate, 1 as a rule; a group with rate 0 stands still.
public final class Prodigy: Optimizer {
    public struct Settings: Equatable, Sendable {
        public var beta1 = 0.9
        public var beta2 = 0.999
        /// The decay of the estimate's averages; nil takes √β₂.
        public var beta3: Double?
        public var epsilon = 1e-8
        /// Whether weight decay shrinks the weights (AdamW) or joins the gradient.
        public var isDecoupled = true
        /// Whether to correct for the zeros that the moments start from, as Adam does.
        public var usesBiasCorrection = false
        /// Keeps the learning rate out of s, so that a warm-up from a small rate does not make the estimate too large.
        public var safeguardsWarmup = false
        /// The first estimate d₀.
        public var initialDistance = 1e-6
        /// A factor on the estimate, the reference's `d_coef`: the way to tune the method.
        public var coefficient = 1.0
        /// How fast d may grow per step.
        public var growthRate = Double.infinity
        /// The estimate is made from every n-th element of each parameter, prodigyopt's `slice_p`: 11 saves most of the
        /// memory of s and w₀.
        public var sliceStride = 1

        public init() {}

        fileprivate func layout(_ parameter: Parameter) -> [StateArray] {
            let sampled = [(parameter.shape.product + sliceStride - 1) / sliceStride]
            return [
                StateArray(name: "exp_avg", shape: parameter.shape),
                StateArray(name: "exp_avg_sq", shape: parameter.shape),
                StateArray(name: "s", shape: sampled), StateArray(name: "p0", shape: sampled),
            ]
        }
    }

    public let kind = "prodigy"
    public var groups: [ParameterGroup] { didSet { checkGroups() } }
    public var learningRateFactor = 1.0
    public let settings: Settings
    /// The present estimate d; the step size is this times the learning rate.
    public private(set) var distance: Double
    private var largestEstimate: Double
    private var numerator = 0.0
    private var steps = 0
    private var states = ParameterStates()

    /// - Precondition: no parameter occurs twice; the first distance and the slice stride are positive.
    public init(_ groups: [ParameterGroup], _ settings: Settings = Settings()) {
        precondition(settings.initialDistance > 0, "prodigy: the initial distance must be positive")
        precondition(settings.sliceStride > 0, "prodigy: the slice stride must be positive")
        self.groups = groups
        self.settings = settings
        distance = settings.initialDistance
        largestEstimate = settings.initialDistance
        checkGroups()
    }

    public func step(_ gradients: Gradients, gradientScale: Float) {
        let rate = groups.map(\.learningRate).max().map { $0 * learningRateFactor } ?? 0
        precondition(
            groups.allSatisfy { $0.learningRate == 0 || $0.learningRate * learningRateFactor == rate },
            "prodigy: groups have different learning rates: \(groups.map(\.learningRate))")
        guard rate > 0 else { return }
        let correction =
            settings.usesBiasCorrection
            ? (1 - pow(settings.beta2, Double(steps + 1))).squareRoot() / (1 - pow(settings.beta1, Double(steps + 1)))
            : 1
        let stepSize = distance * rate * correction
        let moving = groups.filter { $0.learningRate > 0 }.flatMap { group in
            group.parameters.compactMap { parameter in
                gradients.dense(of: parameter).map {
                    Move(parameter: parameter, gradient: $0, decay: group.weightDecay)
                }
            }
        }
        let (travelled, size) = updateAverages(moving, stepSize, gradientScale)
        // Without any gradient there is nothing to divide by, and nothing to do.
        guard size != 0 else { return }
        updateDistance(travelled: travelled, size: size)
        for move in moving { update(move, stepSize) }
        steps += 1
    }

    /// A parameter that takes part in a step.
    private struct Move {
        let parameter: Parameter
        let gradient: Tensor
        let decay: Double
    }

    /// Moves all averages; returns (d / d₀) a ⟨g, w₀ − w⟩ and ‖s‖₁.
    private func updateAverages(_ moves: [Move], _ stepSize: Double, _ scale: Float) -> (
        travelled: Double, size: Double
    ) {
        let d = distance, ratio = d / settings.initialDistance
        let beta3 = settings.beta3 ?? settings.beta2.squareRoot()
        var total = (travelled: 0.0, size: 0.0)
        for move in moves {
            let averages = ProdigyAverages(
                gradientScale: scale, coupledDecay: settings.isDecoupled ? 0 : Float(move.decay),
                first: (Float(settings.beta1), Float(d * (1 - settings.beta1))),
                second: (Float(settings.beta2), Float(d * d * (1 - settings.beta2))),
                distance: (Float(beta3), Float(ratio * (settings.safeguardsWarmup ? d : stepSize))))
            let state = states.forUpdate(move.parameter, settings.layout(move.parameter))
            if state.steps == 0 { storeStart(of: move.parameter, in: state.arrays[3]) }
            state.steps += 1
            let sums = withFloats(state.arrays[0], state.arrays[1], state.arrays[2], state.arrays[3]) {
                m, v, s, start in
                withFloats(move.parameter.value, move.gradient) { w, g in
                    Kernel.prodigyAverages(
                        m: m, v: v, s: s, start: start, w, g, count: move.gradient.count, stride: settings.sliceStride,
                        averages)
                }
            }
            total.travelled += ratio * stepSize * sums.travelled
            total.size += sums.size
        }
        return total
    }

    /// Keeps every n-th weight.
    private func storeStart(of parameter: Parameter, in start: Tensor) {
        let stride = settings.sliceStride
        withFloats(parameter.value, start) { w, start in
            for (i, position) in Swift.stride(from: 0, to: parameter.value.count, by: stride).enumerated() {
                start[i] = w[position]
            }
        }
    }

    private func updateDistance(travelled: Double, size: Double) {
        numerator = (settings.beta3 ?? settings.beta2.squareRoot()) * numerator + travelled
        let estimate = settings.coefficient * numerator / size
        if distance == settings.initialDistance { distance = max(distance, estimate) }
        largestEstimate = max(largestEstimate, estimate)
        distance = min(largestEstimate, distance * settings.growthRate)
    }

    private func update(_ move: Move, _ stepSize: Double) {
        guard let state = states[move.parameter] else { return }
        let shrink = settings.isDecoupled ? 1 - move.decay * stepSize : 1
        move.parameter.update { w in
            withFloats(state.arrays[0], state.arrays[1]) { m, v in
                Kernel.prodigyStep(
                    w, m: m, v: v, count: move.gradient.count, shrink: Float(shrink), rate: Float(stepSize),
                    epsilon: Float(distance * settings.epsilon))
            }
        }
    }

    public func state() -> StateDictionary {
        var dictionary = StateDictionary(kind: kind)
        dictionary.append("d", distance)
        dictionary.append("d_max", largestEstimate)
        dictionary.append("d_numerator", numerator)
        dictionary.append("k", Double(steps))
        for parameter in parameters { states.write(parameter, settings.layout(parameter), to: &dictionary) }
        return dictionary
    }

    public func restore(_ state: StateDictionary) throws {
        var reader = try StateReader(state, kind: kind)
        let isDistance = { (value: Double) in value > 0 && value.isFinite }
        let newDistance = reader.scalar("d", "a positive number", where: isDistance)
        let newLargest = reader.scalar("d_max", "a positive number", where: isDistance)
        let newNumerator = reader.scalar("d_numerator", "a finite number", where: \.isFinite)
        let newSteps = reader.count("k")
        var restored = ParameterStates()
        for parameter in parameters { restored.read(parameter, settings.layout(parameter), from: &reader) }
        try reader.finish()
        (distance, largestEstimate, numerator, steps) = (newDistance, newLargest, newNumerator, newSteps)
        states = restored
    }
}
