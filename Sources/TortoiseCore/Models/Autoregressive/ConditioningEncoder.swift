/// Turns a clip of a voice into one vector.
///
/// Port of `ConditioningEncoder` (`tortoise/models/autoregressive.py`). Keys: `init`, `attn.N`.
final class ConditioningEncoder {
    private let initial: Conv1d
    private let blocks: [AttentionBlock]

    init(_ config: AutoregressiveConfig, at scope: ParameterScope) {
        initial = Conv1d(config.melChannels, config.width, taps: 1, at: scope["init"])
        blocks = (0..<config.conditioningLayers).map {
            AttentionBlock(config.width, heads: config.heads, at: scope["attn"][$0])
        }
    }

    /// What the first frame has gathered. Shape: [batch, bands, time] → [batch, width]
    func callAsFunction(_ mel: Tensor) -> Tensor {
        blocks.reduce(initial(mel)) { $1($0) }.select(2, 0)
    }
}
