/// Stochastic gradient descent with momentum (Sutskever, Martens, Dahl and Hinton, 2013), in PyTorch's form.
///
/// g ← g + decay · w;  v ← momentum · v + (1 − dampening) · g, at first v ← g;  w ← w − rate · v, or with Nesterov's
/// momentum w ← w − rate · (g + momentum · v).
public final class SGD: Optimizer {
    public struct Settings: Equatable, Sendable {
        /// How much of the last step is made again; 0 keeps no state.
        public var momentum: Double
        /// How much less than the whole gradient joins the momentum.
        public var dampening: Double
        /// Whether the step looks ahead by the momentum.
        public var isNesterov: Bool

        public init(momentum: Double = 0, dampening: Double = 0, isNesterov: Bool = false) {
            self.momentum = momentum
            self.dampening = dampening
            self.isNesterov = isNesterov
        }

        fileprivate func layout(_ parameter: Parameter) -> [StateArray] {
            momentum == 0 ? [] : [StateArray(name: "momentum_buffer", shape: parameter.shape)]
        }
    }

    public let kind = "sgd"
    public var groups: [ParameterGroup] { didSet { checkGroups() } }
    public var learningRateFactor = 1.0
    /// The settings of each group.
    public let settings: [Settings]
    private var states = ParameterStates()

    /// - Precondition: there are settings for each group, and no parameter occurs twice.
    public init(_ groups: [ParameterGroup], settings: [Settings]) {
        precondition(groups.count == settings.count, "sgd: \(settings.count) settings for \(groups.count) groups")
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
                let step = SGDStep(
                    learningRate: Float(group.learningRate * learningRateFactor), momentum: Float(settings.momentum),
                    dampening: Float(settings.dampening), weightDecay: Float(group.weightDecay),
                    isNesterov: settings.isNesterov, gradientScale: gradientScale, isFirst: state.steps == 0)
                state.steps += 1
                parameter.update { w in
                    withFloats(gradient) { g in
                        withOptionalFloats(state.arrays.first) {
                            Kernel.sgd(w, g, momentum: $0, count: gradient.count, step)
                        }
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
        var restored = ParameterStates()
        for (group, settings) in zip(groups, settings) {
            for parameter in group.parameters { restored.read(parameter, settings.layout(parameter), from: &reader) }
        }
        try reader.finish()
        states = restored
    }
}
