import CKernels
import Testing

@Suite struct KernelConversionTests {
    /// Floats of all kinds: random bits (every exponent, NaN among them), ties, edges of the formats.
    private static let floats: [Float] = {
        var random = KernelRandom(1)
        let edges: [Float] = [
            0, -0.0, 1, -1, .infinity, -.infinity, .nan, .signalingNaN, .greatestFiniteMagnitude,
            -.greatestFiniteMagnitude,
            .leastNonzeroMagnitude, .leastNormalMagnitude, 65504, 65519.996, 65520, 65536, -65520, 0x1p-24, 0x1p-25,
            0x1.000002p-25, 0x1p-26, 0x1.8p-24, 0x1p-14, 0x1.ffcp-15, 0x1.ffdp-15, 0x1.ffep-15, 0x1.fffp-15,
        ]
        let anything = (0..<4000).map { _ in Float(bitPattern: UInt32(truncatingIfNeeded: random.bits())) }
        // Halfway between neighbours of bfloat16, and of float16, and next to it.
        let ties = (0..<2000).flatMap { _ -> [Float] in
            let bits = UInt32(truncatingIfNeeded: random.bits())
            let half = Float(Float16(bitPattern: UInt16(truncatingIfNeeded: bits & 0x7bff))).bitPattern
            return [bits & 0xffff_0000 | 0x8000, half | 0x1000].flatMap { tie in
                [tie, tie &+ 1, tie &- 1].map(Float.init(bitPattern:))
            }
        }
        return edges + anything + ties
    }()

    /// The bfloat16 nearest to a finite float, by its distance to both neighbours.
    private func bfloat16(_ x: Float) -> UInt16 {
        let below = UInt16(x.bitPattern >> 16)
        let distances = [below, below &+ 1].map { candidate -> Double in
            let value = Float(bitPattern: UInt32(candidate) << 16)
            // Infinity stands where the next number would be.
            return abs((value.isInfinite ? 0x1p128 : Double(value.magnitude)) - Double(x.magnitude))
        }
        if distances[0] == distances[1] { return below % 2 == 0 ? below : below + 1 }
        return distances[0] < distances[1] ? below : below + 1
    }

    private func converted(
        _ values: [Float], _ kernel: (UnsafeMutablePointer<UInt16>, UnsafePointer<Float>, Int) -> Void
    ) -> [UInt16] {
        let x = GuardedFloats(values), y = GuardedIntegers<UInt16>(repeating: 0, count: values.count)
        kernel(y.pointer, x.pointer, values.count)
        #expect(y.isIntact)
        return y.values
    }

