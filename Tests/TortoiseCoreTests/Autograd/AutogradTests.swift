import Testing

@testable import TortoiseCore

/// The recorded computation itself: what is kept, what is given back, and what is found.
@Suite struct AutogradTests {
    @Test func untrackedInputsRecordNothing() {
        let x = randomTensor([3, 4])
        let y = layerNorm((x * 2).matmul(x.transposed()).softmax(), weight: nil, bias: nil)
        #expect(!y.isTracked && y.node == nil)
        #expect(x.tracked().isTracked && !x.tracked().detached.isTracked)
    }

    /// A value used many times gets the sum over its uses, in a graph that is no tree.
    @Test func usesAddUp() throws {
        let x = Tensor([2, 3]).tracked()
        let square = x * x
        let fourth = square * square
        let y = (fourth + square + x).sum
        let gradients = y.gradients()
        // 4 x³ + 2 x + 1
        let gradient = try #require(gradients[x])
        #expect(gradient.values == [37, 115])
        #expect(gradients[Tensor([1]).tracked()] == nil)
        #expect(gradients[Tensor([1])] == nil)
    }

    @Test func scaleAndSeed() throws {
        let x = Tensor([1, 2, 3]).tracked()
        #expect(try #require((x * x).sum.gradients(scale: 0.5)[x]).values == [1, 2, 3])
        let y = x * 3
        #expect(try #require(y.gradients(seed: Tensor([1, 0, -2]))[x]).values == [3, 0, -6])
    }

    /// Gradients given out are values: adding others to them changes no tensor that somebody else holds.
    @Test func accumulationChangesNobodyElsesTensor() throws {
        let x = Tensor([1, 2]).tracked()
        let seed = Tensor([5, 7])
        var sum = (x + 0).gradients(seed: seed)
        let first = try #require(sum[x])
        sum.add((x * 2).gradients(seed: Tensor([1, 1])))
        sum.add((x * 3).gradients(seed: Tensor([1, 1])))
        #expect(seed.values == [5, 7] && first.values == [5, 7])
        #expect(try #require(sum[x]).values == [10, 12])
    }

    @Test func deepChainsAreReleasedWithoutRecursion() throws {
        let x = Tensor([1]).tracked()
        var y = x
        for _ in 0..<200_000 { y = y + 1 }
        #expect(y.item == 200_001)
        #expect(try #require(y.gradients()[x]).values == [1])
        var unused = x
        for _ in 0..<200_000 { unused = unused + 1 }
        unused = x
        #expect(unused.item == 1)
    }

    /// What an addition needs are shapes: its operands' memory goes when they do.
    @Test func additionKeepsNoOperands() {
        let leaf = Tensor.zeros([8]).tracked()
        weak var storage: Storage?
        func chain() -> Tensor {
            let middle = leaf * 2
            storage = middle.storage
            return middle + 1 + leaf
        }
        let result = chain()
        #expect(storage == nil && result.isTracked)
    }

    @Test func wrongUsesStop() async {
        await #expect(processExitsWith: .failure) { _ = Tensor([1, 2]).tracked().gradients() }
        await #expect(processExitsWith: .failure) { _ = Tensor(1).gradients() }
        await #expect(processExitsWith: .failure) { _ = Tensor([1, 2]).tracked().gradients(seed: Tensor([1])) }
        await #expect(processExitsWith: .failure) { _ = Tensor(indices: [1]).tracked() }
        await #expect(processExitsWith: .failure) {
            let y = Tensor([1, 2]).tracked().exp.sum
            _ = y.gradients()
            _ = y.gradients()
        }
    }
}

@Suite struct CheckpointTests {
    /// Three layers with dropout, of which parameters, inputs and things captured are all tracked.
    private struct Net {
        let weights = (0..<3).map { randomTensor([16, 16], "w\($0)").tracked() }
        let x = randomTensor([32, 16]).tracked()
        let shift = randomTensor([16], "shift").tracked()
        let source = RandomSource(seed: 4)

        func layer(_ i: Int, _ x: Tensor) -> Tensor {
            ((linear(x, weight: weights[i]) + shift).geluTanh.dropout(0.2, source[i].stream) + x)
        }

        func output(checkpointing: Bool, nested: Bool = false) -> Tensor {
            if nested { return checkpoint { checkpoint { layer(1, checkpoint { layer(0, x) }) } }.squared }
            return (0..<3).reduce(x) { y, i in checkpointing ? checkpoint { layer(i, y) } : layer(i, y) }
        }

        var leaves: [Tensor] { weights + [x, shift] }
    }

    @Test func gradientsAreTheSame() throws {
        let net = Net()
        let (plain, saved) = (net.output(checkpointing: false), net.output(checkpointing: true))
        #expect(haveSameBits(plain, saved))
        let seed = randomTensor(plain.shape, "seed")
        let (wanted, found) = (plain.gradients(seed: seed), saved.gradients(seed: seed))
        for leaf in net.leaves {
            let difference = TensorDifference(try #require(found[leaf]), from: try #require(wanted[leaf]))
            #expect(difference.error < 1e-6)
        }
    }

    @Test func blocksNest() throws {
        let net = Net()
        let plain = net.layer(1, net.layer(0, net.x)).squared
        let seed = randomTensor(plain.shape, "seed")
        let wanted = plain.gradients(seed: seed)
        let found = net.output(checkpointing: true, nested: true).gradients(seed: seed)
        for leaf in net.leaves where wanted[leaf] != nil {
            let difference = TensorDifference(try #require(found[leaf]), from: try #require(wanted[leaf]))
            #expect(difference.error < 1e-6)
        }
        #expect(found[net.weights[2]] == nil)
    }

    @Test func blocksThatTrackNothing() {
        let x = randomTensor([4])
        #expect(!checkpoint { x * 2 }.isTracked)
        let leaf = x.tracked()
        #expect(checkpoint { leaf }.node === leaf.node)
    }

    /// In a process of its own, since the pool is everybody's: activations of 16 layers against inputs only.
    @Test func memoryIsLower() async {
        await #expect(processExitsWith: .success) {
            func peak(checkpointing: Bool) -> Int {
                let x = Tensor.ones([256, 256]).tracked()
                BufferPool.shared.trim()
                let before = BufferPool.shared.usage.live
                func layer(_ x: Tensor) -> Tensor { (x.tanh * x.sigmoid).exp.softmax() }
                var y = x
                for _ in 0..<16 {
                    let input = y
                    y = checkpointing ? checkpoint { layer(input) } : layer(input)
                }
                _ = y.sum.gradients()
                return BufferPool.shared.usage.peak - before
            }
            let (plain, saved) = (peak(checkpointing: false), peak(checkpointing: true))
            precondition(plain > 60 * 256 * 1_024, "16 layers keep 4 tensors of 256 KB each, found \(plain)")
            precondition(saved < 28 * 256 * 1_024, "16 inputs and one layer, found \(saved)")
            precondition(BufferPool.shared.usage.live == 0, "everything was given back")
        }
    }
}
