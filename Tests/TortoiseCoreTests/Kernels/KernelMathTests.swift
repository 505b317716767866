import CKernels
import Foundation
import Testing

/// An element-wise function in double precision, and where it may be compared and differentiated.
/// (Sendable in all but name: an imported C enumeration is a plain number.)
private struct MathFunction: CustomTestStringConvertible, @unchecked Sendable {
    var op: tk_unary
    var name: String
    var range: ClosedRange<Float> = -6...6
    var p: Float = 0
    var q: Float = 0
    var savesOutput = false
    var tolerance = (absolute: 1e-7, relative: 6e-7)
    var value: @Sendable (Double) -> Double

    var testDescription: String { name }
    func gradient(_ x: Double) -> Double { numericalGradient(at: [x], weights: [1]) { [value($0[0])] }[0] }
}

private func sigmoid(_ x: Double) -> Double { 1 / (1 + exp(-x)) }

private let functions: [MathFunction] = [
    .init(op: TK_NEGATE, name: "negate", savesOutput: true) { -$0 },
    .init(op: TK_ABS, name: "abs") { abs($0) },
    .init(op: TK_EXP, name: "exp", range: -80...80, savesOutput: true) { exp($0) },
    .init(op: TK_LOG, name: "log", range: 1e-3...50) { log($0) },
    .init(op: TK_SQRT, name: "sqrt", range: 1e-2...100, savesOutput: true) { $0.squareRoot() },
    .init(op: TK_RSQRT, name: "rsqrt", range: 1e-2...100, savesOutput: true) { 1 / $0.squareRoot() },
    .init(op: TK_RECIPROCAL, name: "reciprocal", range: 0.1...20, savesOutput: true) { 1 / $0 },
    .init(op: TK_SQUARE, name: "square") { $0 * $0 },
    .init(op: TK_SIN, name: "sin", range: -1000...1000) { sin($0) },
    .init(op: TK_COS, name: "cos", range: -1000...1000) { cos($0) },
    .init(op: TK_TANH, name: "tanh", savesOutput: true) { tanh($0) },
    .init(op: TK_SIGMOID, name: "sigmoid", range: -20...20, savesOutput: true) { sigmoid($0) },
    .init(op: TK_SOFTPLUS, name: "softplus", range: -30...30) { max($0, 0) + log1p(exp(-abs($0))) },
    .init(op: TK_RELU, name: "relu", savesOutput: true) { max($0, 0) },
    .init(op: TK_LEAKY_RELU, name: "leaky relu", p: 0.2) { $0 < 0 ? Double(Float(0.2)) * $0 : $0 },
    .init(op: TK_CLAMP, name: "clamp", p: -1.5, q: 2) { min(max($0, -1.5), 2) },
    .init(op: TK_POW, name: "pow 2", p: 2) { pow($0, 2) },
    .init(op: TK_POW, name: "pow -1", range: 0.5...4, p: -1) { pow($0, -1) },
    .init(op: TK_POW, name: "pow 3", p: 3) { pow($0, 3) },
    .init(op: TK_POW, name: "pow 0", p: 0) { _ in 1 },
    .init(op: TK_POW, name: "pow 0.3", range: 0.01...9, p: 0.3) { pow($0, Double(Float(0.3))) },
    .init(op: TK_GELU_TANH, name: "gelu tanh") {
        0.5 * $0 * (1 + tanh((2 / Double.pi).squareRoot() * ($0 + 0.044715 * $0 * $0 * $0)))
    },
    .init(op: TK_GELU_ERF, name: "gelu erf") { 0.5 * $0 * erfc(-$0 / 2.0.squareRoot()) },
    .init(op: TK_SILU, name: "silu", range: -20...20) { $0 * sigmoid($0) },
    .init(op: TK_AFFINE, name: "affine", p: -1.5, q: 0.75, savesOutput: true) { -1.5 * $0 + 0.75 },
]

@Suite struct KernelMathTests {
    @Test("Element-wise functions agree with double precision", arguments: functions)
    private func values(function: MathFunction) {
        for size in oddSizes {
            var random = KernelRandom(size)
            KernelCheck(
                label: "\(function.name) of \(size)", inputs: [random.floats(size, in: function.range)],
                outputs: [[Float](repeating: .nan, count: size)], inPlace: 0,
                tolerance: Tolerance(absolute: function.tolerance.absolute, relative: function.tolerance.relative)
            ).run { table, inputs, outputs in
                table.unary(function.op, outputs[0], inputs[0], size, function.p, function.q)
            } expected: {
                [$0[0].map(function.value)]
            }
        }
    }

    @Test("Gradients agree with central differences", arguments: functions)
    private func gradients(function: MathFunction) {
        for size in oddSizes {
            var random = KernelRandom(size + 1)
            // Central differences do not see a kink that they step over.
            let kinks = [0, Double(function.p), Double(function.q)]
            let x = random.floats(size, in: function.range).map { value in
                kinks.contains { abs($0 - Double(value)) < 1e-3 } ? value + 0.01 : value
            }
            let saved = function.savesOutput ? x.map { Float(function.value(Double($0))) } : x
            let points = x.map(Double.init)
            KernelCheck(
                label: "gradient of \(function.name), \(size)", inputs: [saved, random.floats(size)],
                outputs: [[Float](repeating: .nan, count: size)], inPlace: 1,
                tolerance: Tolerance(absolute: 3e-6, relative: 5e-6)
            ).run { table, inputs, outputs in
                table.unary_gradient(function.op, outputs[0], inputs[0], inputs[1], size, function.p, function.q)
            } expected: {
                [zip(points, $0[1]).map { function.gradient($0) * $1 }]
            }
        }
    }

