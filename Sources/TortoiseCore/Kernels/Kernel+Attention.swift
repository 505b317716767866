import CKernels

/// One of the operands of attention, seen as [batch, heads, time, width].
///
/// Either the width or the time axis must have stride 1: both time-major and channel-major projections are read in place.
struct AttentionOperand {
    let base: Floats
    let batchStride, headStride, timeStride, widthStride: Int

    /// The matrix [time, width] of one head.
    func matrix(batch: Int, head: Int, width: Int) -> MatrixOperand {
        let start = base + batch * batchStride + head * headStride
        // Where there is one moment both strides are 1, and BLAS wants rows that do not overlap.
        return widthStride == 1
            ? MatrixOperand(base: start, stride: max(timeStride, width), isTransposed: false)
            : MatrixOperand(base: start, stride: widthStride, isTransposed: true)
    }

    func position(batch: Int, head: Int, time: Int) -> Floats {
        base + batch * batchStride + head * headStride + time * timeStride
    }
}

/// What is added to the scores of an attention, and where a score finds it.
///
/// Either a table [batch or 1, heads or 1, queries, keys], or a row [heads or 1, queries + keys − 1] by the distance of
/// key and query, which queries read one element further to the left each.
struct AttentionBias {
    var base: UnsafePointer<Float>?
    var batchStride = 0
    var headStride = 0
    /// From one query to the next.
    var queryStride = 0
    /// Where the first query has its first key.
    var start = 0
    /// Of one head.
    var count = 0

    func position(query: Int, key: Int) -> Int { start + query * queryStride + key }
}

/// Sizes and masks of an attention.
struct AttentionPlan {
    let batch, heads, queries, keys, width: Int
    let scale: Float
    /// Query i sees the keys up to i + keys − queries.
    let isCausal: Bool
    var bias = AttentionBias()
    /// [batch, keys]; keys with 0 are not seen.
    var keyMask: UnsafePointer<UInt8>?
    /// Of the weights, by batch entry, head, query and key.
    var dropout: Dropout?

    /// Tiles are this large: the scores of one tile stay within the second-level cache.
    static let queryTile = 64
    static let keyTile = 256

    var queryTiles: Int { (queries + Self.queryTile - 1) / Self.queryTile }

    func queryRange(_ tile: Int) -> Range<Int> { tile * Self.queryTile..<min(queries, (tile + 1) * Self.queryTile) }

    /// The tiles of keys that any query of a range sees.
    func keyTiles(for queryRange: Range<Int>) -> [Range<Int>] {
        let visible = isCausal ? min(keys, queryRange.upperBound + keys - queries) : keys
        return stride(from: 0, to: max(visible, 0), by: Self.keyTile).map { $0..<min(visible, $0 + Self.keyTile) }
    }

    /// For each query the number of keys of a tile that it sees; nothing when all see all of it.
    func limits(_ queryRange: Range<Int>, _ keyRange: Range<Int>) -> [Int32]? {
        guard isCausal, keyRange.upperBound > queryRange.lowerBound + keys - queries + 1 else { return nil }
        return queryRange.map { Int32(max(0, min(keyRange.count, $0 + keys - queries + 1 - keyRange.lowerBound))) }
    }

    func biasTile(batch: Int, head: Int, _ queryRange: Range<Int>, _ keyRange: Range<Int>) -> UnsafePointer<Float>? {
        bias.base.map {
            $0 + batch * bias.batchStride + head * bias.headStride
                + bias.position(query: queryRange.lowerBound, key: keyRange.lowerBound)
        }
    }

    func maskTile(batch: Int, _ keyRange: Range<Int>) -> UnsafePointer<UInt8>? {
        keyMask.map { $0 + batch * keys + keyRange.lowerBound }
    }
}

extension Kernel {
    /// Exact attention by tiles with a running softmax; memory grows with the length, not its square.
    ///
    /// Dao et al., "FlashAttention", 2022. Writes the output and the logarithm of each softmax's denominator
    /// [batch, heads, queries], from which the gradient computes the weights again.
    static func attend(
        _ plan: AttentionPlan, q: AttentionOperand, k: AttentionOperand, v: AttentionOperand, output: AttentionOperand,
        logSumExp: Floats
    ) {
        let items = plan.batch * plan.heads * plan.queryTiles
        let execution = Execution.current
        execution.pool.forEachChunk(items, grain: 1) { range in
            let tile = AttentionTile(plan, execution.table)
            for item in range {
                let (pair, index) = (item / plan.queryTiles, item % plan.queryTiles)
                let (batch, head) = (pair / plan.heads, pair % plan.heads)
                tile.attend(
                    batch: batch, head: head, plan.queryRange(index), q: q, k: k, v: v, output: output,
                    logSumExp: logSumExp + pair * plan.queries)
            }
        }
    }

    /// The gradients of `attend`; that of the bias (if wanted) has its layout for one batch entry, summed over the batch.
    static func attendGradient(
        _ plan: AttentionPlan, q: AttentionOperand, k: AttentionOperand, v: AttentionOperand, output: AttentionOperand,
        logSumExp: UnsafePointer<Float>, dOutput: AttentionOperand, dq: AttentionOperand, dk: AttentionOperand,
        dv: AttentionOperand, dBias: Floats?
    ) {
        let execution = Execution.current
        func gradient(batch: Int, head: Int, _ tile: AttentionTile, dBias: Floats?) {
            tile.gradient(
                batch: batch, head: head, q: q, k: k, v: v, output: output,
                logSumExp: logSumExp + (batch * plan.heads + head) * plan.queries, dOutput: dOutput, dq: dq, dk: dk,
                dv: dv, dBias: dBias)
        }
        guard let dBias else {
            execution.pool.forEachChunk(plan.batch * plan.heads, grain: 1) { range in
                let tile = AttentionTile(plan, execution.table)
                for pair in range { gradient(batch: pair / plan.heads, head: pair % plan.heads, tile, dBias: nil) }
            }
            return
        }
        // Sums over the batch (and over heads that share a bias) stay within one thread, in order.
        let biases = plan.bias.headStride == 0 ? 1 : plan.heads
        execution.pool.forEachChunk(biases, grain: 1) { range in
            let tile = AttentionTile(plan, execution.table)
            for i in range {
                for batch in 0..<plan.batch {
                    for head in biases == 1 ? 0..<plan.heads : i..<i + 1 {
                        gradient(batch: batch, head: head, tile, dBias: dBias + i * plan.bias.count)
                    }
                }
            }
        }
    }

    /// One new query per head against a cache: y [pairs, width].
    ///
    /// - Parameters:
    ///   - pairs: Batch entries times heads.
    ///   - pairStride: Elements of the cache from one pair to the next.
    ///   - length: Keys in the cache.
    static func attendOne(
        _ y: Floats, q: UnsafePointer<Float>, keys: UnsafePointer<Float>, values: UnsafePointer<Float>, pairs: Int,
        pairStride: Int, length: Int, width: Int, scale: Float
    ) {
        let execution = Execution.current
        let grain = max(1, memoryGrain / max(1, length * width))
        execution.pool.forEachChunk(pairs, grain: grain) { range in
            let scores = Scratch(count: length)
            for pair in range {
                execution.table.attend_one(
                    y + pair * width, q + pair * width, keys + pair * pairStride, width, values + pair * pairStride,
                    width,
                    length, width, scale, nil, scores.base)
            }
            withExtendedLifetime(scores) {}
        }
    }
}
