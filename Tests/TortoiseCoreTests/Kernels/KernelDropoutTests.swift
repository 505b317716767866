import CKernels
import Testing

/// Philox4x32-10 as its paper writes it, one counter at a time.
private func philox(counter: (UInt32, UInt32, UInt32, UInt32), key: (UInt32, UInt32)) -> [UInt32] {
    var (c0, c1, c2, c3) = counter
    var (k0, k1) = key
    for _ in 0..<10 {
        let first = c0.multipliedFullWidth(by: 0xD251_1F53), second = c2.multipliedFullWidth(by: 0xCD9E_8D57)
        (c0, c1, c2, c3) = (second.high ^ c1 ^ k0, second.low, first.high ^ c3 ^ k1, first.low)
        k0 &+= 0x9E37_79B9
        k1 &+= 0xBB67_AE85
    }
    return [c0, c1, c2, c3]
}

@Suite struct KernelDropoutTests {
    @Test("The oracle gives the known answers of Random123") func knownAnswers() {
        let all = UInt32.max
        #expect(philox(counter: (0, 0, 0, 0), key: (0, 0)) == [0x6627_E8D5, 0xE169_C58D, 0xBC57_AC4C, 0x9B00_DBD8])
        #expect(
            philox(counter: (all, all, all, all), key: (all, all)) == [
                0x408F_276D, 0x41C8_3B0E, 0xA20B_C7C6, 0x6D54_51FD,
            ])
        #expect(
            philox(counter: (0x243F_6A88, 0x85A3_08D3, 0x1319_8A2E, 0x0370_7344), key: (0xA409_3822, 0x299F_31D0))
                == [0xD16C_FE09, 0x94FD_CCEB, 0x5001_E420, 0x2412_6EA1])
    }

    /// The number of one position of a stream.
    private func number(_ position: UInt64, key: UInt64, stream: UInt64) -> UInt32 {
        func halves(_ value: UInt64) -> (UInt32, UInt32) { (UInt32(truncatingIfNeeded: value), UInt32(value >> 32)) }
        let counter = halves(position / 4), stream = halves(stream)
        return philox(counter: (counter.0, counter.1, stream.0, stream.1), key: halves(key))[Int(position % 4)]
    }

    // The last one crosses the border at which the counter's first word overflows.
    @Test("Dropout keeps what the stream says", arguments: [0, 1, 7, 1 << 33 + 2, (1 << 34) - 21] as [UInt64])
    func streams(first: UInt64) {
        let key: UInt64 = 0x1234_5678_9ABC_DEF0, stream: UInt64 = 0xFEDC_0000_0000_0003
        for size in oddSizes {
            var random = KernelRandom(size)
            let threshold = size % 2 == 0 ? UInt32(0x4000_0000) : 0xC000_0000
            let keep = (0..<UInt64(size)).map { number(first + $0, key: key, stream: stream) >= threshold }
            KernelCheck(
                label: "dropout of \(size) from \(first)", inputs: [random.floats(size)],
                outputs: [[Float](repeating: .nan, count: size)], inPlace: 0
            ).run { table, inputs, outputs in
                table.dropout(outputs[0], inputs[0], size, key, stream, first, threshold, 1.25)
            } expected: { values in
                [zip(values[0], keep).map { $1 ? 1.25 * $0 : 0 }]
            }
        }
    }

    @Test("A threshold keeps its share", arguments: KernelSet.present)
    func share(instructionSet: KernelSet) throws {
        let table = try #require(instructionSet.table)
        let ones = [Float](repeating: 1, count: 100_000)
        var y = ones
        table.dropout(&y, ones, ones.count, 1, 2, 0, UInt32(0.3 * 0x1p32), 1)
        #expect(abs(Double(y.reduce(0, +)) / 100_000 - 0.7) < 0.005)
        table.dropout(&y, ones, ones.count, 1, 2, 0, 0, 1)
        #expect(y == ones)
    }
}
