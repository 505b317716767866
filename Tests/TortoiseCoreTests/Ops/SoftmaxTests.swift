import Testing

@testable import TortoiseCore

@Suite struct SoftmaxTests {
    private let file: GoldenFile

    init() throws { file = try GoldenFile("Ops/softmax.safetensors") }

    @Test func anyAxis() throws {
        for item in try file.cases("softmax") {
            let axis = try item.int("axis")
            checkOp(item) { $0[0].softmax(axis) }
        }
        for item in try file.cases("logSoftmax") {
            let axis = try item.int("axis")
            checkOp(item) { $0[0].logSoftmax(axis) }
        }
    }

    /// In float32 a step of 1/128 beside 3e4 says nothing about a slope.
    @Test func largeAndInfiniteScores() throws {
        checkOp(try file["large.softmax"], [.views, .repeats]) { $0[0].softmax() }
        checkOp(try file["large.logSoftmax"], [.views, .repeats]) { $0[0].logSoftmax() }
        checkOp(try file["masked.softmax"], .views) { $0[0].softmax() }
        checkOp(try file["masked.logSoftmax"], .views) { $0[0].logSoftmax() }
    }

    @Test func largeInputsAreSplitWithoutATrace() {
        for axis in [0, 1] {
            checkSplitting("softmax along \(axis)", [randomTensor([97, 331])]) { $0[0].softmax(axis) }
            checkSplitting("logSoftmax along \(axis)", [randomTensor([97, 331])]) { $0[0].logSoftmax(axis) }
        }
    }

    @Test func wrongAxesStop() async {
        await #expect(processExitsWith: .failure) { _ = Tensor.ones([2, 3]).softmax(2) }
        await #expect(processExitsWith: .failure) { _ = Tensor(indices: [1, 2]).softmax() }
    }
}
