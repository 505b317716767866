import CKernels
import Foundation
import Testing

@Suite struct KernelAttentionTests {
    // MARK: - One query

    @Test("One query agrees with double precision", arguments: [1, 7, 8, 20, 32, 64, 100, 128])
    func attendOne(width: Int) {
        for length in [0, 1, 2, 3, 4, 5, 8, 17, 100, 301] {
            var random = KernelRandom(width * 1000 + length)
            let (keyStride, valueStride) = (width + 3, width + 5)
            var bias = random.floats(length)
            for index in stride(from: 1, to: length, by: 3) { bias[index] = -.infinity }
            for hasBias in [false, true] {
                KernelCheck(
                    label: "attend \(length) x \(width)",
                    inputs: [
                        random.floats(width), random.floats(length * keyStride), random.floats(length * valueStride),
                        bias,
                    ],
                    outputs: [[Float](repeating: .nan, count: width)],
                    tolerance: Tolerance(absolute: 3e-6, relative: 3e-6)
                ).run { table, inputs, outputs in
                    let scratch = GuardedFloats([Float](repeating: .nan, count: length))
                    table.attend_one(
                        outputs[0], inputs[0], inputs[1], keyStride, inputs[2], valueStride, length, width, 0.3,
                        hasBias ? inputs[3] : nil, scratch.pointer)
                    #expect(scratch.isIntact)
                } expected: { inputs in
                    var scores = hasBias ? inputs[3] : [Double](repeating: 0, count: length)
                    for t in 0..<length {
                        for column in 0..<width {
                            scores[t] += Double(Float(0.3)) * inputs[0][column] * inputs[1][t * keyStride + column]
                        }
                    }
                    var y = [Double](repeating: 0, count: width)
                    for (t, weight) in softmax(scores).enumerated() {
                        for column in 0..<width { y[column] += weight * inputs[2][t * valueStride + column] }
                    }
                    return [y]
                }
            }
        }
    }

    /// The softmax of scores; zeros where all of them are masked.
    private func softmax(_ scores: [Double]) -> [Double] {
        let largest = scores.max() ?? 0
        if largest == -.infinity { return scores.map { _ in 0 } }
        let weights = scores.map { exp($0 - largest) }
        let sum = weights.reduce(0, +)
        return weights.map { $0 / sum }
    }

    @Test("A query that sees nothing is zero, and NaN is not hidden", arguments: KernelSet.present)
    func attendOneSpecialValues(instructionSet: KernelSet) throws {
        let table = try #require(instructionSet.table)
        let (length, width) = (9, 20)
        let ones = [Float](repeating: 1, count: length * width)
        var y = [Float](repeating: .nan, count: width), scratch = [Float](repeating: 0, count: length)
        let masked = [Float](repeating: -.infinity, count: length)
        table.attend_one(&y, ones, ones, width, ones, width, length, width, 1, masked, &scratch)
        #expect(y.allSatisfy { $0 == 0 })
        let broken = [Float](repeating: .nan, count: width)
        table.attend_one(&y, broken, ones, width, ones, width, length, width, 1, nil, &scratch)
        #expect(y.allSatisfy { $0.isNaN })
        // Scores far beyond the range of exp.
        table.attend_one(&y, ones, ones, width, ones, width, length, width, 1e4, nil, &scratch)
        #expect(y.allSatisfy { abs($0 - 1) < 1e-6 })
    }

    // MARK: - Tiles

    /// What a test of tiles needs: scores of `rows` x `columns`, and the three kinds of masks.
    private struct Scores {
        let rows = 5
        let columns: Int
        let scale: Float = 0.7
        var scores: [Float]
        var bias: [Float]
        var limit: [Int32]
        var keyMask: [UInt8]

        init(columns: Int) {
            var random = KernelRandom(columns)
            self.columns = columns
            scores = random.floats(rows * columns, in: -9...9)
            bias = random.floats(rows * columns)
            if columns > 2 { bias[columns + 2] = -.infinity }
            limit = [0, Int32(columns / 2), Int32(columns), Int32(columns + 9), -4]
            keyMask = (0..<columns).map { UInt8($0 % 3 == 1 ? 0 : $0 % 200 + 1) }
        }

