import Testing

@testable import TortoiseCore

/// Matrix products and linear maps.
@Suite struct MatrixMultiplyTests {
    @Test func products() throws {
        let file = try GoldenFile("Ops/matmul.safetensors")
        for item in try file.cases("plain") { checkOp(item) { $0[0].matmul($0[1]) } }
    }

    @Test func transposedOperands() throws {
        let file = try GoldenFile("Ops/matmul.safetensors")
        for item in try file.cases("left") { checkOp(item) { $0[0].transposed().matmul($0[1]) } }
        for item in try file.cases("right") { checkOp(item) { $0[0].matmul($0[1].transposed()) } }
        checkOp(try file["both"]) { $0[0].transposed().matmul($0[1].transposed()) }
    }

    /// Operands whose matrices are interleaved in memory, as heads are in a projection.
    @Test func interleavedMatrices() throws {
        checkOp(try GoldenFile("Ops/matmul.safetensors")["heads"]) { x in
            let heads = x.map { $0.reshaped(2, 5, 3, 4).permuted(0, 2, 1, 3) }
            return heads[0].matmul(heads[1].transposed())
        }
    }

    @Test func linearMaps() throws {
        let file = try GoldenFile("Ops/linear.safetensors")
        for item in try file.cases("bias") { checkOp(item) { linear($0[0], weight: $0[1], bias: $0[2]) } }
        for item in try file.cases("plain") { checkOp(item) { linear($0[0], weight: $0[1]) } }
    }

    @Test func largeInputsAreSplitWithoutATrace() {
        checkSplitting("one product", [randomTensor([301, 257], "a"), randomTensor([257, 411], "b")]) {
            $0[0].matmul($0[1])
        }
        checkSplitting("wide", [randomTensor([3, 700], "a"), randomTensor([700, 1_500], "b")]) { $0[0].matmul($0[1]) }
        checkSplitting("long", [randomTensor([20, 9_000], "a"), randomTensor([9_000, 30], "b")]) { $0[0].matmul($0[1]) }
        checkSplitting("many", [randomTensor([24, 65, 70], "a"), randomTensor([24, 70, 66], "b")]) {
            $0[0].matmul($0[1])
        }
        checkSplitting("shared", [randomTensor([6, 1, 65, 70], "a"), randomTensor([5, 70, 66], "b")]) {
            $0[0].matmul($0[1])
        }
        checkSplitting(
            "linear", [randomTensor([4, 150, 130], "a"), randomTensor([390, 130], "b"), randomTensor([390], "c")]
        ) { linear($0[0], weight: $0[1], bias: $0[2]) }
    }

    /// A row's result must not depend on the rows beside it: batches would change what single sentences give.
    @Test func infinitiesStayInTheirRow() {
        let a = Tensor([1, 2, .infinity, 1, 3, 4], shape: [3, 2])
        let product = a.matmul(Tensor([1, 2, 3, 4], shape: [2, 2])).values
        #expect(product == [7, 10, .infinity, .infinity, 15, 22])
    }

    @Test func wrongShapesStop() async {
        await #expect(processExitsWith: .failure) { _ = Tensor.ones([2, 3]).matmul(.ones([2, 3])) }
        await #expect(processExitsWith: .failure) { _ = Tensor.ones([3]).matmul(.ones([3, 2])) }
        await #expect(processExitsWith: .failure) { _ = Tensor.ones([2, 2, 3]).matmul(.ones([3, 3, 2])) }
        await #expect(processExitsWith: .failure) { _ = linear(.ones([2, 3]), weight: .ones([3, 2])) }
        await #expect(processExitsWith: .failure) {
            _ = linear(.ones([2, 3]), weight: .ones([4, 3]), bias: .ones([3]))
        }
    }
}
