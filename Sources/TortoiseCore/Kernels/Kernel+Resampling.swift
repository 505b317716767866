import CKernels

extension Kernel {
    /// y[i · phases + p] = filters[p] · x[i · step ...]: one dot product per output sample.
    ///
    /// - Parameters:
    ///   - count: Outputs, of which `phases` share a window of the input.
    ///   - filters: [phases, taps]
    static func polyphase(
        _ y: Floats, _ x: UnsafePointer<Float>, _ filters: UnsafePointer<Float>, count: Int, step: Int, phases: Int,
        taps: Int
    ) {
        let table = Execution.current.table
        let windows = (count + phases - 1) / phases
        Execution.current.pool.forEachChunk(windows, grain: max(1, memoryGrain / (phases * taps))) { range in
            for window in range {
                let outputs = min(phases, count - window * phases)
                table.linear_float(
                    y + window * phases, outputs, x + window * step, taps, filters, nil, 1, outputs, taps)
            }
        }
    }
}
