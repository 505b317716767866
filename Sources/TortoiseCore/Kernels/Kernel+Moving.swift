import CKernels

extension Kernel {
    /// y = x over a nest whose first strides are y's and second strides are x's.
    static func copy(
        to y: UnsafeMutableRawPointer, from x: UnsafeRawPointer, elementSize: Int, _ nest: LoopNest
    ) {
        let execution = Execution.current
        let grain = max(1, memoryGrain / max(1, nest.count / nest.extents[0]))
        execution.pool.forEachChunk(nest.extents[0], grain: grain) { range in
            let part = nest.slice(outermost: range)
            var form = part.nest.kernelForm
            execution.table.copy(y + part.aOffset * elementSize, x + part.bOffset * elementSize, elementSize, &form)
        }
    }

    /// y[r] = table[index[r]], rows of n.
    static func gatherRows(
        _ y: Floats, table: UnsafePointer<Float>, index: UnsafePointer<Int32>, rows: Int, width n: Int
    ) {
        let execution = Execution.current
        execution.pool.forEachChunk(rows, grain: rowGrain(n, elements: memoryGrain)) { range in
            execution.table.gather_rows(y + range.lowerBound * n, table, index + range.lowerBound, range.count, n)
        }
    }

    /// table[index[r]] += x[r], rows of n; equal indices add up in order.
    static func scatterAddRows(
        table: Floats, _ x: UnsafePointer<Float>, index: UnsafePointer<Int32>, rows: Int, width n: Int
    ) {
        let execution = Execution.current
        // Threads take columns, so that two of them never add to the same element.
        execution.pool.forEachChunk(n, grain: max(64, memoryGrain / max(rows, 1))) { range in
            let start = range.lowerBound
            execution.table.scatter_add_rows(table + start, n, x + start, n, index, rows, range.count)
        }
    }
}
