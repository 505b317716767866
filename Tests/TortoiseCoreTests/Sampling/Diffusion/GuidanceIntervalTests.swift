import Testing

@testable import TortoiseCore

/// What guidance does between the steps at which it asks the network without conditioning.
@Suite struct GuidanceIntervalTests {
    /// A network that conditioning changes by a tenth more at every question, and that counts the questions without it.
    private final class CountingNetwork: DiffusionNetwork {
        private let growth: Float
        private(set) var questions = 0, unconditioned: [Int] = []

        init(growth: Float) { self.growth = growth }

        func prediction(_ x: Tensor, timestep: Int) -> Tensor {
            questions += 1
            return unguided(x) + 0.2 + growth * Float(questions)
        }

        func unconditionedPrediction(_ x: Tensor, timestep: Int) -> Tensor {
            unconditioned.append(timestep)
            return unguided(x)
        }

        private func unguided(_ x: Tensor) -> Tensor { x * 0.5 }
    }

    private func sample(
        interval: Int, growth: Float = 0, sampler: DiffusionSamplerName = .ddim, isRamped: Bool = true
    ) throws -> (result: Tensor, network: CountingNetwork) {
        let network = CountingNetwork(growth: growth)
        var sampling = DiffusionSampling()
        sampling.sampler = sampler
        sampling.guidance = DiffusionGuidance(strength: 0.7, isRamped: isRamped, interval: interval)
        sampling.clipsStart = false
        let result = try sampling.sample(
            network, GaussianDiffusion(.even(9)), shape: [1, 3, 5], noise: DiffusionNoise(RandomSource(seed: 4)))
        return (result, network)
    }

    @Test(arguments: DiffusionSamplerName.allCases)
    func aDifferenceThatStaysIsKeptExactly(sampler: DiffusionSamplerName) throws {
        let (every, often) = try sample(interval: 1, sampler: sampler)
        let (third, seldom) = try sample(interval: 3, sampler: sampler)
        #expect(TensorDifference(third, from: every).error < 1e-5)
        #expect(often.unconditioned.count == often.questions)
        #expect(2 * seldom.unconditioned.count < often.unconditioned.count)
    }

    @Test func theNetworkIsAskedAtTheNoisiestStepAndAtEveryNthFromTheLast() throws {
        let (_, network) = try sample(interval: 4)
        let timesteps = try GaussianDiffusion(.even(9)).timesteps
        #expect(network.unconditioned == [8, 4, 0].map { timesteps[$0] })
        #expect(try sample(interval: 100).network.unconditioned == [8, 0].map { timesteps[$0] })
    }

    @Test func stepsBetweenUseTheDifferenceBefore() throws {
        // Differences grow with the steps, so old ones lead less; constant ones above show that nothing else changes.
        let exact = try sample(interval: 1, growth: 0.1).result
        let kept = try sample(interval: 2, growth: 0.1).result
        let error = TensorDifference(kept, from: exact).error
        #expect(error > 1e-4 && error < 0.1, "\(error)")
    }
}
