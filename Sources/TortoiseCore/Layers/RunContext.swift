/// What a forward pass needs to know besides its input: a value that is passed down, so that modules hold no modes.
public struct RunContext: Sendable {
    /// Whether dropout and its like are active.
    public var isTraining: Bool
    /// Where this pass takes its randomness from.
    public var random: RandomSource

    public init(isTraining: Bool = false, random: RandomSource = RandomSource(seed: 0)) {
        self.isTraining = isTraining
        self.random = random
    }

    /// Inference: nothing is random.
    public static let inference = RunContext()

    /// The context of a part of the model, with randomness of its own.
    public subscript(_ name: String) -> RunContext { RunContext(isTraining: isTraining, random: random[name]) }
    /// The context of one of many like parts.
    public subscript(_ index: Int) -> RunContext { RunContext(isTraining: isTraining, random: random[index]) }

    /// Dropout while training, else the input itself.
    public func dropout(_ x: Tensor, _ probability: Float) -> Tensor {
        isTraining && probability > 0 ? x.dropout(probability, random.stream) : x
    }

    /// Dropout for an operation that applies it itself, while training.
    public func dropout(_ probability: Float) -> Dropout? {
        isTraining && probability > 0 ? Dropout(probability, random.stream) : nil
    }
}
