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
        try golden.checkGradients((output * (try golden["upstream"])).sum.gradients(), of: store.parameters, within: 1e-4)
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
}
