import CKernels
import Testing

/// The formats that weights may have.
private enum WeightFormat: CaseIterable {
    case float, bfloat16, int8, int4

    var isPacked: Bool { self == .int8 || self == .int4 }
}

/// Rows as the kernels of packed weights take them.
private struct PackedRows {
    let codes: GuardedIntegers<Int16>
    let scales: GuardedFloats
    let k: Int
    private let stride: Int
    private let groups: Int

    init(_ x: UnsafePointer<Float>, _ xStride: Int, m: Int, k: Int, _ table: tk_table) {
        (stride, groups) = ((k + 31) / 32 * 32, (k + 255) / 256)
        self.k = k
        codes = GuardedIntegers(repeating: 7, count: m * stride)
        scales = GuardedFloats([Float](repeating: .nan, count: m * groups))
        table.quantize_inputs(codes.pointer, scales.pointer, x, xStride, m, k)
    }

    /// What a place of a row stands for.
    subscript(row: Int, column: Int) -> Double {
        Double(codes.values[row * stride + column]) * Double(scales.values[row * groups + column / 256])
    }

    /// What is behind the end of each row.
    var padding: [Int16] {
        codes.values.enumerated().filter { $0.offset % stride >= k }.map(\.element)
    }
}

/// Weights [n, k] in one format, and the float32 values that they stand for.
private struct PackedWeights {
    let format: WeightFormat
    let n: Int
    let k: Int
    let values: [Float]
    private let halves: GuardedIntegers<UInt16>
    private let bytes: GuardedIntegers<Int8>
    private let nibbles: GuardedIntegers<UInt8>
    private let scales: GuardedFloats
    private let floats: GuardedFloats

    init(_ weights: [Float], n: Int, k: Int, _ format: WeightFormat) throws {
        let scalar = try #require(KernelSet.scalar.table)
        (self.format, self.n, self.k) = (format, n, k)
        floats = GuardedFloats(weights)
        scales = GuardedFloats([Float](repeating: 0, count: n * ((k + 31) / 32)))
        halves = GuardedIntegers(repeating: 0, count: n * k)
        bytes = GuardedIntegers(repeating: 0, count: n * k)
        nibbles = GuardedIntegers(repeating: 0, count: n * ((k + 1) / 2))
        let result = GuardedFloats(weights)
        switch format {
        case .float: break
        case .bfloat16:
            scalar.float_to_bfloat16(halves.pointer, floats.pointer, n * k)
            scalar.bfloat16_to_float(result.pointer, halves.pointer, n * k)
        case .int8:
            scalar.quantize_int8(bytes.pointer, scales.pointer, floats.pointer, n, k)
            scalar.dequantize_int8(result.pointer, bytes.pointer, scales.pointer, n, k)
        case .int4:
            scalar.quantize_int4(nibbles.pointer, scales.pointer, floats.pointer, n, k)
            scalar.dequantize_int4(result.pointer, nibbles.pointer, scales.pointer, n, k)
        }
        values = result.values
    }

    /// The kernel of the format for the outputs in `outputs`, which are columns of y.
    func apply(
        _ table: tk_table, _ y: UnsafeMutablePointer<Float>, _ yStride: Int, _ x: UnsafePointer<Float>, _ xStride: Int,
        bias: UnsafePointer<Float>?, m: Int, outputs: Range<Int>? = nil
    ) {
        let from = outputs?.lowerBound ?? 0, count = outputs?.count ?? n
        let (y, bias, scale) = (y + from, bias.map { $0 + from }, scales.pointer + from * ((k + 31) / 32))
        let rows = format.isPacked ? PackedRows(x, xStride, m: m, k: k, table) : nil
        switch format {
        case .float: table.linear_float(y, yStride, x, xStride, floats.pointer + from * k, bias, m, count, k)
        case .bfloat16: table.linear_bfloat16(y, yStride, x, xStride, halves.pointer + from * k, bias, m, count, k)
        case .int8:
            table.linear_int8(
                y, yStride, rows?.codes.pointer, rows?.scales.pointer, bytes.pointer + from * k, scale, bias, m, count,
                k)
        case .int4:
            table.linear_int4(
                y, yStride, rows?.codes.pointer, rows?.scales.pointer, nibbles.pointer + from * ((k + 1) / 2), scale,
                bias, m, count, k)
        }
        withExtendedLifetime(rows) {}
    }
}

