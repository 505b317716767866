import Testing

@testable import TortoiseCore

/// Element-wise arithmetic of two tensors and of a tensor and a number.
@Suite struct ArithmeticTests {
    private static let operations: [String: @Sendable (Tensor, Tensor) -> Tensor] = [
        "add": { $0 + $1 }, "subtract": { $0 - $1 }, "multiply": { $0 * $1 }, "divide": { $0 / $1 },
        "maximum": { Tensor.maximum($0, $1) }, "minimum": { Tensor.minimum($0, $1) },
    ]

    /// Every way in which axes can align; repeated inputs would make ties, where an extreme has a kink.
    @Test(arguments: operations.keys.sorted())
    func broadcasting(_ name: String) throws {
        let operation = try #require(Self.operations[name])
        let cases = try GoldenFile("Ops/arithmetic.safetensors").cases(name)
        #expect(cases.count == 17)
        for item in cases {
            checkOp(item, name.hasSuffix("imum") ? [.differences, .views] : .all) { operation($0[0], $0[1]) }
        }
    }

    @Test func equalElementsShareTheGradientOfAnExtreme() throws {
        let file = try GoldenFile("Ops/arithmetic.safetensors")
        checkOp(try file["tie.maximum"], .views) { Tensor.maximum($0[0], $0[1]) }
        checkOp(try file["tie.minimum"], .views) { Tensor.minimum($0[0], $0[1]) }
    }

    @Test func numbersOnEitherSide() throws {
        let file = try GoldenFile("Ops/arithmetic.safetensors")
        checkOp(try file["scalar.add"]) { $0[0] + 1.5 }
        checkOp(try file["scalar.add"]) { 1.5 + $0[0] }
        checkOp(try file["scalar.subtract"]) { $0[0] - 1.5 }
        checkOp(try file["scalar.subtractFrom"]) { 1.5 - $0[0] }
        checkOp(try file["scalar.multiply"]) { $0[0] * 1.5 }
        checkOp(try file["scalar.multiply"]) { 1.5 * $0[0] }
        checkOp(try file["scalar.divide"]) { $0[0] / 1.5 }
        checkOp(try file["scalar.divideBy"]) { 1.5 / $0[0] }
        checkOp(try file["scalar.negate"]) { -$0[0] }
        checkOp(try file["twice"]) { $0[0] * $0[0] + $0[0] }
    }

    @Test func infinitiesAndMissingValues() {
        let a = Tensor([.infinity, -.infinity, .nan, 0, 1, .infinity, 3e38])
        let b = Tensor([1, .infinity, 1, 0, 0, -.infinity, 3e38])
        for set in TortoiseCore.InstructionSet.allCases where set.isAvailable {
            Execution.with(instructionSet: set) {
                func check(_ found: Tensor, _ expected: [Float], _ name: String) {
                    #expect(
                        TensorDifference(found, from: Tensor(expected)).error == 0, "\(name) [\(set)]: \(found.values)")
                }
                check(a + b, [.infinity, .nan, .nan, 0, 1, .nan, .infinity], "add")
                check(a - b, [.infinity, -.infinity, .nan, 0, 1, .infinity, 0], "subtract")
                check(a * b, [.infinity, -.infinity, .nan, 0, 0, -.infinity, .infinity], "multiply")
                check(a / b, [.infinity, .nan, .nan, .nan, .infinity, .nan, 1], "divide")
                check(Tensor.maximum(a, b), [.infinity, .infinity, .nan, 0, 1, .infinity, 3e38], "maximum")
                check(Tensor.minimum(a, b), [1, -.infinity, .nan, 0, 0, -.infinity, 3e38], "minimum")
            }
        }
    }

    @Test(arguments: operations.keys.sorted())
    func largeInputsAreSplitWithoutATrace(_ name: String) throws {
        let operation = try #require(Self.operations[name])
        checkSplitting("\(name), equal shapes", [randomTensor([331, 257], "a"), randomTensor([331, 257], "b")]) {
            operation($0[0], $0[1] * 0.1 + 3)
        }
        checkSplitting("\(name), rows", [randomTensor([331, 257], "a"), randomTensor([257], "b")]) {
            operation($0[0], $0[1] * 0.1 + 3)
        }
        checkSplitting("\(name), columns", [randomTensor([31, 1, 1007], "a"), randomTensor([5, 1], "b")]) {
            operation($0[0], $0[1] * 0.1 + 3)
        }
    }

    @Test func shapesThatDoNotBroadcastStop() async {
        await #expect(processExitsWith: .failure) { _ = Tensor.ones([2, 3]) + Tensor.ones([2, 4]) }
        await #expect(processExitsWith: .failure) { _ = Tensor.ones([2, 3]) * Tensor.ones([3, 2]) }
        await #expect(processExitsWith: .failure) { _ = Tensor.maximum(.ones([2]), .ones([0])) }
        await #expect(processExitsWith: .failure) { _ = Tensor.ones([2]) + Tensor(indices: [1, 2]) }
    }
}
