import Testing

@testable import TortoiseCore

/// Element-wise functions of one tensor.
@Suite struct UnaryTests {
    private static let functions: [String: @Sendable (Tensor) -> Tensor] = [
        "exp": { $0.exp }, "log": { $0.log }, "sqrt": { $0.sqrt }, "rsqrt": { $0.rsqrt },
        "reciprocal": { $0.reciprocal },
        "squared": { $0.squared }, "sin": { $0.sin }, "cos": { $0.cos }, "tanh": { $0.tanh }, "sigmoid": { $0.sigmoid },
        "softplus": { $0.softplus }, "magnitude": { $0.magnitude }, "relu": { $0.relu },
        "leakyReLU": { $0.leakyReLU(slope: 0.2) }, "silu": { $0.silu }, "gelu": { $0.gelu },
        "geluTanh": { $0.geluTanh },
        "clamped": { $0.clamped(to: -0.5...1.25) }, "power": { $0.power(1.7) }, "cube": { $0.power(3) },
        "negativePower": { $0.power(-0.7) },
    ]

    @Test(arguments: functions.keys.sorted())
    func matchesPyTorch(_ name: String) throws {
        let function = try #require(Self.functions[name])
        let cases = try GoldenFile("Ops/unary.safetensors").cases("\(name).").filter { !$0.name.hasSuffix("special") }
        #expect(cases.count == 5)
        for item in cases { checkOp(item) { function($0[0]) } }
    }

    /// Zeros of both signs, infinities, NaN, and arguments where functions overflow, vanish or saturate.
    @Test(arguments: functions.keys.sorted())
    func specialValues(_ name: String) throws {
        let function = try #require(Self.functions[name])
        let file = try GoldenFile("Ops/unary.safetensors")
        let input = try file.tensor("\(name).special/input0")
        let (values, slopes) = (try file.tensor("\(name).special/output"), try file.tensor("\(name).special/slope"))
        let tiny = 128 * Float.leastNormalMagnitude
        // 1 − y and 1 − y² of an output near 1 have the absolute precision of the output.
        let absolute = ["sigmoid", "tanh"].contains(name) ? 0x1p-23 : tiny
        for set in TortoiseCore.InstructionSet.allCases where set.isAvailable {
            Execution.with(instructionSet: set, threads: 1) {
                let x = input.tracked()
                let y = function(x)
                let dx = y.gradients(seed: .ones(y.shape))[x]
                for (i, at) in input.values.enumerated() {
                    expectSame(y.values[i], values.values[i], tiny, "\(name)(\(at)) [\(set)]")
                    // What a slope is where there is no value, nobody defines; and a square beyond 1e38 overflows.
                    guard !at.isNaN, name != "geluTanh" || abs(at) < 1e19 else { continue }
                    expectSame(dx?.values[i] ?? .nan, slopes.values[i], absolute, "\(name)'(\(at)) [\(set)]")
                }
            }
        }
    }

    /// The same class of value and the same digits. What has a factor below float32's normal range may be 0, and powers
    /// have an exponent of 24 bits.
    private func expectSame(_ found: Float, _ expected: Float, _ absolute: Float, _ what: String) {
        let isSame =
            expected.isFinite
            ? abs(found - expected) <= 1e-5 * abs(expected) + absolute
            : found == expected || (found.isNaN && expected.isNaN)
        #expect(isSame, "\(what) is \(found), expected \(expected)")
    }

    @Test(arguments: functions.keys.sorted())
    func largeInputsAreSplitWithoutATrace(_ name: String) throws {
        let function = try #require(Self.functions[name])
        checkSplitting(name, [randomTensor([17, 2_003])]) { function($0[0].magnitude + 0.5) }
    }
}
