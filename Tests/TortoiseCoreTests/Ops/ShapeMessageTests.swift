import Testing

@testable import TortoiseCore

/// A wrong shape stops the program with a message that names the operation and the shapes, in release builds, too.
@Suite struct ShapeMessageTests {
    private func expect(_ result: ExitTest.Result?, says parts: String...) {
        let message = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
        for part in parts { #expect(message.contains(part), "\(part) is not in: \(message)") }
    }

    @Test func arithmetic() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = Tensor.ones([2, 3]) + Tensor.ones([2, 4])
        }
        expect(result, says: "add", "[2, 3]", "[2, 4]")
    }

    @Test func products() async {
        let product = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = Tensor.ones([2, 3]).matmul(.ones([2, 4]))
        }
        expect(product, says: "matmul", "[2, 3]", "[2, 4]")
        let map = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = linear(.ones([2, 3]), weight: .ones([3, 2]))
        }
        expect(map, says: "linear", "[2, 3]", "[3, 2]")
    }

    @Test func losses() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = crossEntropy(.ones([2, 3]), Tensor(indices: [0, 1, 2]))
        }
        expect(result, says: "cross entropy", "[2, 3]", "[3]")
    }

    @Test func norms() async {
        let layer = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = layerNorm(.ones([2, 3]), weight: .ones([2]), bias: nil)
        }
        expect(layer, says: "layer norm", "[2, 3]", "[2]")
        let group = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = groupNorm(.ones([2, 3, 4]), groups: 2, weight: nil, bias: nil)
        }
        expect(group, says: "group norm", "2 groups", "[2, 3, 4]")
    }

    @Test func views() async {
        let reshape = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = Tensor.ones([2, 3]).reshaped(4, 2)
        }
        expect(reshape, says: "reshape", "[2, 3]", "[4, 2]")
        let concatenation = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = concatenated([.ones([2, 3]), .ones([3, 3])], axis: 1)
        }
        expect(concatenation, says: "concatenate", "[2, 3]", "[3, 3]", "axis 1")
    }

    @Test func indices() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = embedding(.ones([3, 2]), Tensor(indices: [0, 3]))
        }
        expect(result, says: "embedding", "index 3 of 3")
    }
}