        /// scale s + bias in double precision, -inf where masked.
        func value(_ row: Int, _ column: Int, bias hasBias: Bool, limit hasLimit: Bool, keyMask hasMask: Bool) -> Double
        {
            if hasLimit && column >= limit[row] || hasMask && keyMask[column] == 0 { return -.infinity }
            let index = row * columns + column
            return Double(scale) * Double(scores[index]) + (hasBias ? Double(bias[index]) : 0)
        }
    }

    @Test(
        "Tiles of online softmax add up to the softmax of the row", arguments: KernelSet.present,
        [(false, false, false), (true, false, false), (false, true, false), (false, false, true), (true, true, true)])
    private func onlineSoftmax(instructionSet: KernelSet, masks: (bias: Bool, limit: Bool, keyMask: Bool)) throws {
        let table = try #require(instructionSet.table)
        for columns in [1, 3, 8, 16, 33, 100] {
            let given = Scores(columns: columns), rows = given.rows
            var maximum = [Float](repeating: -.infinity, count: rows), sum = [Float](repeating: 0, count: rows)
            var accumulated = [Double](repeating: 0, count: rows * columns)
            for start in stride(from: 0, to: columns, by: 15) {
                let width = min(15, columns - start), stride = width + 4
                var initial = [Float](repeating: 55, count: rows * stride)
                for row in 0..<rows {
                    for column in 0..<width {
                        initial[row * stride + column] = given.scores[row * columns + start + column]
                    }
                }
                let tile = GuardedFloats(initial)
                let bias = Array(given.bias[start...]), mask = Array(given.keyMask[start...])
                let limit = given.limit.map { $0 - Int32(start) }
                var correction = [Float](repeating: .nan, count: rows)
                let before = maximum
                bias.withUnsafeBufferPointer { bias in
                    limit.withUnsafeBufferPointer { limit in
                        mask.withUnsafeBufferPointer { mask in
                            table.online_softmax_rows(
                                tile.pointer, stride, rows, width, given.scale, masks.bias ? bias.baseAddress : nil,
                                columns,
                                masks.limit ? limit.baseAddress : nil, masks.keyMask ? mask.baseAddress : nil, &maximum,
                                &sum,
                                &correction)
                        }
                    }
                }
                #expect(tile.isIntact)
                for row in 0..<rows {
                    #expect(tile.values[row * stride + width..<(row + 1) * stride].allSatisfy { $0 == 55 })
                    let expected = maximum[row] == -.infinity ? 1 : exp(before[row] - maximum[row])
                    #expect(abs(correction[row] - expected) <= 1e-6)
                    let weights = tile.values[row * stride..<row * stride + width]
                    for column in 0..<start { accumulated[row * columns + column] *= Double(correction[row]) }
                    for (column, weight) in weights.enumerated() {
                        accumulated[row * columns + start + column] = Double(weight)
                    }
                }
            }
            for row in 0..<rows {
                let expected = (0..<columns).map {
                    given.value(row, $0, bias: masks.bias, limit: masks.limit, keyMask: masks.keyMask)
                }
                let weights = accumulated[row * columns..<(row + 1) * columns]
                let total = Double(sum[row])
                #expect(abs(weights.reduce(0, +) - total) <= 1e-5 * (1 + total))
                let largest = expected.max() ?? -.infinity
                #expect(largest == -.infinity ? maximum[row] == -.infinity : abs(Double(maximum[row]) - largest) < 1e-5)
                expectClose(
                    weights.map { total == 0 ? 0 : Float($0 / total) }, softmax(expected),
                    Tolerance(absolute: 1e-6, relative: 1e-5),
                    "row \(row) of \(columns) with \(masks)")
            }
        }
    }

