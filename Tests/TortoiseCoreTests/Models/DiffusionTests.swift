import Testing

@testable import TortoiseCore

/// The diffusion decoder against the original, at small size.
@Suite struct DiffusionTests {
    private let golden: ModelGolden
    private let config: DiffusionConfig

    init() throws {
        golden = try ModelGolden("Models/diffusion.safetensors")
        var config = DiffusionConfig()
        (config.modelChannels, config.layers, config.heads) = (16, 2, 2)
        (config.melChannels, config.outputChannels, config.latentChannels, config.tokens) = (6, 12, 12, 12)
        self.config = config
    }

    private func load() throws -> (model: DiffusionModel, parameters: ParameterStore) {
        try ParameterStore.load(from: KeyMappedSource(golden, DiffusionModel.keyMap)) { DiffusionModel(config, at: $0) }
    }

    private func guide(_ name: String) throws -> DiffusionGuide {
        let tensor = try golden["inputs.\(name)"]
        return name == "codes" ? .codes(tensor) : .latents(tensor)
    }

    /// Everything that the golden has, by its names there.
    private func outputs(_ model: DiffusionModel) throws -> [(name: String, tensor: Tensor)] {
        let (x, timesteps) = (try golden["inputs.x"], try golden["inputs.timesteps"].indexValues.map { Int($0) })
        let voice = model.conditioningLatent(try golden["inputs.mel"])
        var found: [(name: String, tensor: Tensor)] = [("conditioning", voice)]
        for name in ["latents", "codes"] {
            let aligned = model.alignedConditioning(try guide(name), conditioning: voice, frames: x.size(2))
            found += [
                ("aligned_\(name)", aligned), ("output_\(name)", model(x, timesteps: timesteps, aligned: aligned)),
            ]
        }
        found.append(("output_unconditioned", model(x, timesteps: timesteps, aligned: nil)))
        let (output, mel) = model.trainingPass(
            x, timesteps: timesteps, guide: try guide("latents"), conditioning: voice,
            omitting: .init(unconditioned: [true, false], layers: [2]), RunContext(isTraining: true))
        return found + [("training_output", output), ("training_mel", mel)]
    }

    @Test func outputsAreTheOriginals() throws {
        for (name, tensor) in try outputs(try load().model) {
            let difference = TensorDifference(tensor, from: try golden[name])
            #expect(difference.error < 2e-5, "\(name): \(difference)")
        }
    }

    @Test(arguments: [false, true])
    func gradientsAreTheOriginals(checkpoints: Bool) throws {
        let (model, store) = try load()
        store.setTrainable()
        model.checkpointsActivations = checkpoints
        let terms = try outputs(model).map { ($0.tensor * (try golden["upstream.\($0.name)"])).sum }
        let total = terms.dropFirst().reduce(terms[0], +)
        #expect(store.parameters.count == 359 - 8 * 17, "the published layout, with two layers of ten")
        try golden.checkGradients(total.gradients(), of: store.parameters, within: 1e-4)
    }

    @Test func clipsOfDifferentLengthsShareOneMean() throws {
        let model = try load().model
        let mels = try golden["inputs.mel"]
        let clips = [mels.select(1, 0), mels.select(1, 1).sliced(2, 0..<33)]
        let frames: [Float] = [16, 9]
        let separate = clips.map { model.conditioningLatent($0) }
        let expected = (separate[0] * frames[0] + separate[1] * frames[1]) / frames.reduce(0, +)
        expectClose(model.conditioningLatent(clips: clips), expected, 1e-6, "mean over all frames")
    }

    /// What a training pass leaves out is as frequent as the settings say, the same for the same source, and nothing at inference.
    @Test func omissionsFollowTheSettings() {
        var config = config
        (config.layers, config.layerDrop, config.unconditionedPercentage) = (10, 0.25, 0.1)
        let training = (0..<400).map { step in
            DiffusionModel.Omissions(
                config, batch: 8, RunContext(isTraining: true, random: RandomSource(seed: 7)[step]))
        }
        let unconditioned = training.reduce(0) { $0 + $1.unconditioned.count { $0 } }
        #expect((256...384).contains(unconditioned), "\(unconditioned) of 3200, at 0.1")
        let skipped = training.reduce(0) { $0 + $1.layers.count }
        #expect((1_000...1_200).contains(skipped), "\(skipped) of 4400, at 0.25")
        #expect(training.allSatisfy { !$0.layers.contains(0) && !$0.layers.contains(12) })
        let inference = DiffusionModel.Omissions(config, batch: 8, .inference)
        #expect(inference.layers.isEmpty && !inference.unconditioned.contains(true))
    }

    @Test func framesAreTheOriginals() {
        #expect([1, 2, 100, 604].map(DiffusionModel.frames(codes:)) == [4, 8, 435, 2_629])
    }

    @Test func sizesThatDoNotFitAreErrors() {
        for change: (inout DiffusionConfig) -> Void in [
            { $0.heads = 3 }, { $0.modelChannels = 18 }, { $0.outputChannels = 6 },
        ] {
            var wrong = config
            change(&wrong)
            #expect(throws: InputError.self) { try wrong.validate(at: "test") }
        }
        #expect(throws: Never.self) { try DiffusionConfig().validate(at: "test") }
    }
}
