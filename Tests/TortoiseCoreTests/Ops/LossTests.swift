import Testing

@testable import TortoiseCore

@Suite struct LossTests {
    private let file: GoldenFile

    init() throws { file = try GoldenFile("Ops/losses.safetensors") }

    private func reduction(_ item: GoldenCase) throws -> LossReduction {
        switch try item.string("reduction") {
        case "mean": .mean
        case "sum": .sum
        default: .none
        }
    }

    /// Class axes at the end and in the middle, ignored targets, smoothing, and all reductions.
    @Test func crossEntropies() throws {
        let cases = try file.cases("crossEntropy")
        #expect(cases.contains { (try? $0.int("ignored")) == 1 })
        for item in cases {
            let (axis, ignored) = (try item.int("axis"), Int32(try item.int("ignored")))
            let (smoothing, reduction) = (try item.float("smoothing"), try reduction(item))
            checkOp(item) {
                crossEntropy(
                    $0[0], $0[1], classAxis: axis, ignoredTarget: ignored, labelSmoothing: smoothing,
                    reduction: reduction)
            }
        }
        // The logarithm of a sum near e^40 has 22 bits behind the point.
        checkOp(try file["large.crossEntropy"], .views, tolerance: OpTolerance(gradient: 3e-5)) {
            crossEntropy($0[0], $0[1])
        }
    }

    /// As in PyTorch, the mean over no targets has no value.
    @Test func nothingButIgnoredTargets() {
        let (logits, targets) = (randomTensor([2, 3]), Tensor(indices: [-100, -100]))
        #expect(crossEntropy(logits, targets).item.isNaN)
        #expect(crossEntropy(logits, targets, reduction: .sum).item == 0)
    }

    @Test func distances() throws {
        for item in try file.cases("meanSquared") {
            let reduction = try reduction(item)
            checkOp(item) { meanSquaredError($0[0], $0[1], reduction: reduction) }
        }
        // Repeated inputs would move differences to the kinks.
        for item in try file.cases("l1") {
            let reduction = try reduction(item)
            checkOp(item, [.differences, .views]) { l1Loss($0[0], $0[1], reduction: reduction) }
        }
    }

    @Test func largeInputsAreSplitWithoutATrace() {
        let targets = Tensor(indices: (0..<120).map { Int32($0 * 7919 % 257) })
        checkSplitting("cross entropy", [randomTensor([120, 257]), targets]) {
            crossEntropy($0[0], $0[1], labelSmoothing: 0.1)
        }
        checkSplitting("mean squared", [randomTensor([50_000], "a"), randomTensor([50_000], "b")]) {
            meanSquaredError($0[0], $0[1])
        }
    }

    @Test func wrongShapesStop() async {
        await #expect(processExitsWith: .failure) { _ = crossEntropy(.ones([2, 3]), Tensor(indices: [0, 1, 2])) }
        await #expect(processExitsWith: .failure) { _ = crossEntropy(.ones([2, 3]), Tensor(indices: [0, 3])) }
        await #expect(processExitsWith: .failure) { _ = crossEntropy(.ones([2, 3]), Tensor(indices: [0, -1])) }
        await #expect(processExitsWith: .failure) { _ = meanSquaredError(.ones([2, 3]), .ones([2, 4])) }
    }
}