    @Test("A fully masked tile is zero before and after a row has seen something", arguments: KernelSet.present)
    func maskedTiles(instructionSet: KernelSet) throws {
        let table = try #require(instructionSet.table)
        let columns = 19
        var maximum: [Float] = [-.infinity, 2], sum: [Float] = [0, 3], correction: [Float] = [.nan, .nan]
        let limit: [Int32] = [0, 0]
        // Garbage under the mask must not matter.
        var s = [Float](repeating: .nan, count: 2 * columns)
        table.online_softmax_rows(&s, columns, 2, columns, 1, nil, 0, limit, nil, &maximum, &sum, &correction)
        #expect(s.allSatisfy { $0 == 0 })
        #expect(maximum == [-.infinity, 2] && sum == [0, 3] && correction == [1, 1])

        s = [Float](repeating: .nan, count: 2 * columns)
        let mask = [UInt8](repeating: 0, count: columns)
        table.online_softmax_rows(&s, columns, 2, columns, 1, nil, 0, nil, mask, &maximum, &sum, &correction)
        #expect(s.allSatisfy { $0 == 0 })
        #expect(maximum == [-.infinity, 2] && sum == [0, 3] && correction == [1, 1])

        s = [Float](repeating: 1, count: 2 * columns)
        table.online_softmax_rows(&s, columns, 2, columns, 1, nil, 0, nil, nil, &maximum, &sum, &correction)
        #expect(correction == [0, 1] && maximum == [1, 2])
        #expect(s[..<columns].allSatisfy { $0 == 1 } && sum[0] == Float(columns))

        s = [Float](repeating: .nan, count: columns)
        var nothing: [Float] = [-.infinity], none: [Float] = [0]
        table.online_softmax_rows(&s, columns, 1, columns, 1, nil, 0, nil, nil, &nothing, &none, &correction)
        #expect(s.allSatisfy { $0.isNaN } && none[0].isNaN)  // NaN is not a mask
    }

    @Test("Probabilities are recomputed from the log of the sum", arguments: KernelSet.present)
    func weights(instructionSet: KernelSet) throws {
        let table = try #require(instructionSet.table)
        for columns in [1, 8, 21, 100] {
            let given = Scores(columns: columns), rows = given.rows, stride = columns + 2
            let values = (0..<rows).map { row in
                (0..<columns).map { given.value(row, $0, bias: true, limit: true, keyMask: true) }
            }
            let lse = values.map { row -> Float in
                let largest = row.max() ?? -.infinity
                let sum = row.reduce(0) { $0 + exp($1 - largest) }
                return largest == -.infinity ? -.infinity : Float(largest + log(sum))
            }
            let padding: [Float] = [55, 55]
            let s = GuardedFloats(
                (0..<rows).flatMap { row in Array(given.scores[row * columns..<(row + 1) * columns]) + padding })
            table.attention_weights_rows(
                s.pointer, stride, rows, columns, given.scale, given.bias, columns, given.limit, given.keyMask, lse)
            for row in 0..<rows {
                expectClose(
                    Array(s.values[row * stride..<(row + 1) * stride]), softmax(values[row]) + [55, 55],
                    Tolerance(absolute: 1e-6, relative: 1e-5), "row \(row) of \(columns)")
            }
            #expect(s.isIntact)
        }
    }

    @Test("Gradients of scores, and rows times factors") func scoreGradients() {
        let (rows, stride) = (4, 3)
        for columns in oddSizes where columns <= 1000 {
            var random = KernelRandom(columns)
            let width = columns + stride
            let p = random.floats(rows * (columns + 1)), factors = random.floats(rows)
            let before = random.floats(rows * width)
            KernelCheck(label: "score gradient \(columns)", inputs: [p, factors], outputs: [before, before]).run {
                table, inputs, outputs in
                table.attention_score_gradient_rows(outputs[0], width, inputs[0], columns + 1, rows, columns, inputs[1])
                table.scale_rows(outputs[1], width, rows, columns, inputs[1])
            } expected: { inputs in
                var gradient = before.map(Double.init), scaled = gradient
                for row in 0..<rows {
                    for column in 0..<columns {
                        let index = row * width + column
                        gradient[index] = inputs[0][row * (columns + 1) + column] * (gradient[index] - inputs[1][row])
                        scaled[index] *= inputs[1][row]
                    }
                }
                return [gradient, scaled]
            }
        }
    }
}
