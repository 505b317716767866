/// Which position a generated code has.
public enum CodePositions: Sendable {
    /// Code j stands at j + 1, as in training.
    case training
    /// Code j stands at j + 2, as in the original's generation with a key-value cache: needed to repeat its codes exactly.
    case original
}

/// The autoregressive model with a voice and a text, ready to write codes.
///
/// The prompt is read once and shared by all candidates; memory for keys and values is taken once.
public final class AutoregressiveDecoder: TokenDecoder {
    private let model: AutoregressiveModel
    private let prompt: Tensor
    private let positions: CodePositions
    private var caches: [KVCache] = []
    private var decoded = 0

    public let maximumSteps: Int

    /// - Parameters:
    ///   - latent: The voice. Shape: [1, width]
    ///   - text: Ids without the start token; the stop token that the model expects at the end is added.
    ///   - limit: The most codes that will be asked for.
    /// - Throws: `InputError.data` when the text has more tokens than there are positions, or tokens that the model lacks.
    public init(
        _ model: AutoregressiveModel, latent: Tensor, text: [Int32], positions: CodePositions = .training,
        limit: Int = .max
    ) throws {
        let config = model.config
        precondition(
            latent.shape == [1, config.width],
            "autoregressive: a latent of \(latent.shape), expected \([1, config.width])")
        try config.check(text: text)
        self.model = model
        self.positions = positions
        maximumSteps = max(1, min(limit, config.maximumMelTokens - 1))
        let ids = [Int32(config.startTextToken)] + text + [Int32(config.stopTextToken)]
        let start = Tensor(indices: [Int32(config.startMelToken)], shape: [1, 1])
        prompt = concatenated(
            [
                latent.detached.unsqueezed(1), model.embedText(Tensor(indices: ids, shape: [1, ids.count])),
                model.embedCodes(start, firstPosition: 0),
            ], axis: 1)
    }

    public func start(batch: Int) -> DecoderOutput {
        caches = []  // lets go of an earlier run's before more is taken
        caches = model.body.makeCaches(batch: batch, capacity: prompt.size(1) + maximumSteps)
        decoded = 0
        return model.predict(model.body(prompt, caches: caches))
    }

    public func step(_ tokens: [Int32]) -> DecoderOutput {
        let position = decoded + (positions == .original ? 2 : 1)
        decoded += 1
        let embedded = model.embedCodes(Tensor(indices: tokens, shape: [tokens.count, 1]), firstPosition: position)
        return model.predict(model.body(embedded, caches: caches))
    }

    public func reorder(_ parents: [Int]) {
        for cache in caches { cache.reorder(parents) }
    }
}
