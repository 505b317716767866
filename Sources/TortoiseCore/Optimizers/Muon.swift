/// Muon (Jordan and others, "Muon: an optimizer for hidden layers in neural networks", 2024): momentum whose matrices are
/// made orthogonal, with AdamW for everything that is no hidden matrix.
///
/// m ← momentum · m + (1 − momentum) · g;  u ← orthogonal((1 − momentum) · g + momentum · m), or of m alone without
/// Nesterov's look ahead;  w ← (1 − rate · decay) · w − rate · 0.2 · √max(rows, columns) · u. The factor brings the step to
/// the size of AdamW's (Liu and others, "Muon is scalable for LLM training", 2025), so one learning rate serves both.
/// Kernels of convolutions count as matrices of [channels out, all the rest].
public final class Muon: Optimizer {
    public struct Settings: Equatable, Sendable {
        /// How much of the last direction is kept.
        public var momentum = 0.95
        /// Whether the step looks ahead by the momentum.
        public var isNesterov = true
        /// Newton–Schulz iterations; after five, singular values lie between about 0.7 and 1.2.
        public var iterations = 5
        /// Leaves embeddings and output heads to AdamW, as the method's authors advise; the reference makes them orthogonal too.
        public var leavesEmbeddings = true
        /// For what is no hidden matrix.
        public var adam = Adam.Settings(beta1: 0.95, beta2: 0.95, epsilon: 1e-8)

        public init() {}
    }

    public let kind = "muon"
    public var groups: [ParameterGroup] {
        didSet {
            checkGroups()
            adam.groups = Self.remainder(of: groups, settings)
        }
    }
    public var learningRateFactor = 1.0 { didSet { adam.learningRateFactor = learningRateFactor } }
    public let settings: Settings
    private let adam: Adam
    private var states = ParameterStates()

    /// - Precondition: no parameter occurs twice; the momentum lies in 0..<1.
    public init(_ groups: [ParameterGroup], _ settings: Settings = Settings()) {
        precondition((0..<1).contains(settings.momentum), "muon: the momentum must lie in 0..<1")
        self.groups = groups
        self.settings = settings
        adam = Adam(Self.remainder(of: groups, settings), settings.adam)
        checkGroups()
    }

    private static func remainder(of groups: [ParameterGroup], _ settings: Settings) -> [ParameterGroup] {
        groups.map { group in
            ParameterGroup(
                group.parameters.filter { !isOrthogonalized($0, settings) }, learningRate: group.learningRate,
                weightDecay: group.weightDecay)
        }
    }

    private static func isOrthogonalized(_ parameter: Parameter, _ settings: Settings) -> Bool {
        guard parameter.shape.count > 1, parameter.shape.allSatisfy({ $0 > 0 }) else { return false }
        let isTable = ["embedding", "_emb", ".emb.", "head.", "codebook"].contains { parameter.name.contains($0) }
        return !(settings.leavesEmbeddings && isTable)
    }

    private func layout(_ parameter: Parameter) -> [StateArray] {
        [StateArray(name: "momentum_buffer", shape: parameter.shape)]
    }

    public func step(_ gradients: Gradients, gradientScale: Float) {
        adam.step(gradients, gradientScale: gradientScale)
        for group in groups {
            let rate = group.learningRate * learningRateFactor
            for parameter in group.parameters where Self.isOrthogonalized(parameter, settings) {
                guard let gradient = gradients.dense(of: parameter) else { continue }
                let state = states.forUpdate(parameter, layout(parameter))
                state.steps += 1
                let fresh = gradient * (gradientScale * Float(1 - settings.momentum))
                let momentum = state.arrays[0] * Float(settings.momentum) + fresh
                state.arrays[0] = momentum
                let direction = settings.isNesterov ? fresh + momentum * Float(settings.momentum) : momentum
                let rows = parameter.shape[0], columns = parameter.shape.product / rows
                let update = Self.orthogonalized(
                    direction.reshaped(rows, columns), iterations: settings.iterations)
                let size = rate * 0.2 * Double(max(rows, columns)).squareRoot()
                parameter.assign(
                    parameter.value.detached * Float(1 - rate * group.weightDecay)
                        - update.reshaped(parameter.shape) * Float(size))
            }
        }
    }

    /// The nearest matrix with orthonormal rows or columns, roughly: a quintic Newton–Schulz iteration whose coefficients
    /// are chosen for the slope at zero.
    ///
    /// - Parameter matrix: [rows, columns].
    static func orthogonalized(_ matrix: Tensor, iterations: Int) -> Tensor {
        let isTall = matrix.shape[0] > matrix.shape[1]
        let wide = isTall ? matrix.transposed().contiguous : matrix
        var x = wide * Float(1 / max(wide.sumOfSquares.squareRoot(), 1e-7))
        for _ in 0..<iterations {
            let gram = x.matmul(x.transposed())
            let polynomial = gram * -4.7750 + gram.matmul(gram) * 2.0315
            x = x * 3.4445 + polynomial.matmul(x)
        }
        return isTall ? x.transposed().contiguous : x
    }

    public func state() -> StateDictionary {
        var dictionary = StateDictionary(kind: kind)
        let rest = adam.state()
        for (name, value) in rest.scalars { dictionary.append(name, value) }
        for (name, tensor) in rest.tensors { dictionary.append(name, tensor) }
        for parameter in orthogonalized { states.write(parameter, layout(parameter), to: &dictionary) }
        return dictionary
    }

    private var orthogonalized: [Parameter] { parameters.filter { Self.isOrthogonalized($0, settings) } }

    public func restore(_ state: StateDictionary) throws {
        var reader = try StateReader(state, kind: kind)
        var restored = ParameterStates()
        for parameter in orthogonalized { restored.read(parameter, layout(parameter), from: &reader) }
        let rest = adam.read(from: &reader)
        try reader.finish()
        states = restored
        adam.adopt(rest)
    }
}