@Suite struct KernelLinearTests {
    private static let shapes = [
        (n: 1, k: 1), (2, 3), (3, 7), (5, 31), (4, 32), (7, 33), (13, 64), (11, 100), (6, 257), (4, 1024), (9, 2100),
    ]

    @Test("Linear layers agree with double precision for every number of rows", arguments: WeightFormat.allCases)
    private func values(format: WeightFormat) throws {
        for (n, k) in Self.shapes {
            var random = KernelRandom(n * k)
            let weights = try PackedWeights(random.floats(n * k), n: n, k: k, format)
            for m in [1, 2, 3, 4, 5, 6, 7, 8, 9, 13, 16, 17, 20] {
                let (xStride, yStride) = (k + m % 3, n + m % 4)  // wider than the rows for some
                let withBias = m % 2 == 1
                try KernelCheck(
                    label: "\(format) linear \(m) x \(k) -> \(n)",
                    inputs: [random.floats(m * xStride), random.floats(n)],
                    outputs: [[Float](repeating: .nan, count: m * yStride)],
                    tolerance: Tolerance(absolute: 3e-7 * Double(k) + 1e-6)
                ).run { table, inputs, outputs in
                    weights.apply(
                        table, outputs[0], yStride, inputs[0], xStride, bias: withBias ? inputs[1] : nil, m: m)
                } expected: { inputs in
                    // What lies between the rows of y stays as it was.
                    var y = [Double](repeating: .nan, count: m * yStride)
                    let x = try Self.multiplied(inputs[0], xStride, m: m, k: k, format)
                    for row in 0..<m {
                        for output in 0..<n {
                            y[row * yStride + output] = (0..<k).reduce(withBias ? inputs[1][output] : 0) {
                                $0 + x[row * k + $1] * Double(weights.values[output * k + $1])
                            }
                        }
                    }
                    return [y]
                }
            }
        }
    }

