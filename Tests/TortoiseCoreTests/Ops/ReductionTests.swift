import Testing

@testable import TortoiseCore

/// Sums, means, variances and extremes along any axes.
@Suite struct ReductionTests {
    private let file: GoldenFile

    init() throws { file = try GoldenFile("Ops/reductions.safetensors") }

    @Test func sumsAndMeans() throws {
        for (name, function) in [("sum", { $0.sum($1, keepingAxes: $2) }), ("mean", { $0.mean($1, keepingAxes: $2) })]
            as [(String, (Tensor, [Int], Bool) -> Tensor)]
        {
            for item in try file.cases(name) {
                let (axes, keep) = (try item.ints("axes"), try item.bool("keep"))
                checkOp(item) { function($0[0], axes, keep) }
            }
        }
        checkOp(try file["everything.sum"]) { $0[0].sum }
        checkOp(try file["everything.mean"]) { $0[0].mean }
    }

    @Test func variances() throws {
        for item in try file.cases("variance") {
            let (axes, keep, correction) = (try item.ints("axes"), try item.bool("keep"), try item.int("correction"))
            checkOp(item) { $0[0].variance(axes, correction: correction, keepingAxes: keep) }
        }
    }

    /// Repeated inputs would make ties.
    @Test func extremes() throws {
        for item in try file.cases("maximum") {
            let (axis, keep) = (try item.int("axis"), try item.bool("keep"))
            checkOp(item, [.differences, .views]) { $0[0].maximum(axis, keepingAxes: keep) }
        }
        for item in try file.cases("minimum") {
            let (axis, keep) = (try item.int("axis"), try item.bool("keep"))
            checkOp(item, [.differences, .views]) { $0[0].minimum(axis, keepingAxes: keep) }
        }
        checkOp(try file["tie.maximum"], .views) { $0[0].maximum(1) }
        checkOp(try file["tie.minimum"], .views) { $0[0].minimum(1) }
    }

    @Test func argmaxNamesTheFirst() throws {
        for item in try file.cases("argmax") {
            for set in TortoiseCore.InstructionSet.allCases where set.isAvailable {
                Execution.with(instructionSet: set, threads: 1) {
                    for input in [item.inputs[0], transposedInMemory(item.inputs[0]), stridedInMemory(item.inputs[0])] {
                        #expect(input.argmax.shape == item.output.shape)
                        #expect(input.argmax.indexValues == item.output.indexValues, "\(item.name) [\(set)]")
                    }
                }
            }
        }
    }

    @Test func emptyAxes() {
        #expect(Tensor.ones([2, 0, 3]).sum(1).values == [Float](repeating: 0, count: 6))
        #expect(Tensor.ones([2, 0]).sum(0).shape == [0])
        #expect(Tensor.ones([0]).mean.item.isNaN)
    }

    /// A variance far from zero, which one pass over squares would lose.
    @Test func varianceKeepsDigitsFarFromZero() {
        let x = randomTensor([4_096])
        let (near, far) = (x.variance([0]).item, ((x * 0x1p-4 + 4_096) - 4_096).variance([0]).item * 0x1p8)
        #expect(abs(near - far) < 2e-2 * near)
    }

    @Test func sumOfSquaresIsDouble() {
        let x = randomTensor([300_001])
        let expected = x.values.reduce(0.0) { $0 + Double($1) * Double($1) }
        let found = Execution.with(threads: 1) { x.sumOfSquares }
        #expect(abs(found - expected) < 1e-7 * expected)
        #expect(Execution.with(threads: 2) { x.sumOfSquares } == found)
    }

    /// Along outer, inner, middle and separate axes.
    @Test func largeInputsAreSplitWithoutATrace() {
        for axes in [[0], [1], [2], [0, 2], [0, 1, 2]] {
            checkSplitting("sum along \(axes)", [randomTensor([37, 41, 83])]) { $0[0].sum(axes) }
            checkSplitting("variance along \(axes)", [randomTensor([37, 41, 83])]) { $0[0].variance(axes) }
        }
        for axis in 0..<3 {
            checkSplitting("maximum along \(axis)", [randomTensor([37, 41, 83])]) { $0[0].maximum(axis) }
        }
    }

    @Test func wrongAxesStop() async {
        await #expect(processExitsWith: .failure) { _ = Tensor.ones([2, 3]).sum(2) }
        await #expect(processExitsWith: .failure) { _ = Tensor.ones([2, 0]).maximum(1) }
        await #expect(processExitsWith: .failure) { _ = Tensor.ones([2, 0]).argmax }
    }
}
