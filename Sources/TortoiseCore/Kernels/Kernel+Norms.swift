import CKernels

extension Kernel {
    /// Rows whose parameter gradients are summed into one partial result; fixed, so that sums do not depend on threads.
    private static let normBlock = 64

    /// Layer norm of each row; y may be x.
    static func layerNormRows(
        _ y: Floats, mean: Floats, reciprocalDeviation rstd: Floats, _ x: UnsafePointer<Float>,
        gamma: UnsafePointer<Float>?, beta: UnsafePointer<Float>?, rows: Int, width n: Int, epsilon: Float
    ) {
        let execution = Execution.current
        execution.pool.forEachChunk(rows, grain: rowGrain(n)) { range in
            let start = range.lowerBound
            execution.table.layer_norm_rows(
                y + start * n, mean + start, rstd + start, x + start * n, gamma, beta, range.count, n, epsilon)
        }
    }

    /// The gradients of `layerNormRows`; those of gamma and beta only where a destination is given.
    static func layerNormGradientRows(
        _ dx: Floats, dGamma: Floats?, dBeta: Floats?, dy: UnsafePointer<Float>, x: UnsafePointer<Float>,
        mean: UnsafePointer<Float>, reciprocalDeviation rstd: UnsafePointer<Float>, gamma: UnsafePointer<Float>?,
        rows: Int, width n: Int
    ) {
        let execution = Execution.current
        sumOverRowBlocks(rows: rows, width: n, into: [dGamma, dBeta]) { range, partial in
            let start = range.lowerBound
            execution.table.layer_norm_gradient_rows(
                dx + start * n, partial[0], partial[1], dy + start * n, x + start * n, mean + start, rstd + start,
                gamma,
                range.count, n)
        }
    }

    /// RMS norm of each row; y may be x.
    static func rmsNormRows(
        _ y: Floats, reciprocalRMS rstd: Floats, _ x: UnsafePointer<Float>, gamma: UnsafePointer<Float>?, rows: Int,
        width n: Int, epsilon: Float
    ) {
        let execution = Execution.current
        execution.pool.forEachChunk(rows, grain: rowGrain(n)) { range in
            let start = range.lowerBound
            execution.table.rms_norm_rows(y + start * n, rstd + start, x + start * n, gamma, range.count, n, epsilon)
        }
    }

    /// The gradients of `rmsNormRows`.
    static func rmsNormGradientRows(
        _ dx: Floats, dGamma: Floats?, dy: UnsafePointer<Float>, x: UnsafePointer<Float>,
        reciprocalRMS rstd: UnsafePointer<Float>, gamma: UnsafePointer<Float>?, rows: Int, width n: Int
    ) {
        let execution = Execution.current
        sumOverRowBlocks(rows: rows, width: n, into: [dGamma]) { range, partial in
            let start = range.lowerBound
            execution.table.rms_norm_gradient_rows(
                dx + start * n, partial[0], dy + start * n, x + start * n, rstd + start, gamma, range.count, n)
        }
    }

    /// Runs `body` over blocks of rows, each with zeroed rows of `width` to add to, and sums those into `results`.
    private static func sumOverRowBlocks(
        rows: Int, width n: Int, into results: [Floats?], _ body: (Range<Int>, [Floats?]) -> Void
    ) {
        let blocks = max(1, (rows + normBlock - 1) / normBlock)
        let used = results.count { $0 != nil }
        let partials = Scratch(count: blocks * used * n)
        let base = partials.base
        base.update(repeating: 0, count: blocks * used * n)
        var slots: [Floats?] = []
        for result in results {
            slots.append(result == nil ? nil : base + slots.count { $0 != nil } * blocks * n)
        }
        let destinations = slots
        Execution.current.pool.forEachChunk(blocks, grain: max(1, rowGrain(n) / normBlock)) { range in
            for block in range {
                let rowsOfBlock = block * normBlock..<min(rows, (block + 1) * normBlock)
                body(rowsOfBlock, destinations.map { $0.map { $0 + block * n } })
            }
        }
        for (result, slot) in zip(results, destinations) {
            if let result, let slot { reduce(.sum, result, slot, outer: 1, n: blocks, inner: n) }
        }
        withExtendedLifetime(partials) {}
    }

    /// The layout of a group norm: x is [batch, groups x channels, length].
    struct GroupShape {
        let batch, groups, channels, length: Int
        var elements: Int { channels * length }
    }

    /// Group norm, with SiLU after it when asked; mean and rstd are [batch, groups].
    static func groupNorm(
        _ y: Floats, mean: Floats, reciprocalDeviation rstd: Floats, _ x: UnsafePointer<Float>,
        gamma: UnsafePointer<Float>?, beta: UnsafePointer<Float>?, _ shape: GroupShape, epsilon: Float, silu: Bool
    ) {
        let execution = Execution.current
        execution.pool.forEachChunk(shape.batch * shape.groups, grain: rowGrain(shape.elements)) { range in
            for i in range {
                let channel = i % shape.groups * shape.channels
                execution.table.group_norm(
                    y + i * shape.elements, mean + i, rstd + i, x + i * shape.elements, gamma.map { $0 + channel },
                    beta.map { $0 + channel }, shape.channels, shape.length, epsilon, silu ? 1 : 0)
            }
        }
    }

    /// The gradients of `groupNorm`; those of gamma and beta come per batch entry, [batch, groups x channels].
    static func groupNormGradient(
        _ dx: Floats, dGamma: Floats?, dBeta: Floats?, dy: UnsafePointer<Float>, x: UnsafePointer<Float>,
        mean: UnsafePointer<Float>, reciprocalDeviation rstd: UnsafePointer<Float>, gamma: UnsafePointer<Float>?,
        beta: UnsafePointer<Float>?, _ shape: GroupShape, silu: Bool
    ) {
        let execution = Execution.current
        execution.pool.forEachChunk(shape.batch * shape.groups, grain: rowGrain(shape.elements)) { range in
            for i in range {
                let channel = i % shape.groups * shape.channels
                let start = i * shape.elements
                execution.table.group_norm_gradient(
                    dx + start, dGamma.map { $0 + i * shape.channels }, dBeta.map { $0 + i * shape.channels },
                    dy + start, x + start, mean[i], rstd[i], gamma.map { $0 + channel }, beta.map { $0 + channel },
                    shape.channels, shape.length, silu ? 1 : 0)
            }
        }
    }
}
