import CKernels

/// What a cross-entropy needs besides logits and targets.
struct CrossEntropySettings {
    /// Targets that count for nothing.
    var ignoredTarget: Int32 = -100
    /// The share of probability spread evenly over all classes.
    var labelSmoothing: Float = 0
}

extension Kernel {
    static func softmaxRows(_ y: Floats, _ x: UnsafePointer<Float>, rows: Int, width n: Int, logarithm: Bool = false) {
        let execution = Execution.current
        let kernel = logarithm ? execution.table.log_softmax_rows : execution.table.softmax_rows
        execution.pool.forEachChunk(rows, grain: rowGrain(n)) { range in
            kernel?(y + range.lowerBound * n, x + range.lowerBound * n, range.count, n)
        }
    }

    /// dx from the softmax's output y; dx may be dy.
    static func softmaxGradientRows(
        _ dx: Floats, y: UnsafePointer<Float>, dy: UnsafePointer<Float>, rows: Int, width n: Int,
        logarithm: Bool = false
    ) {
        let execution = Execution.current
        let kernel = logarithm ? execution.table.log_softmax_gradient_rows : execution.table.softmax_gradient_rows
        execution.pool.forEachChunk(rows, grain: rowGrain(n)) { range in
            let start = range.lowerBound * n
            kernel?(dx + start, y + start, dy + start, range.count, n)
        }
    }

    /// loss and log-sum-exp of each row of logits.
    static func crossEntropyRows(
        loss: Floats, logSumExp: Floats, logits: UnsafePointer<Float>, targets: UnsafePointer<Int32>, rows: Int,
        classes n: Int, _ settings: CrossEntropySettings
    ) {
        let execution = Execution.current
        execution.pool.forEachChunk(rows, grain: rowGrain(n)) { range in
            let start = range.lowerBound
            execution.table.cross_entropy_rows(
                loss + start, logSumExp + start, logits + start * n, targets + start, range.count, n,
                settings.ignoredTarget, settings.labelSmoothing)
        }
    }

    /// The logits' gradient, each row scaled by its `rowScale`.
    static func crossEntropyGradientRows(
        _ dx: Floats, logits: UnsafePointer<Float>, logSumExp: UnsafePointer<Float>, targets: UnsafePointer<Int32>,
        rowScale: UnsafePointer<Float>, rows: Int, classes n: Int, _ settings: CrossEntropySettings
    ) {
        let execution = Execution.current
        execution.pool.forEachChunk(rows, grain: rowGrain(n)) { range in
            let start = range.lowerBound
            execution.table.cross_entropy_gradient_rows(
                dx + start * n, logits + start * n, logSumExp + start, targets + start, rowScale + start, range.count,
                n, settings.ignoredTarget, settings.labelSmoothing)
        }
    }
}
