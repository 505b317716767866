/// The sizes of a GPT-2 stack.
public struct GPT2Config: Sendable, Equatable {
    public var layers: Int
    public var width: Int
    public var heads: Int
    /// Of embeddings, attention weights and residual branches, while training.
    public var dropout: Float

    public init(layers: Int, width: Int, heads: Int, dropout: Float = 0.1) {
        (self.layers, self.width, self.heads, self.dropout) = (layers, width, heads, dropout)
    }
}

/// GPT-2's feed-forward part: four times the width, GELU by tanh, and back. Keys: `c_fc`, `c_proj`.
final class GPT2MLP {
    let expansion, projection: Linear
    private let dropout: Float

    init(_ config: GPT2Config, at scope: ParameterScope) {
        let (width, initializer) = (config.width, GPT2Block.initializer)
        expansion = Linear(width, 4 * width, initializer: initializer, biasInitializer: .zeros, at: scope["c_fc"])
        projection = Linear(
            4 * width, width, initializer: GPT2Block.residualInitializer(config), biasInitializer: .zeros,
            at: scope["c_proj"])
        dropout = config.dropout
    }

    func callAsFunction(_ x: Tensor, _ run: RunContext) -> Tensor {
        run.dropout(projection(expansion(x, run["c_fc"]).geluTanh, run["c_proj"]), dropout)
    }
}

/// One pre-norm block of GPT-2. Keys: `ln_1`, `attn`, `ln_2`, `mlp`.
final class GPT2Block {
    private let attentionNorm: LayerNorm
    private let attention: CausalSelfAttention
    private let mlpNorm: LayerNorm
    private let mlp: GPT2MLP

    static let initializer = Initializer.normal(standardDeviation: 0.02)

    /// Projections into the residual stream start smaller the more of them there are (GPT-2's scheme).
    static func residualInitializer(_ config: GPT2Config) -> Initializer {
        .normal(standardDeviation: 0.02 / Float(2 * config.layers).squareRoot())
    }

    init(_ config: GPT2Config, at scope: ParameterScope) {
        attentionNorm = LayerNorm(config.width, at: scope["ln_1"])
        attention = CausalSelfAttention(
            config.width, heads: config.heads, dropout: config.dropout, initializer: Self.initializer,
            projectionInitializer: Self.residualInitializer(config), at: scope["attn"])
        mlpNorm = LayerNorm(config.width, at: scope["ln_2"])
        mlp = GPT2MLP(config, at: scope["mlp"])
    }

    /// The matrices that adapters attach to, by their keys.
    var projections: [(key: String, projection: Linear)] {
        [
            ("attn.c_attn", attention.qkv), ("attn.c_proj", attention.projection), ("mlp.c_fc", mlp.expansion),
            ("mlp.c_proj", mlp.projection),
        ]
    }

    func callAsFunction(_ x: Tensor, _ run: RunContext) -> Tensor {
        let attended = x + attention(attentionNorm(x), run["attn"])
        return attended + mlp(mlpNorm(attended), run["mlp"])
    }

    func callAsFunction(_ x: Tensor, cache: KVCache) -> Tensor {
        let attended = x + attention(attentionNorm(x), cache: cache)
        return attended + mlp(mlpNorm(attended), .inference)
    }
}

/// The stack of a GPT-2 without its embeddings, as TorToiSe's autoregressive model uses it.
///
/// Port of `transformers`' GPT2Model with inputs_embeds and null position embeddings. Keys: `h.N`, `ln_f`.
public final class GPT2Body {
    public let config: GPT2Config
    let blocks: [GPT2Block]
    private let finalNorm: LayerNorm

    /// Whether blocks are computed twice instead of keeping their activations, while gradients are recorded.
    public var checkpointsActivations = false

    public init(_ config: GPT2Config, at scope: ParameterScope) {
        self.config = config
        blocks = (0..<config.layers).map { GPT2Block(config, at: scope["h"][$0]) }
        finalNorm = LayerNorm(config.width, at: scope["ln_f"])
    }

    /// Embedded tokens to hidden states. Shape: [batch, time, width] → the same
    public func callAsFunction(_ embedded: Tensor, _ run: RunContext = .inference) -> Tensor {
        var x = run["embeddings"].dropout(embedded, config.dropout)
        for (index, block) in blocks.enumerated() {
            let (input, context) = (x, run[index])
            x = checkpointsActivations ? checkpoint { block(input, context) } : block(input, context)
        }
        return finalNorm(x)
    }

    /// The next tokens after those in the caches, one cache per layer.
    ///
    /// Shape: [batch, time, width] → the same
    public func callAsFunction(_ embedded: Tensor, caches: [KVCache]) -> Tensor {
        precondition(caches.count == blocks.count, "GPT-2: \(caches.count) caches for \(blocks.count) layers")
        return finalNorm(zip(blocks, caches).reduce(embedded) { x, layer in layer.0(x, cache: layer.1) })
    }

    /// Empty caches for `batch` candidates of up to `capacity` tokens.
    public func makeCaches(batch: Int, capacity: Int) -> [KVCache] {
        blocks.map { _ in
            KVCache(batch: batch, heads: config.heads, width: config.width / config.heads, capacity: capacity)
        }
    }
}
