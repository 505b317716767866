import Foundation
import Testing

@testable import TortoiseCore

/// Schedules, runs and losses against the original's SpacedDiffusion, step by step.
@Suite struct DiffusionProcessTests {
    private let golden: GoldenFile

    init() throws { golden = try GoldenFile("Sampling/diffusion.safetensors") }

    /// The network of the golden: a function of each element and the timestep.
    private struct ElementwiseNetwork: DiffusionNetwork {
        func prediction(_ x: Tensor, timestep: Int) -> Tensor {
            let time = Float(timestep) / 4_000
            return withVariance(x, x * (0.6 + 0.3 * time) + (x * 2 - time).tanh * 0.2)
        }

        func unconditionedPrediction(_ x: Tensor, timestep: Int) -> Tensor {
            withVariance(x, x * (0.5 + 0.4 * Float(timestep) / 4_000) - 0.1)
        }

        private func withVariance(_ x: Tensor, _ noise: Tensor) -> Tensor {
            concatenated([noise, x.tanh * 0.8], axis: 1)
        }
    }

    @Test func spacingsAreTheOriginals() throws {
        let keys = golden.keys.filter { $0.hasPrefix("spacing.") }
        #expect(keys.count == 11)
        for key in keys {
            let spacing = try TimestepSpacing(parsing: String(key.dropFirst("spacing.".count)))
            #expect(try spacing.timesteps(of: 4_000) == (try golden.tensor(key).indexValues.map { Int($0) }), "\(key)")
        }
    }

    @Test(arguments: ["", "x", "0", "5,0", "ddim", "ddim5,6", "-3", "4001", "2000,2001", "ddim3999"])
    func impossibleSpacingsAreErrors(text: String) {
        #expect(throws: InputError.self) { try TimestepSpacing(parsing: text).timesteps(of: 4_000) }
    }

    @Test(arguments: ["80", "ddim25"])
    func tablesAreTheOriginals(text: String) throws {
        let diffusion = try GaussianDiffusion(TimestepSpacing(parsing: text))
        for (found, key) in [
            (diffusion.betas, "betas"), (diffusion.signal, "signal"), (diffusion.leastLogVariance, "log_variance"),
        ] {
            let expected = try golden.tensor("\(key).\(text)").values
            #expect(found.count == expected.count)
            for (a, b) in zip(found, expected) { #expect(abs(a - Double(b)) <= 1e-7 * abs(a), "\(key)") }
        }
    }

    @Test func theCosineScheduleIsTheOriginals() throws {
        let expected = try golden.tensor("cosine").values
        for (a, b) in zip(BetaSchedule.cosine.betas(50), expected) { #expect(abs(a - Double(b)) < 1e-7) }
    }

    struct Run: Sendable, CustomTestStringConvertible {
        let name: String
        let sampler: DiffusionSamplerName
        var eta: Double?
        var guidance: DiffusionGuidance?
        var testDescription: String { name }
    }

    static let runs = [
        Run(name: "p", sampler: .ancestral), Run(name: "p_guided", sampler: .ancestral, guidance: DiffusionGuidance()),
        Run(name: "p_constant", sampler: .ancestral, guidance: DiffusionGuidance(strength: 1.5, isRamped: false)),
        Run(name: "ddim", sampler: .ddim), Run(name: "ddim_guided", sampler: .ddim, guidance: DiffusionGuidance()),
        Run(name: "ddim_eta", sampler: .ddim, eta: 0.7, guidance: DiffusionGuidance()),
    ]

    /// Every state of every run: each step starts from where the golden is, and whole runs end where it ends.
    @Test(arguments: runs, [true, false])
    func runsAreTheOriginals(run: Run, clips: Bool) throws {
        let name = run.name + (clips ? "" : "_unclipped")
        let (states, noise) = (try golden.tensor("run.\(name)"), try golden.tensor("noise.\(name)"))
        let diffusion = try GaussianDiffusion(.even(12))
        var sampling = DiffusionSampling()
        (sampling.sampler, sampling.eta, sampling.guidance, sampling.clipsStart) = (
            run.sampler, run.eta, run.guidance, clips
        )
        let given = DiffusionNoise(start: noise.select(0, 0), steps: (1...12).map { noise.select(0, $0) })
        var seen: [Tensor] = []
        let recorder = RecordingNetwork(ElementwiseNetwork()) { seen.append($0) }
        let result = try sampling.sample(recorder, diffusion, shape: [1, 3, 5], noise: given)
        for (step, state) in (seen + [result]).enumerated() {
            let difference = TensorDifference(state, from: states.select(0, step).contiguous)
            #expect(difference.error < 2e-5, "\(name), step \(step): \(difference)")
        }
    }

    @Test func lossesAndGradientsAreTheOriginals() throws {
        func stored(_ key: String) throws -> Tensor { try golden.tensor("loss.\(key)") }
        let (data, noise, upstream) = (try stored("data"), try stored("noise"), try stored("upstream"))
        let steps = try stored("steps").indexValues.map { Int($0) }
        let diffusion = try GaussianDiffusion(.even(12))
        func expect(_ found: Tensor, _ key: String, within limit: Double = 2e-5) throws {
            let difference = TensorDifference(found, from: try stored(key))
            #expect(difference.error < limit, "\(key): \(difference)")
        }
        for (kind, rescales) in [("mse", false), ("rescaled_mse", true)] {
            let prediction = try stored("prediction").tracked()
            let loss = diffusion.loss(prediction, data: data, noise: noise, steps: steps, rescalesBound: rescales)
            try expect(loss.noise, "\(kind)_mse")
            try expect(try #require(loss.bound), "\(kind)_vb")
            try expect(loss.total, "\(kind)_loss")
            try expect(loss.start, "\(kind)_x_start_predicted")
            try expect(
                try #require((loss.total * upstream).sum.gradients()[prediction]), "gradient_\(kind)", within: 1e-4)
        }
        let prediction = try stored("prediction").tracked()
        let x = diffusion.noised(data, noise, steps: steps)
        let bound = diffusion.variationalBound(
            prediction.sliced(1, 0..<3), prediction.sliced(1, 3..<6), x, data: data, steps: steps)
        try expect(bound, "kl_loss")
        // The logarithm of a difference of nearly equal probabilities has few digits in float32.
        try expect(try #require((bound * upstream).sum.gradients()[prediction]), "gradient_kl", within: 1e-3)
        let plain = diffusion.loss(prediction.sliced(1, 0..<3), data: data, noise: noise, steps: steps)
        #expect(plain.bound == nil)
        try expect(plain.total, "mse_mse")
    }
}
