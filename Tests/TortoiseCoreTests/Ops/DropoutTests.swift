import Testing

@testable import TortoiseCore

@Suite struct DropoutTests {
    private let stream = RandomSource(seed: 3)["dropout"].stream

    @Test(arguments: [0.1, 0.5, 0.9] as [Float])
    func dropsTheRightShareAndKeepsTheMean(_ probability: Float) {
        let count = 200_000
        let y = Tensor.ones([count]).dropout(probability, stream).values
        let kept = y.count { $0 != 0 }
        // Five standard deviations of a binomial distribution.
        let spread = (Double(count) * Double(probability) * Double(1 - probability)).squareRoot()
        #expect(abs(Double(kept) - Double(count) * Double(1 - probability)) < 5 * spread)
        #expect(y.allSatisfy { $0 == 0 || $0 == 1 / (1 - probability) })
    }

    /// Neighbours are independent: runs of two dropped elements come as often as they must.
    @Test func neighboursAreIndependent() {
        let y = Tensor.ones([200_001]).dropout(0.5, stream).values
        for distance in 1...8 {
            let pairs = (0..<200_001 - distance).count { y[$0] == 0 && y[$0 + distance] == 0 }
            #expect(abs(Double(pairs) - 50_000) < 5 * 200)
        }
    }

    @Test func theGradientHasTheSameMask() throws {
        let x = randomTensor([31, 33]).tracked()
        let y = x.dropout(0.3, stream)
        let gradient = try #require(y.gradients(seed: .ones(y.shape))[x])
        #expect(gradient.values == zip(x.values, y.values).map { $1 == 0 && $0 != 0 ? 0 : Float(1) / (1 - Float(0.3)) })
    }

    @Test func isAFunctionOfTheStream() {
        let x = randomTensor([5_001])
        let first = x.dropout(0.4, stream)
        for set in TortoiseCore.InstructionSet.allCases where set.isAvailable {
            for threads in [1, 2, 3] {
                Execution.with(instructionSet: set, threads: threads) {
                    #expect(haveSameBits(x.dropout(0.4, stream), first), "[\(set), \(threads) threads]")
                }
            }
        }
        let other = x.dropout(0.4, RandomSource(seed: 3)["other"].stream)
        let agreeing = zip(first.values, other.values).count { ($0 == 0) == ($1 == 0) }
        #expect(abs(agreeing - 2_601) < 200)
    }

    @Test func viewsAreDroppedLikeCopies() {
        let x = randomTensor([6, 7])
        #expect(haveSameBits(transposedInMemory(x).dropout(0.4, stream), x.dropout(0.4, stream)))
    }

    @Test func nothingHappensAtZero() {
        let x = randomTensor([10]).tracked()
        #expect(haveSameBits(x.dropout(0, stream), x))
    }

    @Test func impossibleProbabilitiesStop() async {
        await #expect(processExitsWith: .failure) { _ = Tensor.ones([2]).dropout(1, RandomSource(seed: 1).stream) }
        await #expect(processExitsWith: .failure) { _ = Tensor.ones([2]).dropout(.nan, RandomSource(seed: 1).stream) }
    }
}