    /// A function at one point, with every instruction set, in a whole vector and in a part of one.
    private func expect(
        _ op: tk_unary, _ x: Float, _ expected: Float, ulps: Float = 4,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        for instructionSet in KernelSet.present {
            for count in [1, 16] {
                var y = [Float](repeating: 0, count: count)
                instructionSet.table?.unary(op, &y, [Float](repeating: x, count: count), count, 0, 0)
                let right = y.allSatisfy {
                    expected.isNaN ? $0.isNaN : $0 == expected || abs($0 - expected) <= ulps * expected.ulp
                }
                #expect(right, "op \(op.rawValue) of \(x) with \(instructionSet): \(y)", sourceLocation: sourceLocation)
            }
        }
    }

    @Test("Functions are right at zeros, infinities, NaN and the edges of the range") func specialValues() {
        for op in [
            TK_EXP, TK_LOG, TK_SIN, TK_COS, TK_TANH, TK_SIGMOID, TK_SOFTPLUS, TK_RELU, TK_CLAMP, TK_GELU_ERF, TK_SILU,
        ] {
            expect(op, .nan, .nan)
        }
        expect(TK_EXP, 0, 1, ulps: 0)
        expect(TK_EXP, -.infinity, 0)
        expect(TK_EXP, .infinity, .infinity)
        expect(TK_EXP, 88.72, Float(exp(Double(Float(88.72)))))
        expect(TK_EXP, 88.73, .infinity)
        expect(TK_EXP, -100, Float(exp(-100.0)), ulps: 1)
        expect(TK_EXP, -104, 0)
        expect(TK_LOG, 0, -.infinity)
        expect(TK_LOG, -1, .nan)
        expect(TK_LOG, .infinity, .infinity)
        expect(TK_LOG, 1, 0, ulps: 0)
        expect(TK_LOG, .leastNonzeroMagnitude, Float(log(Double(Float.leastNonzeroMagnitude))))
        expect(TK_LOG, 1 + .ulpOfOne, Float(log1p(Double(Float.ulpOfOne))))
        expect(TK_TANH, .infinity, 1, ulps: 0)
        expect(TK_TANH, -.infinity, -1, ulps: 0)
        expect(TK_TANH, 1e-8, 1e-8)
        expect(TK_TANH, -1e-30, -1e-30)
        expect(TK_SIGMOID, -.infinity, 0)
        expect(TK_SIGMOID, .infinity, 1, ulps: 0)
        expect(TK_SOFTPLUS, 200, 200, ulps: 0)
        expect(TK_SOFTPLUS, -40, Float(exp(-40.0)))
        expect(TK_GELU_ERF, -1e30, 0)
        expect(TK_GELU_ERF, -5, Float(-2.5 * erfc(5 / 2.0.squareRoot())), ulps: 30)
        expect(TK_GELU_TANH, 1e30, 1e30, ulps: 0)
        expect(TK_SIN, .infinity, .nan)
        expect(TK_SIN, 1e-20, 1e-20)
        for angle: Float in [355, 1e4, 99_999, 1e6, -3e7, 1e30] {
            expect(TK_SIN, angle, Float(sin(Double(angle))))
            expect(TK_COS, angle, Float(cos(Double(angle))))
        }
    }

    @Test("A far angle does not change the sine of its neighbours") func farAngles() {
        for instructionSet in KernelSet.present {
            let near: [Float] = (0..<16).map { 0.37 * Float($0) - 2 }
            var far = near
            far[5] = 1e9
            var y = near, z = far
            instructionSet.table?.unary(TK_SIN, &y, near, 16, 0, 0)
            instructionSet.table?.unary(TK_SIN, &z, far, 16, 0, 0)
            y[5] = Float(sin(1e9))
            z[5] = y[5]
            #expect(y == z)
        }
    }

    @Test("An element's bits do not depend on how the work is split", arguments: KernelSet.present)
    func splitting(instructionSet: KernelSet) throws {
        let table = try #require(instructionSet.table)
        var random = KernelRandom(5)
        let x = random.floats(200, in: 0.01...7)
        for function in functions {
            var whole = [Float](repeating: 0, count: 200), parts = whole
            table.unary(function.op, &whole, x, 200, function.p, function.q)
            for begin in stride(from: 0, to: 200, by: 13) {
                let count = min(13, 200 - begin)
                let part = Array(x[begin..<begin + count])
                var result = part
                table.unary(function.op, &result, part, count, function.p, function.q)
                parts.replaceSubrange(begin..<begin + count, with: result)
            }
            #expect(whole == parts, "\(function.name)")
        }
    }

    @Test("accumulate and lerp agree with double precision") func combinations() {
        for size in oddSizes {
            var random = KernelRandom(size)
            let x = random.floats(size), y = random.floats(size)
            KernelCheck(label: "accumulate \(size)", inputs: [x], outputs: [y]).run { table, inputs, outputs in
                table.accumulate(outputs[0], inputs[0], size, -0.75)
            } expected: {
                [zip($0[0], y).map { Double($1) - 0.75 * $0 }]
            }
            KernelCheck(label: "lerp \(size)", inputs: [x], outputs: [y]).run { table, inputs, outputs in
                table.lerp(outputs[0], inputs[0], size, 0.25)
            } expected: {
                [zip($0[0], y).map { Double($1) + 0.25 * ($0 - Double($1)) }]
            }
        }
    }
}
