/// The keys and values of the tokens decoded so far, in memory that is taken once.
///
/// Layout: [batch, heads, capacity, width]; entries of the batch are candidates or beams that grow together.
public final class KVCache {
    /// Tokens that are in.
    public private(set) var length = 0
    /// Tokens that there is room for.
    public let capacity: Int
    /// Entries of the batch; `reorder` may leave fewer.
    public private(set) var batch: Int
    public let heads, width: Int
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
        for (cache, new) in [(keys, k), (values, v)] {
            entries(of: cache).viewSliced(axis: 2, from: length, count: tokens)
                .storeValues(of: new.detached.viewExpanded(shape))
        }
        length += tokens
    }

    /// Attention of one new token per batch entry over everything in the cache.
    ///
    /// A candidate's result is the same bits whatever the other candidates are.
    /// - Parameter q: [batch, heads, 1, width]
    /// - Returns: [batch, heads, 1, width]
    public func attend(_ q: Tensor, scale: Float? = nil) -> Tensor {
        precondition(
            q.shape == [batch, heads, 1, width], "KV cache: a query of \(q.shape), expected \([batch, heads, 1, width])"
        )
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
        (
            entries(of: keys).viewSliced(axis: 2, from: 0, count: length),
            entries(of: values).viewSliced(axis: 2, from: 0, count: length)
        )
    }

    /// The part of the memory that the batch uses.
    private func entries(of cache: Tensor) -> Tensor { cache.viewSliced(axis: 0, from: 0, count: batch) }

    /// Makes entry i of the batch continue entry `parents[i]`: what beam search does after each step.
    ///
    /// Fewer parents than entries make the batch smaller, so that finished candidates cost nothing.
    /// - Precondition: parents are entries, at least one and no more than there are.
    public func reorder(_ parents: [Int]) {
        precondition(
            (1...batch).contains(parents.count) && parents.allSatisfy { (0..<batch).contains($0) },
            "KV cache of batch \(batch): parents \(parents)")
        let moved = parents.indices.filter { parents[$0] != $0 }
        if !moved.isEmpty, length > 0 {
            for used in [contents.keys, contents.values] {
                let taken = concatenated(moved.map { used.viewSliced(axis: 0, from: parents[$0], count: 1) }, axis: 0)
                for (position, entry) in moved.enumerated() {
                    used.viewSliced(axis: 0, from: entry, count: 1)
                        .storeValues(of: taken.viewSliced(axis: 0, from: position, count: 1))
                }
            }
        }
        batch = parents.count
    }

    /// Forgets all tokens but the first `count`.
    public func truncate(to count: Int) {
        precondition((0...length).contains(count), "KV cache: \(count) of \(length) tokens")
        length = count
    }
}
