import CKernels
import Foundation

/// The working memory of one thread of attention, and the steps over one tile.
final class AttentionTile {
    private let plan: AttentionPlan
    private let table: tk_table
    private let scores, dropped, scoreGradient, accumulator, maximum, sum, correction: Scratch

    init(_ plan: AttentionPlan, _ table: tk_table) {
        self.plan = plan
        self.table = table
        scores = Scratch(count: AttentionPlan.queryTile * AttentionPlan.keyTile)
        dropped = Scratch(count: plan.dropout == nil ? 0 : AttentionPlan.queryTile * AttentionPlan.keyTile)
        scoreGradient = Scratch(count: AttentionPlan.queryTile * AttentionPlan.keyTile)
        accumulator = Scratch(count: AttentionPlan.queryTile * plan.width)
        maximum = Scratch(count: AttentionPlan.queryTile)
        sum = Scratch(count: AttentionPlan.queryTile)
        correction = Scratch(count: AttentionPlan.queryTile)
    }

    // MARK: - Forward

    func attend(
        batch: Int, head: Int, _ queryRange: Range<Int>, q: AttentionOperand, k: AttentionOperand, v: AttentionOperand,
        output: AttentionOperand, logSumExp: Floats
    ) {
        let (rows, width) = (queryRange.count, plan.width)
        maximum.base.update(repeating: -.infinity, count: rows)
        sum.base.update(repeating: 0, count: rows)
        accumulator.base.update(repeating: 0, count: rows * width)
        let queries = q.matrix(batch: batch, head: head, width: plan.width).offset(
            rows: queryRange.lowerBound, columns: 0)
        for (index, keyRange) in plan.keyTiles(for: queryRange).enumerated() {
            computeScores(queries, k.matrix(batch: batch, head: head, width: plan.width), rows: rows, keyRange)
            withLimits(queryRange, keyRange) { limits in
                table.online_softmax_rows(
                    scores.base, keyRange.count, rows, keyRange.count, plan.scale,
                    plan.biasTile(batch: batch, head: head, queryRange, keyRange), plan.bias.queryStride, limits,
                    plan.maskTile(batch: batch, keyRange), maximum.base, sum.base, correction.base)
            }
            let weights = afterDropout(scores, batch: batch, head: head, queryRange, keyRange)
            if index > 0 { table.scale_rows(accumulator.base, width, rows, width, correction.base) }
            BLAS.multiplySerially(
                m: rows, n: width, k: keyRange.count, a: dense(weights, keyRange.count),
                b: v.matrix(batch: batch, head: head, width: plan.width).offset(rows: keyRange.lowerBound, columns: 0),
                beta: 1,
                c: accumulator.base, cStride: width)
        }
        for row in 0..<rows {
            let total = sum.base[row]
            // A query that sees no key has output 0, and a denominator that makes every weight 0 in the gradient.
            correction.base[row] = total > 0 ? 1 / total : 0
            logSumExp[queryRange.lowerBound + row] = total > 0 ? maximum.base[row] + log(total) : .infinity
        }
        table.scale_rows(accumulator.base, width, rows, width, correction.base)
        store(accumulator.base, rows: rows, to: output, batch: batch, head: head, time: queryRange.lowerBound)
    }

    // MARK: - Gradient

    func gradient(
        batch: Int, head: Int, q: AttentionOperand, k: AttentionOperand, v: AttentionOperand, output: AttentionOperand,
        logSumExp: UnsafePointer<Float>, dOutput: AttentionOperand, dq: AttentionOperand, dk: AttentionOperand,
        dv: AttentionOperand, dBias: Floats?
    ) {
        let (width, keys) = (plan.width, plan.keys)
        let dKeys = Scratch(count: keys * width)
        let dValues = Scratch(count: keys * width)
        dKeys.base.update(repeating: 0, count: keys * width)
        dValues.base.update(repeating: 0, count: keys * width)
        let (keyMatrix, valueMatrix) = (
            k.matrix(batch: batch, head: head, width: plan.width), v.matrix(batch: batch, head: head, width: plan.width)
        )
        for tile in 0..<plan.queryTiles {
            let queryRange = plan.queryRange(tile)
            let rows = queryRange.count
            let queries = q.matrix(batch: batch, head: head, width: plan.width).offset(
                rows: queryRange.lowerBound, columns: 0)
            let gradients = dOutput.matrix(batch: batch, head: head, width: plan.width).offset(
                rows: queryRange.lowerBound, columns: 0)
            computeDelta(batch: batch, head: head, queryRange, output: output, dOutput: dOutput)
            accumulator.base.update(repeating: 0, count: rows * width)
            for keyRange in plan.keyTiles(for: queryRange) {
                let columns = keyRange.count
                computeScores(queries, keyMatrix, rows: rows, keyRange)
                withLimits(queryRange, keyRange) { limits in
                    table.attention_weights_rows(
                        scores.base, columns, rows, columns, plan.scale,
                        plan.biasTile(batch: batch, head: head, queryRange, keyRange), plan.bias.queryStride, limits,
                        plan.maskTile(batch: batch, keyRange), logSumExp + queryRange.lowerBound)
                }
                // dV += Pᵀ dO, with the weights that were really applied
                let weights = afterDropout(scores, batch: batch, head: head, queryRange, keyRange)
                BLAS.multiplySerially(
                    m: columns, n: width, k: rows, a: dense(weights, columns, transposed: true), b: gradients, beta: 1,
                    c: dValues.base + keyRange.lowerBound * width, cStride: width)
                // dP = dO Vᵀ, then dS = P (dP − Σ dO O)
                BLAS.multiplySerially(
                    m: rows, n: columns, k: width, a: gradients,
                    b: valueMatrix.offset(rows: keyRange.lowerBound, columns: 0).transposed, c: scoreGradient.base,
                    cStride: columns)
                drop(scoreGradient, into: scoreGradient, batch: batch, head: head, queryRange, keyRange)
                table.attention_score_gradient_rows(
                    scoreGradient.base, columns, scores.base, columns, rows, columns, correction.base)
                if let dBias { addBiasGradient(dBias, rows: rows, queryRange, keyRange) }
                // dQ += scale dS K, dK += scale dSᵀ Q
                BLAS.multiplySerially(
                    m: rows, n: width, k: columns, alpha: plan.scale, a: dense(scoreGradient, columns),
                    b: keyMatrix.offset(rows: keyRange.lowerBound, columns: 0), beta: 1, c: accumulator.base,
                    cStride: width)
                BLAS.multiplySerially(
                    m: columns, n: width, k: rows, alpha: plan.scale,
                    a: dense(scoreGradient, columns, transposed: true),
                    b: queries, beta: 1, c: dKeys.base + keyRange.lowerBound * width, cStride: width)
            }
            store(accumulator.base, rows: rows, to: dq, batch: batch, head: head, time: queryRange.lowerBound)
        }
        store(dKeys.base, rows: keys, to: dk, batch: batch, head: head, time: 0)
        store(dValues.base, rows: keys, to: dv, batch: batch, head: head, time: 0)
        withExtendedLifetime((dKeys, dValues)) {}
    }

