import CKernels

/// A matrix of weights [outputs, inputs] in memory, in one of the forms that the kernels multiply without unpacking.
enum WeightElements {
    case float32(UnsafePointer<Float>)
    case bfloat16(UnsafePointer<UInt16>)
    /// One scale per 32 weights of a row.
    case int8(UnsafePointer<Int8>, scales: UnsafePointer<Float>)
    /// Two weights a byte, one scale per 32 weights of a row.
    case int4(UnsafePointer<UInt8>, scales: UnsafePointer<Float>)

    /// Whether products are made of whole numbers.
    var isPacked: Bool {
        switch self {
        case .float32, .bfloat16: false
        case .int8, .int4: true
        }
    }
}

/// Rows of inputs rounded to 16 bits, with a scale per group: what packed weights are multiplied with.
struct PackedInputs {
    private let scratch: Scratch
    let scales: UnsafePointer<Float>
    let codes: UnsafePointer<Int16>

    init(_ x: UnsafePointer<Float>, m: Int, k: Int, _ table: tk_table) {
        let (block, group) = (Int(TK_INT8_BLOCK), Int(TK_INPUT_GROUP))
        let scaleCount = m * ((k + group - 1) / group)
        let codeCount = m * ((k + block - 1) / block * block)
        scratch = Scratch(count: scaleCount + (codeCount + 1) / 2)
        let bytes = UnsafeMutableRawPointer(scratch.base)
        let codes = (bytes + scaleCount * MemoryLayout<Float>.size).bindMemory(to: Int16.self, capacity: codeCount)
        table.quantize_inputs(codes, scratch.base, x, k, m, k)
        (scales, self.codes) = (UnsafePointer(scratch.base), UnsafePointer(codes))
    }
}

extension Kernel {
    /// Up to this many rows the kernels that read weights once beat unpacking and a full matrix product.
    static let fewRows = 16

    /// Scales in a row of `k` blockwise quantised weights.
    static func scalesPerRow(_ k: Int) -> Int { (k + Int(TK_INT8_BLOCK) - 1) / Int(TK_INT8_BLOCK) }
    /// Bytes in a row of `k` int4 weights.
    static func int4BytesPerRow(_ k: Int) -> Int { (k + 1) / 2 }

    /// y [m, n] = x [m, k] wᵀ + bias, for few rows: a row's result is the same bits whatever the other rows are.
    ///
    /// For packed weights the inputs are rounded to 16 bits first, a scale for every 256 of a row.
    static func linear(
        _ y: Floats, _ x: UnsafePointer<Float>, _ weight: WeightElements, bias: UnsafePointer<Float>?, m: Int, n: Int,
        k: Int
    ) {
        let execution = Execution.current
        let table = execution.table
        let grain = max(8, memoryGrain * 2 / max(k * m, 1))
        let packed = weight.isPacked ? PackedInputs(x, m: m, k: k, table) : nil
        defer { withExtendedLifetime(packed) {} }
        execution.pool.forEachChunk(n, grain: grain) { range in
            let (start, count) = (range.lowerBound, range.count)
            let (output, bias) = (y + start, bias.map { $0 + start })
            switch weight {
            case .float32(let w):
                table.linear_float(output, n, x, k, w + start * k, bias, m, count, k)
            case .bfloat16(let w):
                table.linear_bfloat16(output, n, x, k, w + start * k, bias, m, count, k)
            case .int8(let w, let scales):
                table.linear_int8(
                    output, n, packed?.codes, packed?.scales, w + start * k, scales + start * scalesPerRow(k), bias, m,
                    count, k)
            case .int4(let w, let scales):
                table.linear_int4(
                    output, n, packed?.codes, packed?.scales, w + start * int4BytesPerRow(k),
                    scales + start * scalesPerRow(k), bias, m, count, k)
            }
        }
    }

    /// Rows `rows` of a weight matrix as float32, dense.
    static func unpack(_ weight: WeightElements, rows: Range<Int>, k: Int, into y: Floats) {
        let table = Execution.current.table
        let (start, count) = (rows.lowerBound, rows.count)
        switch weight {
        case .float32(let w): y.update(from: w + start * k, count: count * k)
        case .bfloat16(let w): table.bfloat16_to_float(y, w + start * k, count * k)
        case .int8(let w, let scales):
            table.dequantize_int8(y, w + start * k, scales + start * scalesPerRow(k), count, k)
        case .int4(let w, let scales):
            table.dequantize_int4(y, w + start * int4BytesPerRow(k), scales + start * scalesPerRow(k), count, k)
        }
    }

    /// y [m, n] = x [m, k] wᵀ, for many rows: float32 products of unpacked tiles of the weights.
    static func linearByTiles(
        _ y: Floats, _ x: UnsafePointer<Float>, _ weight: WeightElements, m: Int, n: Int, k: Int
    ) {
        let input = MatrixOperand(base: x, stride: k, isTransposed: false)
        if case .float32(let w) = weight {
            let operand = MatrixOperand(base: w, stride: k, isTransposed: true)
            return BLAS.multiply(m: m, n: n, k: k, a: input, b: operand, c: y, cStride: n)
        }
        let tile = 128
        Execution.current.pool.forEachChunk((n + tile - 1) / tile, grain: 1) { tiles in
            let unpacked = Scratch(count: tile * k)
            for i in tiles {
                let rows = i * tile..<min(n, (i + 1) * tile)
                unpack(weight, rows: rows, k: k, into: unpacked.base)
                BLAS.multiplySerially(
                    m: m, n: rows.count, k: k, a: input,
                    b: MatrixOperand(base: unpacked.base, stride: k, isTransposed: true), c: y + rows.lowerBound,
                    cStride: n)
            }
            withExtendedLifetime(unpacked) {}
        }
    }

    /// Adds a vector to each of `rows` rows of y.
    static func addToRows(_ y: Floats, _ vector: UnsafePointer<Float>, rows: Int, width n: Int) {
        let nest = LoopNest(shape: [rows, n], a: [n, 1], b: [0, 1])
        binary(.add, y, y, vector, nest)
    }
}
