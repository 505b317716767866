import Testing

@testable import TortoiseCore

/// Attention by tiles against the plain formula, forward and gradients.
@Suite struct AttentionTests {
    struct Shape: Sendable, CustomTestStringConvertible {
        let batch, heads, queries, keys, width: Int
        var testDescription: String { "\(batch)x\(heads) \(queries)/\(keys) of \(width)" }
    }

    static let shapes = [
        Shape(batch: 1, heads: 1, queries: 1, keys: 1, width: 4),
        Shape(batch: 2, heads: 3, queries: 5, keys: 5, width: 8),
        Shape(batch: 1, heads: 2, queries: 70, keys: 300, width: 16),
        Shape(batch: 2, heads: 2, queries: 130, keys: 130, width: 32),
        Shape(batch: 1, heads: 1, queries: 65, keys: 520, width: 64),
    ]

    enum Kind: String, CaseIterable, Sendable {
        case plain, causal, bias, sharedBias, relative, sharedRelative, causalRelative, padded, everything

        var isCausal: Bool { [.causal, .causalRelative, .everything].contains(self) }
        var isRelative: Bool { [.relative, .sharedRelative, .causalRelative].contains(self) }
        var sharesBias: Bool { [.sharedBias, .sharedRelative].contains(self) }
    }

    private func random(_ shape: [Int], _ name: String) -> Tensor {
        Tensor(RandomSource(seed: 3)[name].stream.normals(shape.product), shape: shape)
    }

    /// The formula itself, with masks as very negative scores.
    private func reference(_ q: Tensor, _ k: Tensor, _ v: Tensor, _ mask: AttentionMask, _ scale: Float) -> Tensor {
        var scores = q.matmul(k.transposed()) * scale
        let (batch, queries, keys) = (q.size(0), q.size(2), k.size(2))
        if let bias = mask.bias { scores = scores + bias }
        if let bias = mask.relativeBias {
            // The row that each query sees, from the distance of the first key on.
            let rows = (0..<queries).map { bias.sliced(1, queries - 1 - $0..<queries - 1 - $0 + keys) }
            scores = scores + stacked(rows, axis: 1).unsqueezed(0)
        }
        var hidden = [Float](repeating: 0, count: batch * queries * keys)
        for b in 0..<batch {
            for i in 0..<queries {
                for j in 0..<keys {
                    let isPast = !mask.isCausal || j <= i + keys - queries
                    let isReal = mask.keyCounts.map { j < $0[b] } ?? true
                    hidden[(b * queries + i) * keys + j] = isPast && isReal ? 0 : -1e30
                }
            }
        }
        scores = scores + Tensor(hidden, shape: [batch, 1, queries, keys])
        return scores.softmax().matmul(v)
    }

    @Test(arguments: shapes, Kind.allCases)
    func matchesTheFormula(_ s: Shape, _ kind: Kind) {
        let q = random([s.batch, s.queries, s.heads, s.width], "q").tracked()
        let k = random([s.batch, s.keys, s.heads, s.width], "k").tracked()
        let v = random([s.batch, s.keys, s.heads, s.width], "v").tracked()
        let shared = kind.sharesBias ? 1 : s.heads
        let bias = random(
            kind.isRelative ? [shared, s.queries + s.keys - 1] : [1, shared, s.queries, s.keys], "bias"
        ).tracked()
        var mask = AttentionMask()
        mask.isCausal = kind.isCausal
        if [.bias, .sharedBias, .everything].contains(kind) { mask.bias = bias }
        if kind.isRelative { mask.relativeBias = bias }
        if kind == .padded || kind == .everything { mask.keyCounts = (0..<s.batch).map { max(1, s.keys - 3 * $0 - 1) } }
        let upstream = random([s.batch, s.heads, s.queries, s.width], "g")

        func split(_ x: Tensor) -> Tensor { x.permuted(0, 2, 1, 3) }
        let expected = reference(split(q), split(k), split(v), mask, 0.3)
        let expectedGradients = (expected * upstream).sum.gradients()
        for set in InstructionSet.allCases where set.isAvailable {
            for threads in [1, 2] {
                Execution.with(instructionSet: set, threads: threads) {
                    let found = attention(split(q), split(k), split(v), mask, scale: 0.3)
                    expectClose(found, expected, 2e-5, "output \(set) \(threads)")
                    let gradients = (found * upstream).sum.gradients()
                    for (name, leaf) in [("q", q), ("k", k), ("v", v)]
                        + (mask.bias == nil && mask.relativeBias == nil ? [] : [("bias", bias)])
                    {
                        guard let a = gradients[leaf], let b = expectedGradients[leaf] else {
                            Issue.record("no gradient of \(name)")
                            continue
                        }
                        expectClose(a, b, 1e-4, "gradient of \(name) \(set) \(threads)")
                    }
                }
            }
        }
    }