    /// Σ dO O for each query, into `correction`.
    private func computeDelta(
        batch: Int, head: Int, _ queryRange: Range<Int>, output: AttentionOperand, dOutput: AttentionOperand
    ) {
        for (row, time) in queryRange.enumerated() {
            let o = output.position(batch: batch, head: head, time: time)
            let g = dOutput.position(batch: batch, head: head, time: time)
            if output.widthStride == 1, dOutput.widthStride == 1 {
                correction.base[row] = Float(table.dot(o, g, plan.width))
            } else {
                var total = 0.0
                for column in 0..<plan.width {
                    total += Double(o[column * output.widthStride]) * Double(g[column * dOutput.widthStride])
                }
                correction.base[row] = Float(total)
            }
        }
    }

    /// The weights of a tile after dropout; the tile itself where there is none.
    private func afterDropout(
        _ weights: Scratch, batch: Int, head: Int, _ queryRange: Range<Int>, _ keyRange: Range<Int>
    ) -> Scratch {
        guard plan.dropout != nil else { return weights }
        drop(weights, into: dropped, batch: batch, head: head, queryRange, keyRange)
        return dropped
    }

    private func drop(
        _ source: Scratch, into target: Scratch, batch: Int, head: Int, _ queryRange: Range<Int>, _ keyRange: Range<Int>
    ) {
        guard let dropout = plan.dropout else { return }
        let columns = keyRange.count
        for (row, query) in queryRange.enumerated() {
            let first = ((batch * plan.heads + head) * plan.queries + query) * plan.keys + keyRange.lowerBound
            table.dropout(
                target.base + row * columns, source.base + row * columns, columns, dropout.stream.key,
                dropout.stream.counter, UInt64(first), dropout.threshold, dropout.scale)
        }
    }

    private func addBiasGradient(_ dBias: Floats, rows: Int, _ queryRange: Range<Int>, _ keyRange: Range<Int>) {
        for row in 0..<rows {
            let target = dBias + plan.bias.position(query: queryRange.lowerBound + row, key: keyRange.lowerBound)
            table.accumulate(target, scoreGradient.base + row * keyRange.count, keyRange.count, 1)
        }
    }

    // MARK: - Steps

    private func computeScores(_ queries: MatrixOperand, _ keys: MatrixOperand, rows: Int, _ keyRange: Range<Int>) {
        BLAS.multiplySerially(
            m: rows, n: keyRange.count, k: plan.width, a: queries,
            b: keys.offset(rows: keyRange.lowerBound, columns: 0).transposed, c: scores.base, cStride: keyRange.count)
    }

    private func dense(_ matrix: Scratch, _ stride: Int, transposed: Bool = false) -> MatrixOperand {
        MatrixOperand(base: matrix.base, stride: stride, isTransposed: transposed)
    }

    private func withLimits(
        _ queryRange: Range<Int>, _ keyRange: Range<Int>, _ body: (UnsafePointer<Int32>?) -> Void
    ) {
        guard let limits = plan.limits(queryRange, keyRange) else { return body(nil) }
        limits.withUnsafeBufferPointer { body($0.baseAddress) }
    }

    /// Copies dense rows to where an operand has them.
    private func store(_ source: Floats, rows: Int, to operand: AttentionOperand, batch: Int, head: Int, time: Int) {
        let nest = LoopNest(
            shape: [rows, plan.width], a: [operand.timeStride, operand.widthStride], b: [plan.width, 1])
        var form = nest.kernelForm
        let target = operand.position(batch: batch, head: head, time: time)
        table.copy(target, source, MemoryLayout<Float>.size, &form)
    }
}
