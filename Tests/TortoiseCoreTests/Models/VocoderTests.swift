import Testing

@testable import TortoiseCore

/// The vocoders against the originals, at small size.
@Suite struct VocoderTests {
    private func expect(
        _ found: Tensor, _ key: String, in file: ModelGolden, within limit: Double = 2e-5,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let difference = TensorDifference(found, from: try file[key])
        #expect(difference.error < limit, "\(key): \(difference)", sourceLocation: sourceLocation)
    }

    // MARK: - UnivNet

    private var univNetConfig: UnivNetConfig {
        var config = UnivNetConfig()
        (config.noiseChannels, config.channels, config.melBands, config.predictorChannels) = (5, 4, 7, 6)
        (config.dilations, config.strides) = ([1, 3], [3, 2])
        return config
    }

    @Test func univNetIsTheOriginals() throws {
        let golden = try ModelGolden("Models/univnet.safetensors")
        let (model, store) = try ParameterStore.load(from: KeyMappedSource(golden, UnivNetModel.trainableKeyMap)) {
            UnivNetModel(univNetConfig, trainable: true, at: $0)
        }
        store.setTrainable()
        let output = model(try golden["mel"], noise: try golden["noise"].sliced(2, 0..<5).contiguous)
        try expect(output, "output", in: golden)
        try golden.checkGradients(
            (output * (try golden["upstream"])).sum.gradients(), of: store.parameters, within: 1e-4)
    }

    @Test func foldedUnivNetInfersTheSame() throws {
        let golden = try ModelGolden("Models/univnet.safetensors")
        let model = try ParameterStore.load(from: KeyMappedSource(golden, UnivNetModel.keyMap)) {
            UnivNetModel(univNetConfig, at: $0)
        }.model
        try expect(model.inference(try golden["mel"], noise: try golden["noise"]), "inference", in: golden)
    }

    /// A row's waveform follows from its mel and the seed, whatever else is in the batch.
    @Test func univNetNoiseDoesNotDependOnTheBatch() throws {
        let (model, _) = ParameterStore.initialize(seed: 1) { UnivNetModel(univNetConfig, at: $0) }
        let mel = randomTensor([2, 7, 6])
        let both = model.waveform(of: mel, RandomSource(seed: 3))
        #expect(both.shape == [2, 1, 36] && model.sampleRate == 24_000)
        let first = model.waveform(of: mel.sliced(0, 0..<1).contiguous, RandomSource(seed: 3))
        #expect(TensorDifference(both.sliced(0, 0..<1).contiguous, from: first).error < 1e-6)
    }

    @Test func publishedUnivNetHasTheFilesParameters() {
        let (_, store) = ParameterStore.initialize(seed: 1) { UnivNetModel(UnivNetConfig(), trainable: true, at: $0) }
        #expect(store.parameters.count == 132)
        #expect(store["res_stack.0.kernel_predictor.kernel_conv.weight_v"]?.shape == [24_576, 64, 3])
        #expect(store["res_stack.2.convt_pre.1.weight_g"]?.shape == [32, 1, 1])
        #expect(store["conv_post.1.weight_v"]?.shape == [1, 32, 7])
    }

    // MARK: - Vocos

    @Test func vocosIsTheOriginals() throws {
        let golden = try ModelGolden("Models/vocos.safetensors")
        var config = VocosConfig()
        (config.melBands, config.width, config.innerWidth, config.layers) = (5, 8, 12, 2)
        (config.fftSize, config.hop) = (16, 4)
        let (model, store) = try ParameterStore.load(from: KeyMappedSource(golden, VocosModel.keyMap)) {
            VocosModel(config, at: $0)
        }
        store.setTrainable()
        let output = model(try golden["mel"])
        try expect(output, "output", in: golden)
        try golden.checkGradients(
            (output * (try golden["upstream"])).sum.gradients(), of: store.parameters, within: 1e-4)
        try expect(model.inference(try golden["mel"]), "inference", in: golden)
    }

