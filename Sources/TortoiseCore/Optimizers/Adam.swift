/// Adam (Kingma and Ba, 2015) and AdamW (Loshchilov and Hutter, 2019), with state in float32 or in 8 bits.
///
/// m ← β₁ m + (1 − β₁) g;  v ← β₂ v + (1 − β₂) g²;  w ← w − rate · m̂ / (√v̂ + ε), where m̂ and v̂ are corrected for the
/// zeros that they start from. Weight decay either joins the gradient (Adam) or shrinks the weight by rate · decay (AdamW).
public final class Adam: Optimizer {
    /// Where weight decay acts.
    public enum WeightDecay: String, Sendable {
        /// On the weight itself: AdamW.
        case decoupled
        /// On the gradient: Adam with L2 regularisation.
        case coupled
    }

    /// How the moments are kept.
    public enum StatePrecision: String, Sendable {
        /// 8 bytes per weight.
        case float32
        /// 2 bytes per weight; see `DynamicQuantization`. Arrays below 4,096 elements stay float32.
        case eightBit
    }

    public struct Settings: Equatable, Sendable {
        public var beta1: Double
        public var beta2: Double
        public var epsilon: Double
        public var weightDecay: WeightDecay
        public var statePrecision: StatePrecision

        public init(
            beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8, weightDecay: WeightDecay = .decoupled,
            statePrecision: StatePrecision = .float32
        ) {
            self.beta1 = beta1
            self.beta2 = beta2
            self.epsilon = epsilon
            self.weightDecay = weightDecay
            self.statePrecision = statePrecision
        }

        fileprivate func isEightBit(_ parameter: Parameter) -> Bool {
            statePrecision == .eightBit && parameter.shape.product >= DynamicQuantization.smallestCount
        }

        fileprivate func layout(_ parameter: Parameter) -> [StateArray] {
            guard isEightBit(parameter) else {
                return ["exp_avg", "exp_avg_sq"].map { StateArray(name: $0, shape: parameter.shape) }
            }
            let blocks = (parameter.shape.product + Kernel.eightBitBlock - 1) / Kernel.eightBitBlock
            return ["exp_avg", "exp_avg_sq"].flatMap { name in
                [
                    StateArray(name: "\(name)_codes", shape: parameter.shape, dtype: .uint8),
                    StateArray(name: "\(name)_scales", shape: [blocks]),
                ]
            }
        }
    }

    public let kind = "adam"
    public var groups: [ParameterGroup] { didSet { checkGroups() } }
    public var learningRateFactor = 1.0
    /// The settings of each group.
    public let settings: [Settings]
    private var states = ParameterStates()

    /// - Precondition: there are settings for each group, and no parameter occurs twice.
    public init(_ groups: [ParameterGroup], settings: [Settings]) {
        precondition(groups.count == settings.count, "adam: \(settings.count) settings for \(groups.count) groups")
        self.groups = groups
        self.settings = settings
        checkGroups()
    }

    /// The same settings for all groups.
    public convenience init(_ groups: [ParameterGroup], _ settings: Settings = Settings()) {
        self.init(groups, settings: groups.map { _ in settings })
    }

    public func step(_ gradients: Gradients, gradientScale: Float) {
        for (group, settings) in zip(groups, settings) {
            for parameter in group.parameters {
                guard let gradient = gradients.dense(of: parameter) else { continue }
                let state = states.forUpdate(parameter, settings.layout(parameter))
                state.steps += 1
                let step = AdamStep(
                    learningRate: group.learningRate * learningRateFactor, beta1: settings.beta1, beta2: settings.beta2,
                    epsilon: settings.epsilon, weightDecay: group.weightDecay,
                    isDecoupled: settings.weightDecay == .decoupled, gradientScale: gradientScale, step: state.steps)
                if settings.isEightBit(parameter) {
                    updateEightBit(parameter, gradient, state, step)
                } else {
                    parameter.update { w in
                        withFloats(gradient, state.arrays[0], state.arrays[1]) {
                            Kernel.adam(w, $0, $1, $2, count: gradient.count, step)
                        }
                    }
                }
            }
        }
    }

    private func updateEightBit(_ parameter: Parameter, _ gradient: Tensor, _ state: ParameterState, _ step: AdamStep) {
        parameter.update { w in
            withFloats(gradient, state.arrays[1], state.arrays[3]) { g, firstScales, secondScales in
                withElements(state.arrays[0], as: UInt8.self) { first in
                    withElements(state.arrays[2], as: UInt8.self) { second in
                        let moments = EightBitMoments(
                            first: first, firstScales: firstScales, second: second, secondScales: secondScales)
                        Kernel.adam8(
                            w, g, moments, signedMap: DynamicQuantization.signedMap,
                            unsignedMap: DynamicQuantization.unsignedMap, count: gradient.count, step)
                    }
                }
            }
        }
    }

    public func state() -> StateDictionary {
        var dictionary = StateDictionary(kind: kind)
        for (group, settings) in zip(groups, settings) {
            for parameter in group.parameters { states.write(parameter, settings.layout(parameter), to: &dictionary) }
        }
        return dictionary
    }

    public func restore(_ state: StateDictionary) throws {
        var reader = try StateReader(state, kind: kind)
        let restored = read(from: &reader)
        try reader.finish()
        adopt(restored)
    }

    /// The states of this optimizer's parameters, for one that has an `Adam` for a part of its own.
    func read(from reader: inout StateReader) -> ParameterStates {
        var restored = ParameterStates()
        for (group, settings) in zip(groups, settings) {
            for parameter in group.parameters { restored.read(parameter, settings.layout(parameter), from: &reader) }
        }
        return restored
    }

    /// Goes on from what `read` read.
    func adopt(_ restored: ParameterStates) { states = restored }
}
