/// GPT-2's attention: one projection to queries, keys and values, causal attention, one projection back.
///
/// Keys: `c_attn`, `c_proj` (as linear layers, [outputs, inputs]; GPT-2's files have them transposed).
public final class CausalSelfAttention {
    public let qkv: Linear
    public let projection: Linear
    public let heads: Int
    public let dropout: Float

    public init(
        _ width: Int, heads: Int, dropout: Float = 0, initializer: Initializer = .normal(standardDeviation: 0.02),
        projectionInitializer: Initializer? = nil, at scope: ParameterScope
    ) {
        precondition(width % heads == 0, "attention: \(heads) heads do not divide a width of \(width)")
        qkv = Linear(width, 3 * width, initializer: initializer, biasInitializer: .zeros, at: scope["c_attn"])
        projection = Linear(
            width, width, initializer: projectionInitializer ?? initializer, biasInitializer: .zeros,
            at: scope["c_proj"])
        self.heads = heads
        self.dropout = dropout
    }

    /// All tokens at once. Shape: [batch, time, width] → the same
    public func callAsFunction(_ x: Tensor, _ run: RunContext = .inference) -> Tensor {
        let mask = AttentionMask(causal: true, dropout: run["weights"].dropout(dropout))
        let mixed = packedAttention(qkv(x, run["qkv"]), heads: heads, layout: .timeMajor, mask)
        return run["output"].dropout(projection(mixed, run["projection"]), dropout)
    }

    /// The next tokens after those in a cache, which they join.
    ///
    /// Shape: [batch, time, width] → the same; the first call may have batch size 1 and many tokens, later calls one.
    public func callAsFunction(_ x: Tensor, cache: KVCache) -> Tensor {
        let width = qkv.outputs / 3
        let parts = qkv(x).chunks(3, axis: 2).map { $0.splitHeads(heads) }
        cache.append(parts[1], parts[2])
        if x.size(1) == 1 {
            return projection(cache.attend(parts[0]).reshaped(x.size(0), 1, width))
        }
        let past = cache.contents
        let seen = x.size(0) == cache.batch ? past : (past.keys.sliced(0, 0..<1), past.values.sliced(0, 0..<1))
        return projection(attention(parts[0], seen.0, seen.1, .causal).mergedHeads())
    }
}