    @Test("float32 becomes the nearest bfloat16, NaN a quiet NaN", arguments: KernelSet.present)
    func toBFloat16(instructionSet: KernelSet) throws {
        let table = try #require(instructionSet.table)
        let results = converted(Self.floats) { table.float_to_bfloat16($0, $1, $2) }
        for (x, result) in zip(Self.floats, results) {
            if x.isNaN {
                #expect(result & 0x7fc0 == 0x7fc0, "NaN became \(result)")
            } else {
                #expect(result == (x.isInfinite ? UInt16(x.bitPattern >> 16) : bfloat16(x)), "\(x)")
            }
        }
        for size in oddSizes where size < 100 {
            let part = Array(Self.floats.dropFirst(100).prefix(size))
            #expect(
                converted(part) { table.float_to_bfloat16($0, $1, $2) } == Array(results.dropFirst(100).prefix(size)))
        }
    }

    @Test("float32 becomes the nearest float16, NaN a quiet NaN", arguments: KernelSet.present)
    func toFloat16(instructionSet: KernelSet) throws {
        let table = try #require(instructionSet.table)
        let results = converted(Self.floats) { table.float_to_float16($0, $1, $2) }
        for (x, result) in zip(Self.floats, results) {
            if x.isNaN {
                #expect(result & 0x7e00 == 0x7e00, "NaN became \(result)")
            } else {
                #expect(result == Float16(x).bitPattern, "\(x)")
            }
        }
        for size in oddSizes where size < 100 {
            let part = Array(Self.floats.dropFirst(100).prefix(size))
            #expect(
                converted(part) { table.float_to_float16($0, $1, $2) } == Array(results.dropFirst(100).prefix(size)))
        }
    }

    @Test("Every half becomes its float32", arguments: KernelSet.present)
    func fromHalves(instructionSet: KernelSet) throws {
        let table = try #require(instructionSet.table)
        let halves = GuardedIntegers(Array(UInt16.min...UInt16.max))
        let y = GuardedFloats([Float](repeating: 0, count: halves.count))
        table.bfloat16_to_float(y.pointer, halves.pointer, halves.count)
        #expect(zip(halves.values, y.values).allSatisfy { $1.bitPattern == UInt32($0) << 16 })
        table.float16_to_float(y.pointer, halves.pointer, halves.count)
        for (half, value) in zip(halves.values, y.values) {
            let expected = Float(Float16(bitPattern: half))
            #expect(value.isNaN ? expected.isNaN : value.bitPattern == expected.bitPattern, "\(half)")
        }
        #expect(y.isIntact)
    }

    // MARK: - Blocks

    private struct Quantized: Equatable {
        var codes: [UInt8]
        var scales: [UInt32]
        var values: [Float]
    }

    /// Codes, scales and values of both formats; the codes of int8 as their bits.
    private func quantized(_ x: [Float], rows: Int, bits: Int, _ table: tk_table) -> Quantized {
        let k = x.count / rows
        let input = GuardedFloats(x), y = GuardedFloats(x.map { _ in .nan })
        let scales = GuardedFloats([Float](repeating: .nan, count: rows * ((k + 31) / 32)))
        if bits == 8 {
            let codes = GuardedIntegers<Int8>(repeating: 0, count: rows * k)
            table.quantize_int8(codes.pointer, scales.pointer, input.pointer, rows, k)
            table.dequantize_int8(y.pointer, codes.pointer, scales.pointer, rows, k)
            #expect(codes.isIntact && scales.isIntact && y.isIntact)
            return Quantized(
                codes: codes.values.map(UInt8.init(bitPattern:)), scales: scales.values.map(\.bitPattern),
                values: y.values)
        }
        let codes = GuardedIntegers<UInt8>(repeating: 0, count: rows * ((k + 1) / 2))
        table.quantize_int4(codes.pointer, scales.pointer, input.pointer, rows, k)
        table.dequantize_int4(y.pointer, codes.pointer, scales.pointer, rows, k)
        #expect(codes.isIntact && scales.isIntact && y.isIntact)
        return Quantized(codes: codes.values, scales: scales.values.map(\.bitPattern), values: y.values)
    }

    @Test("Codes are the nearest multiples of a block's scale", arguments: KernelSet.present, [8, 4])
    func blocks(instructionSet: KernelSet, bits: Int) throws {
        let table = try #require(instructionSet.table)
        let limit: Float = bits == 8 ? 127 : 7
        for k in oddSizes where k > 0 {
            let rows = 3
            var random = KernelRandom(k)
            let x = random.floats(rows * k)
            let result = quantized(x, rows: rows, bits: bits, table)
            for row in 0..<rows {
                for start in stride(from: 0, to: k, by: 32) {
                    let block = row * k + start..<row * k + min(start + 32, k)
                    let scale = (x[block].map(\.magnitude).max() ?? 0) / limit
                    #expect(result.scales[row * ((k + 31) / 32) + start / 32] == scale.bitPattern)
                    for index in block {
                        let code = (x[index] / scale).rounded(.toNearestOrEven)
                        let column = index - row * k
                        let stored =
                            bits == 8
                            ? Int(Int8(bitPattern: result.codes[index]))
                            : Int(result.codes[row * ((k + 1) / 2) + column / 2] >> (column % 2 * 4) & 15) - 8
                        #expect(stored == Int(code), "k \(k), row \(row), column \(column)")
                        #expect(result.values[index] == code * scale)
                    }
                }
            }
        }
    }

    @Test(
        "Ties go to even codes; zero, tiny and broken blocks are what they say", arguments: KernelSet.present,
        [8, 4])
    func specialBlocks(instructionSet: KernelSet, bits: Int) throws {
        let table = try #require(instructionSet.table)
        let limit: Float = bits == 8 ? 127 : 7
        let ties: [Float] = [limit, 0.5, 1.5, 2.5, -0.5, -1.5, -2.5]
        #expect(quantized(ties, rows: 1, bits: bits, table).values == [limit, 0, 2, 2, 0, -2, -2])

        let zeros = quantized([Float](repeating: -0.0, count: 33), rows: 1, bits: bits, table)
        #expect(zeros.scales == [0, 0])
        #expect(zeros.values == [Float](repeating: 0, count: 33))

        // The scale is rounded to a whole number of the least magnitude, and the codes must stay within their range.
        let tiny = quantized([100, -100, 60, 0].map { $0 * .leastNonzeroMagnitude }, rows: 1, bits: bits, table)
        #expect(
            zip(tiny.values, [100, -100, 60, 0]).allSatisfy {
                abs($0 - $1 * .leastNonzeroMagnitude) <= 61 * .leastNonzeroMagnitude
            })

        for broken in [Float.nan, .infinity, -.infinity] {
            var x = [Float](repeating: 1, count: 70)
            x[40] = broken
            let values = quantized(x, rows: 1, bits: bits, table).values
            #expect(values[32..<64].allSatisfy { $0.isNaN })
            #expect((values[..<32] + values[64...]).allSatisfy { $0 == 1 })
        }
    }

    @Test("The unused half of an odd row's last byte is the code of 0", arguments: KernelSet.present)
    func oddRows(instructionSet: KernelSet) throws {
        let table = try #require(instructionSet.table)
        #expect(quantized([7, -7, 3], rows: 1, bits: 4, table).codes == [0x1F, 0x8B])
    }
}
