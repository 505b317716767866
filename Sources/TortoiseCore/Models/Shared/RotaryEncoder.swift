/// The sizes of a stack of bidirectional transformer layers.
struct RotaryEncoderConfig: Sendable, Equatable {
    var width: Int
    var depth: Int
    var heads: Int
    /// Of the feed-forward part, in widths, before its gate.
    var feedForwardMultiplier: Int
    var dropout: Float = 0
    /// Channels of a head; the original's constant.
    var headWidth = 64
    /// Whether keys have the name of a checkpoint wrapper in them.
    var isWrapped: Bool
}

/// Attention with rotary positions in queries, keys and values. Keys: `to_q`, `to_k`, `to_v`, `to_out`.
private final class RotaryAttention {
    private let query, key, value, output: Linear
    private let config: RotaryEncoderConfig

    init(_ config: RotaryEncoderConfig, at scope: ParameterScope) {
        self.config = config
        let inner = config.heads * config.headWidth
        query = Linear(config.width, inner, bias: false, at: scope["to_q"])
        key = Linear(config.width, inner, bias: false, at: scope["to_k"])
        value = Linear(config.width, inner, bias: false, at: scope["to_v"])
        output = Linear(inner, config.width, at: scope["to_out"])
    }

    func callAsFunction(_ x: Tensor, _ rotation: RotaryPositions, lengths: [Int]?, _ run: RunContext) -> Tensor {
        let parts = [query(x), key(x), value(x)].map { rotation($0.splitHeads(config.heads)) }
        let mask = AttentionMask(keyCounts: lengths, dropout: run.dropout(config.dropout))
        return output(attention(parts[0], parts[1], parts[2], mask).mergedHeads())
    }
}

/// Rotary position embedding (Su et al., "RoFormer", 2021) of the first channels of a head, angles as two equal halves.
struct RotaryPositions {
    private let cosines, sines: Tensor
    private let channels: Int

    /// How many channels of a head are turned.
    private static func channels(headWidth: Int) -> Int { min(headWidth, max(headWidth / 2, 32)) }

    /// - Throws: `InputError.usage` for a width of heads whose turned channels do not come in pairs.
    static func check(headWidth: Int, at place: String) throws {
        guard channels(headWidth: headWidth) % 2 == 0 else {
            throw InputError.usage(
                "rotary positions need an even share of dim_head, found \(headWidth)", at: place,
                try: "choose a multiple of 4")
        }
    }

    init(time: Int, headWidth: Int) {
        let channels = Self.channels(headWidth: headWidth)
        let half = channels / 2
        let exponents = (0..<half).map { Float(-2 * $0) / Float(channels) }
        let frequencies = (Tensor(exponents) * Float(9.210340371976184)).exp  // 10,000^(−2i / channels)
        let angles = Tensor.range(time).reshaped(time, 1) * frequencies.reshaped(1, half)
        let both = concatenated([angles, angles], axis: 1)
        (cosines, sines, self.channels) = (both.cos, both.sin, channels)
    }

    /// Shape: [batch, heads, time, width] → the same
    func callAsFunction(_ x: Tensor) -> Tensor {
        let turned = x.sliced(3, 0..<channels)
        let (a, b) = (turned.sliced(3, 0..<channels / 2), turned.sliced(3, channels / 2..<channels))
        let rotated = turned * cosines + concatenated([b * -1, a], axis: 3) * sines
        return channels == x.size(3) ? rotated : concatenated([rotated, x.sliced(3, channels..<x.size(3))], axis: 3)
    }
}

/// A gated feed-forward part: a · GELU(b). Keys: `net.0.proj`, `net.3`.
private final class GatedFeedForward {
    private let expansion, projection: Linear
    private let dropout: Float

    init(_ config: RotaryEncoderConfig, at scope: ParameterScope) {
        let inner = config.width * config.feedForwardMultiplier
        expansion = Linear(config.width, 2 * inner, at: scope["net"][0]["proj"])
        projection = Linear(inner, config.width, at: scope["net"][3])
        dropout = config.dropout
    }

    func callAsFunction(_ x: Tensor, _ run: RunContext) -> Tensor {
        let halves = expansion(x).chunks(2, axis: 2)
        return projection(run.dropout(halves[0] * halves[1].gelu, dropout))
    }
}

/// The transformer that CLVP and CVVP hear text, codes and mels with.
///
/// Port of `ContinuousTransformerWrapper` around an `Encoder` (`tortoise/models/xtransformers.py`): pre-norm by root mean square,
/// rotary positions, gated feed-forward, layer norm at the end. Keys: `attn_layers.layers.N`, `norm`.
final class RotaryEncoder {
    private let layers:
        [(attentionNorm: RMSNorm, attention: RotaryAttention, forwardNorm: RMSNorm, forward: GatedFeedForward)]
    private let finalNorm: LayerNorm
    private let config: RotaryEncoderConfig

    init(_ config: RotaryEncoderConfig, at scope: ParameterScope) {
        self.config = config
        let list = scope["attn_layers"]["layers"]
        func block(_ index: Int) -> ParameterScope { config.isWrapped ? list[index][1]["wrap"] : list[index][1] }
        layers = (0..<config.depth).map { layer in
            let (first, second) = (2 * layer, 2 * layer + 1)
            return (
                RMSNorm(config.width, key: "g", at: list[first][0][0]), RotaryAttention(config, at: block(first)),
                RMSNorm(config.width, key: "g", at: list[second][0][0]), GatedFeedForward(config, at: block(second))
            )
        }
        finalNorm = LayerNorm(config.width, at: scope["norm"])
    }

    /// Shape: [batch, time, width] → the same
    ///
    /// - Parameter lengths: Real entries of each row; nil when all are.
    func callAsFunction(_ x: Tensor, lengths: [Int]? = nil, _ run: RunContext = .inference) -> Tensor {
        let positions = RotaryPositions(time: x.size(1), headWidth: config.headWidth)
        let output = layers.enumerated().reduce(x) { x, item in
            let (layer, run) = (item.element, run[item.offset])
            let attended = x + layer.attention(layer.attentionNorm(x), positions, lengths: lengths, run["attention"])
            return attended + layer.forward(layer.forwardNorm(attended), run["feed forward"])
        }
        return finalNorm(output)
    }
}

extension Tensor {
    /// The mean over time of the real entries of each row. Shape: [batch, time, width] → [batch, width]
    func meanOverTime(lengths: [Int]?) -> Tensor {
        guard let lengths else { return mean(1) }
        let weights = lengths.flatMap { length in (0..<size(1)).map { $0 < length ? 1 / Float(max(length, 1)) : 0 } }
        return (self * Tensor(weights, shape: [size(0), size(1), 1])).sum(1)
    }

    /// Each row divided by its length. Shape: [batch, width] → the same
    var normalizedRows: Tensor {
        self / squared.sum(1, keepingAxes: true).sqrt.clamped(to: 1e-12...Float.greatestFiniteMagnitude)
    }
}