    /// The rows that a kernel multiplies: as they are, or rounded for packed weights. Dense.
    private static func multiplied(
        _ x: [Double], _ xStride: Int, m: Int, k: Int, _ format: WeightFormat
    ) throws -> [Double] {
        let places = (0..<m).flatMap { row in (0..<k).map { (row, $0) } }
        guard format.isPacked else { return places.map { x[$0 * xStride + $1] } }
        let rows = PackedRows(x.map { Float($0) }, xStride, m: m, k: k, try #require(KernelSet.scalar.table))
        return places.map { rows[$0, $1] }
    }

    @Test("Inputs of packed weights keep 15 bits, the same from every instruction set", arguments: KernelSet.present)
    func inputs(instructionSet: KernelSet) throws {
        let (table, scalar) = (try #require(instructionSet.table), try #require(KernelSet.scalar.table))
        for k in [1, 31, 32, 33, 255, 256, 257, 1000] {
            var random = KernelRandom(k)
            let (m, stride) = (3, k + 1)
            // Groups of their own sizes, and one of nothing but zeros.
            let x = GuardedFloats(
                random.floats(m * stride).enumerated().map { $0.offset < 300 ? $0.element * 1e4 : $0.element })
            for column in 0..<min(k, 256) { x.pointer[stride + column] = 0 }
            let rows = PackedRows(x.pointer, stride, m: m, k: k, table)
            #expect(rows.codes.isIntact && rows.scales.isIntact && rows.padding.allSatisfy { $0 == 0 })
            let specified = PackedRows(x.pointer, stride, m: m, k: k, scalar)
            #expect(rows.codes.values == specified.codes.values && rows.scales.values == specified.scales.values)
            for row in 0..<m {
                for begin in Swift.stride(from: 0, to: k, by: 256) {
                    let group = (begin..<min(k, begin + 256)).map {
                        (rows[row, $0], Double(x.values[row * stride + $0]))
                    }
                    let largest = group.map { abs($0.1) }.max() ?? 0
                    #expect(group.allSatisfy { abs($0.0 - $0.1) <= largest / 65_000 }, "row \(row) of \(k)")
                }
            }
        }
    }

    @Test(
        "A row is the same bits whatever the other rows are and however the outputs are split",
        arguments: KernelSet.present, WeightFormat.allCases)
    private func independence(instructionSet: KernelSet, format: WeightFormat) throws {
        let table = try #require(instructionSet.table)
        for (n, k) in [(n: 23, k: 75), (5, 1400), (9, 512)] {
            var random = KernelRandom(n)
            let weights = try PackedWeights(random.floats(n * k), n: n, k: k, format)
            let rows = 20
            let x = GuardedFloats(random.floats(rows * k)), bias = GuardedFloats(random.floats(n))
            var alone = [UInt32]()
            for row in 0..<rows {
                let y = GuardedFloats([Float](repeating: .nan, count: n))
                weights.apply(table, y.pointer, n, x.pointer + row * k, k, bias: bias.pointer, m: 1)
                alone += y.values.map(\.bitPattern)
            }
            for m in 2...rows {
                let y = GuardedFloats([Float](repeating: .nan, count: m * n))
                weights.apply(table, y.pointer, n, x.pointer, k, bias: bias.pointer, m: m)
                #expect(y.values.map(\.bitPattern) == Array(alone.prefix(m * n)), "\(m) rows of \(k), \(n) outputs")
            }
            for m in [1, 3, 9] {
                for split in 1..<n {
                    let y = GuardedFloats([Float](repeating: .nan, count: m * n))
                    for part in [0..<split, split..<n] {
                        weights.apply(table, y.pointer, n, x.pointer, k, bias: bias.pointer, m: m, outputs: part)
                    }
                    #expect(y.values.map(\.bitPattern) == Array(alone.prefix(m * n)), "\(m) rows, split at \(split)")
                    #expect(y.isIntact)
                }
            }
        }
    }

    @Test(
        "Halves give the bits of their float32 values", arguments: KernelSet.present)
    func halvesLikeFloat(instructionSet: KernelSet) throws {
        let table = try #require(instructionSet.table)
        for (n, k) in Self.shapes {
            var random = KernelRandom(k)
            let packed = try PackedWeights(random.floats(n * k), n: n, k: k, .bfloat16)
            let plain = try PackedWeights(packed.values, n: n, k: k, .float)
            for m in [1, 2, 3, 5, 11] {
                let x = GuardedFloats(random.floats(m * k))
                let results = [packed, plain].map { weights in
                    let y = GuardedFloats([Float](repeating: .nan, count: m * n))
                    weights.apply(table, y.pointer, n, x.pointer, k, bias: nil, m: m)
                    return y.values.map(\.bitPattern)
                }
                #expect(results[0] == results[1], "\(m) x \(k) -> \(n)")
            }
        }
    }

    @Test("NaN and infinity reach their own row only", arguments: KernelSet.present, WeightFormat.allCases)
    private func specialValues(instructionSet: KernelSet, format: WeightFormat) throws {
        let table = try #require(instructionSet.table)
        let (m, n, k) = (6, 5, 43)
        let weights = try PackedWeights([Float](repeating: 1, count: n * k), n: n, k: k, format)
        var x = [Float](repeating: 1, count: m * k)
        x[1 * k + 42] = .nan
        x[2 * k + 3] = .infinity
        x[4 * k] = -.infinity
        let y = GuardedFloats([Float](repeating: 0, count: m * n))
        weights.apply(table, y.pointer, n, x, k, bias: nil, m: m)
        // Rounding to 16 bits makes infinity NaN.
        let infinity: Float = format.isPacked ? .nan : .infinity
        for (row, expected) in [Float(k), .nan, infinity, Float(k), -infinity, Float(k)].enumerated() {
            let results = y.values[row * n..<(row + 1) * n]
            #expect(
                results.allSatisfy { abs($0 - expected) < 1e-4 || $0 == expected || $0.isNaN && expected.isNaN },
                "row \(row): \(results)")
        }
    }

    @Test("Nothing to add is the bias, and nothing to write writes nothing", arguments: KernelSet.present)
    func emptyExtents(instructionSet: KernelSet) throws {
        let table = try #require(instructionSet.table)
        let x: [Float] = [1, 2, 3], bias: [Float] = [4, 5, 6, 7]
        for m in [1, 3] {
            let y = GuardedFloats([Float](repeating: .nan, count: m * 4))
            table.linear_float(y.pointer, 4, x, 0, x, bias, m, 4, 0)
            #expect(y.values == (0..<m).flatMap { _ in bias })
            let untouched = GuardedFloats([8])
            table.linear_float(untouched.pointer, 1, x, 1, x, nil, m, 0, 1)
            table.linear_float(untouched.pointer, 1, x, 1, x, nil, 0, 1, 1)
            #expect(untouched.values == [8])
        }
    }
}