    @Test func publishedVocosHasTheFilesParameters() {
        let (_, store) = ParameterStore.initialize(seed: 1) { VocosModel(VocosConfig(), at: $0) }
        #expect(store.parameters.count == 80)
        #expect(store["backbone.embed.weight"]?.shape == [512, 100, 7])
        #expect(store["backbone.convnext.7.dwconv.weight"]?.shape == [512, 1, 7])
        #expect(store["head.out.weight"]?.shape == [1_026, 512])
    }

    // MARK: - HiFi-GAN

    private func hiFiGANConfig(_ block: VocoderBlock) -> HiFiGANConfig {
        var config = HiFiGANConfig()
        (config.inputs, config.conditioningWidth, config.initialChannels, config.residualBlock) = (6, 6, 8, block)
        config.dilations = [[Int]](repeating: block == .paired ? [1, 3, 5] : [1, 3], count: 2)
        (config.kernelSizes, config.upsampleKernelSizes, config.upsampleFactors) = ([3, 5], [8, 4], [4, 2])
        return config
    }

    @Test(arguments: [(VocoderBlock.paired, "hifigan"), (.single, "hifigan2")])
    func hiFiGANIsTheOriginals(block: VocoderBlock, file: String) throws {
        let golden = try ModelGolden("Models/\(file).safetensors")
        let config = hiFiGANConfig(block)
        let (model, store) = try ParameterStore.load(from: KeyMappedSource(golden, HiFiGANModel.trainableKeyMap)) {
            HiFiGANModel(config, trainable: true, at: $0)
        }
        store.setTrainable()
        let latents = try golden["latents"].tracked()
        let output = model(latents, voice: try golden["voice"])
        try expect(output, "output", in: golden)
        let gradients = (output * (try golden["upstream"])).sum.gradients()
        try golden.checkGradients(gradients, of: store.parameters, within: 1e-4)
        try expect(try #require(gradients[latents]), "inputs_gradient", in: golden)
        let folded = try ParameterStore.load(from: KeyMappedSource(golden, HiFiGANModel.keyMap)) {
            HiFiGANModel(config, at: $0)
        }
        try expect(folded.model(try golden["latents"], voice: try golden["voice"]), "output", in: golden)
    }

    @Test func publishedHiFiGANHasTheFilesParameters() {
        let (model, store) = ParameterStore.initialize(seed: 1) {
            HiFiGANModel(HiFiGANConfig(), trainable: true, at: $0)
        }
        #expect(store.parameters.count == 236)
        #expect(store["ups.0.weight_g"]?.shape == [512, 1, 1])
        #expect(store["cond_layer.weight"]?.shape == [512, 1_024, 1])
        // Measured with the original.
        for (codes, samples) in [(1, 1_024), (10, 11_008), (40, 44_544), (60, 66_816), (100, 111_360)] {
            #expect(model.sampleCount(codes: codes) == samples)
        }
    }

    /// What streaming relies on: a part is the same as in the whole, and what has settled does not change with more codes.
    @Test func partsOfAWaveformAreThoseOfTheWhole() throws {
        let (model, _) = ParameterStore.initialize(seed: 2) { HiFiGANModel(hiFiGANConfig(.paired), at: $0) }
        let voice = randomTensor([1, 6], "voice")
        let latents = randomTensor([1, 60, 6], "latents")
        let whole = model(latents, voice: voice)
        #expect(whole.shape == [1, 1, model.sampleCount(codes: 60)])
        for samples in [0..<300, 901..<1_203, 1_700..<whole.size(2)] {
            let part = model.waveform(of: latents, voice: voice, samples: samples)
            let difference = TensorDifference(part.contiguous, from: whole.sliced(2, samples).contiguous)
            #expect(difference.error < 1e-6, "\(samples): \(difference)")
        }
        let settled = model.settledSampleCount(codes: 40)
        #expect(settled > 700 && model.settledSampleCount(codes: 1) == 0)
        let early = model(latents.sliced(1, 0..<40).contiguous, voice: voice)
        let difference = TensorDifference(
            early.sliced(2, 0..<settled).contiguous, from: whole.sliced(2, 0..<settled).contiguous)
        #expect(difference.error < 1e-6, "\(difference)")
    }

    // MARK: - BigVGAN

    @Test(arguments: [(VocoderBlock.paired, "bigvgan"), (.single, "bigvgan2")])
    func bigVGANIsItsEquations(block: VocoderBlock, file: String) throws {
        let golden = try ModelGolden("Models/\(file).safetensors")
        var config = BigVGANConfig()
        (config.melBands, config.initialChannels, config.upsampleFactors) = (5, 8, [3, 2])
        (config.upsampleKernelSizes, config.kernelSizes, config.dilations) = ([7, 4], [3, 5], [[1, 3], [1, 2]])
        if block == .single {
            (config.residualBlock, config.activation, config.usesLogScale) = (.single, .snake, false)
        }
        let (model, store) = try ParameterStore.load(from: KeyMappedSource(golden, BigVGANModel.trainableKeyMap)) {
            BigVGANModel(config, trainable: true, at: $0)
        }
        store.setTrainable()
        let output = model(try golden["mel"])
        try expect(output, "output", in: golden)
        try golden.checkGradients(
            (output * (try golden["upstream"])).sum.gradients(), of: store.parameters, within: 1e-4)
        let folded = try ParameterStore.load(from: KeyMappedSource(golden, BigVGANModel.keyMap)) {
            BigVGANModel(config, at: $0)
        }
        try expect(
            folded.model.waveform(of: try golden["mel"], RandomSource(seed: 1)), "inference", in: golden, within: 1e-4)
    }

    @Test func publishedBaseBigVGANHasTheFilesParameters() {
        var config = BigVGANConfig()
        (config.upsampleFactors, config.upsampleKernelSizes) = ([8, 8, 2, 2], [16, 16, 4, 4])
        config.initialChannels = 512
        let (model, store) = ParameterStore.initialize(seed: 1) { BigVGANModel(config, trainable: true, at: $0) }
        #expect(model.samplesPerFrame == 256)
        // As its authors count them.
        #expect(store.parameters.reduce(0) { $0 + $1.shape.product } / 1_000_000 == 14)
        #expect(store["resblocks.11.activations.5.act.beta"]?.shape == [32])
        #expect(store["ups.3.0.weight_v"]?.shape == [64, 32, 4])
    }

    // MARK: - Discriminators

    @Test func discriminatorsAreTheirEquations() throws {
        let golden = try ModelGolden("Models/discriminators.safetensors")
        var config = DiscriminatorConfig()
        (config.periods, config.periodChannels) = ([2, 3], [3, 4, 4])
        (config.resolutions, config.spectrogramChannels) = ([[32, 6, 20], [16, 4, 16]], 3)
        let (model, store) = try ParameterStore.load(from: KeyMappedSource(golden, VocoderDiscriminators.keyMap)) {
            VocoderDiscriminators(config, at: $0)
        }
        let generated = try golden["generated"].tracked()
        let (real, fake) = (model(try golden["real"]), model(generated))
        for (index, judgement) in real.enumerated() {
            try expect(judgement.scores.contiguous, "scores\(index)", in: golden)
        }
        let adversarial = AdversarialLoss.generator(fake)
        let matching = AdversarialLoss.features(real: real, generated: fake)
        try expect(adversarial, "adversarial", in: golden)
        try expect(matching, "matching", in: golden)
        try expect(
            try #require((adversarial + matching).gradients()[generated]), "waveform_gradient", in: golden, within: 1e-4
        )
        store.setTrainable()
        let loss = AdversarialLoss.discriminators(real: model(try golden["real"]), generated: model(generated.detached))
        try expect(loss, "loss", in: golden)
        try golden.checkGradients(loss.gradients(), of: store.parameters, within: 1e-4)
    }

    @Test func publishedDiscriminatorSizes() {
        let (_, store) = ParameterStore.initialize(seed: 1) { VocoderDiscriminators(DiscriminatorConfig(), at: $0) }
        #expect(store["mpd.discriminators.4.convs.3.weight_v"]?.shape == [1_024, 512, 5, 1])
        #expect(store["mrd.discriminators.2.convs.0.weight_v"]?.shape == [32, 1, 3, 9])
    }
}
