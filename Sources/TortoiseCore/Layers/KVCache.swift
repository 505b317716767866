/// The keys and values of the tokens decoded so far, in memory that is taken once.
///
/// Layout: [batch, heads, capacity, width]; entries of the batch are candidates or beams that grow together.
public final class KVCache {
    /// Tokens that are in.
    public private(set) var length = 0
    /// Tokens that there is room for.
    public let capacity: Int
    public let batch, heads, width: Int
    private var keys: Tensor
    private var values: Tensor

    public init(batch: Int, heads: Int, width: Int, capacity: Int) {
        (self.batch, self.heads, self.width, self.capacity) = (batch, heads, width, capacity)
        keys = Tensor(uninitialized: [batch, heads, capacity, width])
        values = Tensor(uninitialized: [batch, heads, capacity, width])
    }

    /// Adds tokens.
    ///
    /// - Parameters:
    ///   - k: [batch, heads, tokens, width]; with batch size 1 every entry gets the same: a prompt shared by candidates.
    ///   - v: Likewise.
    /// - Precondition: there is room, and the shapes agree.
    public func append(_ k: Tensor, _ v: Tensor) {
        let tokens = k.size(2)
        precondition(
            k.shape == v.shape && (k.size(0) == batch || k.size(0) == 1) && k.size(1) == heads && k.size(3) == width,
            "KV cache of batch \(batch), \(heads) heads of \(width): keys \(k.shape), values \(v.shape)")
        precondition(length + tokens <= capacity, "KV cache: \(length) + \(tokens) tokens do not fit \(capacity)")
        let shape = [batch, heads, tokens, width]
        keys.viewSliced(axis: 2, from: length, count: tokens).storeValues(of: k.detached.viewExpanded(shape))
        values.viewSliced(axis: 2, from: length, count: tokens).storeValues(of: v.detached.viewExpanded(shape))
        length += tokens
    }

    /// Attention of one new token per batch entry over everything in the cache.
    ///
    /// A candidate's result is the same bits whatever the other candidates are.
    /// - Parameter q: [batch, heads, 1, width]
    /// - Returns: [batch, heads, 1, width]
    public func attend(_ q: Tensor, scale: Float? = nil) -> Tensor {
        precondition(q.shape == [batch, heads, 1, width], "KV cache: a query of \(q.shape), expected \([batch, heads, 1, width])")
        precondition(length > 0, "KV cache: nothing to attend to")
        let query = q.contiguousValues
        let result = Tensor(uninitialized: q.shape)
        withFloats(result, query, keys, values) { y, q, keys, values in
            Kernel.attendOne(
                y, q: q, keys: keys, values: values, pairs: batch * heads, pairStride: capacity * width, length: length,
                width: width, scale: scale ?? 1 / Float(width).squareRoot())
        }
        return result
    }

    /// The keys and values so far: [batch, heads, length, width].
    public var contents: (keys: Tensor, values: Tensor) {
        (keys.viewSliced(axis: 2, from: 0, count: length), values.viewSliced(axis: 2, from: 0, count: length))
    }

    /// Makes entry i of the batch continue entry `parents[i]`: what beam search does after each step.
    ///
    /// - Precondition: there is a parent for every entry.
    public func reorder(_ parents: [Int]) {
        precondition(
            parents.count == batch && parents.allSatisfy { (0..<batch).contains($0) },
            "KV cache of batch \(batch): parents \(parents)")
        guard parents != Array(0..<batch), length > 0 else { return }
        for cache in [keys, values] {
            let used = cache.viewSliced(axis: 2, from: 0, count: length)
            let moved = concatenated(parents.map { used.viewSliced(axis: 0, from: $0, count: 1) }, axis: 0)
            used.storeValues(of: moved)
        }
    }

    /// Forgets all tokens but the first `count`.
    public func truncate(to count: Int) {
        precondition((0...length).contains(count), "KV cache: \(count) of \(length) tokens")
        length = count
    }
}
