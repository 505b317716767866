import Testing

@testable import TortoiseCore

/// Rows and elements picked by index.
@Suite struct GatherTests {
    private let file: GoldenFile

    init() throws { file = try GoldenFile("Ops/gather.safetensors") }

    @Test func embeddings() throws {
        for item in try file.cases("embedding") { checkOp(item) { embedding($0[0], $0[1]) } }
    }

    @Test func gathering() throws {
        for item in try file.cases("gather") {
            let axis = try item.int("axis")
            checkOp(item) { $0[0].gathered(axis, $0[1]) }
        }
    }

    /// Indices repeat, so sums must come in an order that threads do not change.
    @Test func largeInputsAreSplitWithoutATrace() {
        let indices = Tensor(indices: (0..<3_000).map { Int32($0 * 7919 % 53) })
        checkSplitting("embedding", [randomTensor([53, 130]), indices]) { embedding($0[0], $0[1]) }
        let matrix = Tensor(indices: (0..<(40 * 1_000)).map { Int32($0 * 7919 % 70) }, shape: [40, 1_000])
        checkSplitting("gather", [randomTensor([40, 70]), matrix]) { $0[0].gathered(1, $0[1]) }
    }

    @Test func wrongIndicesStop() async {
        await #expect(processExitsWith: .failure) { _ = embedding(.ones([3, 2]), Tensor(indices: [0, 3])) }
        await #expect(processExitsWith: .failure) { _ = embedding(.ones([3, 2]), Tensor(indices: [-1])) }
        await #expect(processExitsWith: .failure) { _ = embedding(.ones([3]), Tensor(indices: [0])) }
        await #expect(processExitsWith: .failure) { _ = embedding(.ones([3, 2]), .ones([1])) }
        await #expect(processExitsWith: .failure) {
            _ = Tensor.ones([2, 3]).gathered(1, Tensor(indices: [0, 1, 2], shape: [3, 1]))
        }
        await #expect(processExitsWith: .failure) {
            _ = Tensor.ones([2, 3]).gathered(1, Tensor(indices: [0, 3], shape: [2, 1]))
        }
    }
}