    @Test(arguments: [PackedAttentionLayout.timeMajor, .channelMajor])
    func packedEqualsSeparate(_ layout: PackedAttentionLayout) throws {
        let (batch, heads, time, width) = (2, 3, 37, 8)
        let channels = 3 * heads * width
        let qkv = random(layout == .timeMajor ? [batch, time, channels] : [batch, channels, time], "qkv").tracked()
        let views =
            switch layout {
            case .timeMajor: qkv.chunks(3, axis: 2).map { $0.splitHeads(heads) }
            case .channelMajor:
                qkv.reshaped(batch, heads, 3 * width, time).chunks(3, axis: 2).map { $0.permuted(0, 1, 3, 2) }
            }
        let separate = attention(views[0], views[1], views[2], .causal)
        let merged =
            layout == .timeMajor
            ? separate.mergedHeads() : separate.permuted(0, 1, 3, 2).reshaped(batch, heads * width, time)
        let packed = packedAttention(qkv, heads: heads, layout: layout, .causal)
        let untracked = packedAttention(qkv.detached, heads: heads, layout: layout, .causal)
        expectClose(packed, merged, 1e-6, "packed")
        expectClose(untracked, merged, 1e-6, "packed, untracked")
        let upstream = random(packed.shape, "g")
        let a = try #require((packed * upstream).sum.gradients()[qkv])
        let b = try #require((merged * upstream).sum.gradients()[qkv])
        expectClose(a, b, 1e-5, "gradient")
    }

    /// With dropout the output is the formula with the weights that the stream keeps.
    @Test func dropsWeights() throws {
        let (queries, keys, width) = (70, 300, 8)
        let (q, k) = (random([1, 1, queries, width], "q").tracked(), random([1, 1, keys, width], "k").tracked())
        let v = random([1, 1, keys, width], "v").tracked()
        let stream = RandomSource(seed: 5)["dropout"].stream
        let dropped = attention(q, k, v, AttentionMask(dropout: Dropout(0.3, stream)))
        let weights = (q.matmul(k.transposed()) * (1 / Float(width).squareRoot())).softmax()
        let expected = weights.dropout(0.3, stream).matmul(v)
        expectClose(dropped, expected, 1e-5, "output")
        let upstream = random(dropped.shape, "g")
        let a = (dropped * upstream).sum.gradients()
        let b = (expected * upstream).sum.gradients()
        for leaf in [q, k, v] { expectClose(try #require(a[leaf]), try #require(b[leaf]), 1e-4, "gradient") }
    }

    @Test func aQueryThatSeesNothingGivesZero() {
        let (q, k) = (random([1, 1, 2, 4], "q").tracked(), random([1, 1, 3, 4], "k").tracked())
        let y = attention(q, k, k, AttentionMask(keyCounts: [0]))
        #expect(y.values.allSatisfy { $0 == 0 })
        let gradients = y.sum.gradients()
        #expect(gradients[q]?.values.allSatisfy { $0 == 0 } == true)
    }

    /// Decoding through the cache equals attention over everything at once, and beams can be exchanged.
    @Test func cacheEqualsWholeSequence() {
        let (batch, heads, time, width) = (3, 2, 9, 8)
        let q = random([batch, heads, time, width], "q"), k = random([batch, heads, time, width], "k")
        let v = random([batch, heads, time, width], "v")
        let whole = attention(q, k, v, .causal)
        let cache = KVCache(batch: batch, heads: heads, width: width, capacity: time)
        for t in 0..<time {
            let step = { (x: Tensor) in x.sliced(2, t..<t + 1) }
            cache.append(step(k), step(v))
            expectClose(cache.attend(step(q)), step(whole), 1e-5, "step \(t)")
        }
        let before = cache.contents.keys.values
        cache.reorder([2, 0, 0])
        let moved = cache.contents.keys
        expectClose(moved.sliced(0, 0..<1), Tensor(before, shape: k.shape).sliced(0, 2..<3), 0, "reordered")
        cache.truncate(to: 4)
        #expect(cache.length == 4)
    }
}
