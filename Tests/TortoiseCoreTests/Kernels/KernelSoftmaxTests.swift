import CKernels
import Foundation
import Testing

/// The logarithm of the softmax of a row, in double precision.
private func logSoftmax(_ x: [Double]) -> [Double] {
    let largest = x.max() ?? 0
    let logSum = log(x.reduce(0) { $0 + exp($1 - largest) })
    return x.map { $0 - largest - logSum }
}

private func softmax(_ x: [Double]) -> [Double] { logSoftmax(x).map { exp($0) } }

private func eachRow(_ x: [Double], _ n: Int, _ body: ([Double]) -> [Double]) -> [Double] {
    stride(from: 0, to: x.count, by: max(n, 1)).flatMap { body(Array(x[$0..<$0 + n])) }
}

@Suite struct KernelSoftmaxTests {
    private let tight = Tolerance(absolute: 1e-7, relative: 3e-6)

    @Test("Softmax and log-softmax agree with double precision") func values() {
        for size in oddSizes {
            var random = KernelRandom(size)
            let x = random.floats(3 * size, in: -15...15), blank = [Float](repeating: .nan, count: 3 * size)
            KernelCheck(label: "softmax \(size)", inputs: [x], outputs: [blank], inPlace: 0, tolerance: tight)
                .run { table, inputs, outputs in
                    table.softmax_rows(outputs[0], inputs[0], 3, size)
                } expected: {
                    [eachRow($0[0], size, softmax)]
                }
            KernelCheck(
                label: "log-softmax \(size)", inputs: [x], outputs: [blank], inPlace: 0,
                tolerance: Tolerance(absolute: 2e-6)
            )
            .run { table, inputs, outputs in
                table.log_softmax_rows(outputs[0], inputs[0], 3, size)
            } expected: {
                [eachRow($0[0], size, logSoftmax)]
            }
        }
    }

    @Test("Gradients agree with central differences") func gradients() {
        for size in oddSizes where size <= 100 {
            var random = KernelRandom(size)
            let x = random.floats(size).map(Double.init), dy = random.floats(size),
                blank = [Float](repeating: .nan, count: size)
            for (name, function) in [("softmax", softmax), ("log-softmax", logSoftmax)] {
                KernelCheck(
                    label: "gradient of \(name) \(size)", inputs: [function(x).map(Float.init), dy], outputs: [blank],
                    inPlace: 1,
                    tolerance: Tolerance(absolute: 3e-6, relative: 3e-6)
                ).run { table, inputs, outputs in
                    let kernel = name == "softmax" ? table.softmax_gradient_rows : table.log_softmax_gradient_rows
                    kernel?(outputs[0], inputs[0], inputs[1], 1, size)
                } expected: {
                    [numericalGradient(at: x, weights: $0[1], of: function)]
                }
            }
        }
    }

    @Test("Far logits, masked logits and NaN", arguments: KernelSet.present)
    func specialValues(instructionSet: KernelSet) throws {
        let table = try #require(instructionSet.table)
        var y = [Float](repeating: 0, count: 20)
        table.softmax_rows(&y, [1e4, -1e4] + [Float](repeating: -.infinity, count: 18), 1, 20)
        #expect(y == [1] + [Float](repeating: 0, count: 19))
        table.log_softmax_rows(&y, [1e4, -1e4], 1, 2)
        #expect(y[0] == 0 && y[1] == -2e4)
        table.softmax_rows(&y, [Float](repeating: -.infinity, count: 20), 1, 20)
        #expect(y.allSatisfy { $0.isNaN })
        table.softmax_rows(&y, [Float](repeating: 1, count: 19) + [.nan], 1, 20)
        #expect(y.allSatisfy { $0.isNaN })
    }

    @Test("A row's bits do not depend on the other rows", arguments: KernelSet.present)
    func splitting(instructionSet: KernelSet) throws {
        let table = try #require(instructionSet.table)
        var random = KernelRandom(1)
        let x = random.floats(5 * 101)
        var whole = x, parts = x
        table.softmax_rows(&whole, x, 5, 101)
        for row in 0..<5 {
            parts.withUnsafeMutableBufferPointer { y in
                guard let base = y.baseAddress else { return }
                table.softmax_rows(base + row * 101, base + row * 101, 1, 101)
            }
        }
        #expect(whole == parts)
    }

    @Test("Cross entropy and its gradient agree with double precision", arguments: [0, 0.1] as [Float])
    func crossEntropy(smoothing: Float) {
        let ignored: Int32 = -100, rows = 4
        for size in oddSizes where size > 0 {
            var random = KernelRandom(size)
            let logits = random.floats(rows * size, in: -8...8), scales = random.floats(rows)
            let targets = [0, Int32(size - 1), ignored, Int32(size / 2)]
            func losses(_ x: [Double]) -> [Double] {
                (0..<rows).map { row in
                    guard targets[row] != ignored else { return 0 }
                    let logs = logSoftmax(Array(x[row * size..<(row + 1) * size])), even = Double(smoothing)
                    return -(1 - even) * logs[Int(targets[row])] - even * logs.reduce(0, +) / Double(size)
                }
            }
            func logSums(_ x: [Double]) -> [Double] {
                (0..<rows).map { x[$0 * size] - logSoftmax(Array(x[$0 * size..<($0 + 1) * size]))[0] }
            }
            let blank = [Float](repeating: .nan, count: rows)
            KernelCheck(
                label: "cross entropy \(size)", inputs: [logits], outputs: [blank, blank],
                tolerance: Tolerance(absolute: 1e-6)
            )
            .run { table, inputs, outputs in
                table.cross_entropy_rows(outputs[0], outputs[1], inputs[0], targets, rows, size, ignored, smoothing)
            } expected: {
                [losses($0[0]), logSums($0[0])]
            }

            guard size <= 100 else { continue }
            let lse = logSums(logits.map(Double.init)).map(Float.init)
            KernelCheck(
                label: "gradient of cross entropy \(size)", inputs: [logits, lse, scales],
                outputs: [[Float](repeating: .nan, count: rows * size)], inPlace: 0,
                tolerance: Tolerance(absolute: 3e-6)
            ).run { table, inputs, outputs in
                table.cross_entropy_gradient_rows(
                    outputs[0], inputs[0], inputs[1], targets, inputs[2], rows, size, ignored, smoothing)
            } expected: {
                [numericalGradient(at: $0[0], weights: $0[2], of: losses)]
            }
        }
    }
}
