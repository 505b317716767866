import CKernels

/// A reduction of many values to one.
enum Reduction {
    case sum, maximum, minimum, sumOfSquares

    var code: tk_reduction {
        switch self {
        case .sum: TK_SUM
        case .maximum: TK_MAX
        case .minimum: TK_MIN
        case .sumOfSquares: TK_SUM_SQUARES
        }
    }
}

extension Kernel {
    /// Reduces the middle axis of x [outer, n, inner] to y [outer, inner].
    static func reduce(_ reduction: Reduction, _ y: Floats, _ x: UnsafePointer<Float>, outer: Int, n: Int, inner: Int) {
        let op = reduction.code
        let execution = Execution.current
        if inner == 1 {
            execution.pool.forEachChunk(outer, grain: rowGrain(n, elements: memoryGrain)) { range in
                let start = range.lowerBound
                execution.table.reduce_rows(op, y + start, x + start * n, range.count, n)
            }
        } else if outer == 1 {
            execution.pool.forEachChunk(inner, grain: max(64, memoryGrain / max(n, 1))) { range in
                execution.table.reduce_columns(op, y + range.lowerBound, x + range.lowerBound, n, range.count, inner)
            }
        } else {
            execution.pool.forEachChunk(outer, grain: rowGrain(n * inner, elements: memoryGrain)) { range in
                for i in range {
                    execution.table.reduce_columns(op, y + i * inner, x + i * n * inner, n, inner, inner)
                }
            }
        }
    }

    /// The position of the first largest value in each row.
    static func argmaxRows(_ y: Indices, _ x: UnsafePointer<Float>, rows: Int, width n: Int) {
        let execution = Execution.current
        execution.pool.forEachChunk(rows, grain: rowGrain(n, elements: memoryGrain)) { range in
            execution.table.argmax_rows(y + range.lowerBound, x + range.lowerBound * n, range.count, n)
        }
    }

    /// The sum of squares, in double precision; chunks are fixed, so the result does not depend on the threads.
    static func sumOfSquares(_ x: UnsafePointer<Float>, count: Int) -> Double {
        sumOverBlocks(count) { table, range in table.sum_squares(x + range.lowerBound, range.count) }
    }

    /// The inner product, in double precision.
    static func dot(_ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, count: Int) -> Double {
        sumOverBlocks(count) { table, range in table.dot(a + range.lowerBound, b + range.lowerBound, range.count) }
    }

    private static func sumOverBlocks(_ count: Int, _ value: (borrowing tk_table, Range<Int>) -> Double) -> Double {
        let block = 1 << 16
        let blocks = (count + block - 1) / block
        let execution = Execution.current
        return withUnsafeTemporaryAllocation(of: Double.self, capacity: max(blocks, 1)) { partial in
            let sums = partial.baseAddress
            execution.pool.forEachChunk(blocks, grain: 1) { range in
                for i in range {
                    sums?[i] = value(execution.table, i * block..<min(count, (i + 1) * block))
                }
            }
            return partial.prefix(blocks).reduce(0, +)
        }
    }
}
