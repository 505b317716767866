import CKernels

extension Kernel {
    static func convert(_ y: UnsafeMutablePointer<UInt16>, toBFloat16 x: UnsafePointer<Float>, count: Int) {
        let execution = Execution.current
        execution.pool.forEachChunk(count, grain: memoryGrain) { range in
            execution.table.float_to_bfloat16(y + range.lowerBound, x + range.lowerBound, range.count)
        }
    }

    static func convert(_ y: Floats, fromBFloat16 x: UnsafePointer<UInt16>, count: Int) {
        let execution = Execution.current
        execution.pool.forEachChunk(count, grain: memoryGrain) { range in
            execution.table.bfloat16_to_float(y + range.lowerBound, x + range.lowerBound, range.count)
        }
    }

    static func convert(_ y: UnsafeMutablePointer<UInt16>, toFloat16 x: UnsafePointer<Float>, count: Int) {
        let execution = Execution.current
        execution.pool.forEachChunk(count, grain: memoryGrain) { range in
            execution.table.float_to_float16(y + range.lowerBound, x + range.lowerBound, range.count)
        }
    }

    static func convert(_ y: Floats, fromFloat16 x: UnsafePointer<UInt16>, count: Int) {
        let execution = Execution.current
        execution.pool.forEachChunk(count, grain: memoryGrain) { range in
            execution.table.float16_to_float(y + range.lowerBound, x + range.lowerBound, range.count)
        }
    }

    /// Blockwise int8 with a scale per 32 values of a row.
    static func quantizeInt8(
        _ q: UnsafeMutablePointer<Int8>, scales: Floats, _ x: UnsafePointer<Float>, rows: Int, k: Int
    ) {
        let execution = Execution.current
        execution.pool.forEachChunk(rows, grain: rowGrain(k)) { range in
            let start = range.lowerBound
            execution.table.quantize_int8(
                q + start * k, scales + start * scalesPerRow(k), x + start * k, range.count, k)
        }
    }

    /// Blockwise int4, two values a byte, with a scale per 32 values of a row.
    static func quantizeInt4(
        _ q: UnsafeMutablePointer<UInt8>, scales: Floats, _ x: UnsafePointer<Float>, rows: Int, k: Int
    ) {
        let execution = Execution.current
        execution.pool.forEachChunk(rows, grain: rowGrain(k)) { range in
            let start = range.lowerBound
            execution.table.quantize_int4(
                q + start * int4BytesPerRow(k), scales + start * scalesPerRow(k), x + start * k, range.count, k)
        }
    }
}
