import Testing

@testable import TortoiseCore

@Suite struct ModelLoaderTests {
    /// Without a word about precision int8 files stay int8, and others become float32.
    @Test(arguments: [WeightDType.int8, .bfloat16])
    func precisionFollowsTheFile(dtype: WeightDType) throws {
        var config = AutoregressiveConfig()
        (config.layers, config.width, config.heads, config.dropout) = (1, 64, 1, 0)
        (config.maximumTextTokens, config.maximumMelTokens) = (20, 30)
        let (_, store) = ParameterStore.initialize(seed: 3) { AutoregressiveModel(config, at: $0) }
        let options = ConfigurationParameters([
            .init("layers", .int(1)), .init("model_dim", .int(64)), .init("heads", .int(1)),
            .init("max_text_tokens", .int(20)), .init("max_mel_tokens", .int(30)),
        ])
        try withTemporaryFolder { root in
            let path = root + "/model.sft"
            try SafetensorsWriter.write(try store.exported(AutoregressiveModel.keyMap, dtype), metadata: [:], to: path)
            func latents(_ precision: WeightPrecision?) throws -> Tensor {
                let model = try ModelLoader.load(
                    path, as: AutoregressiveConfig.self, options: options, keyMap: AutoregressiveModel.keyMap,
                    precision: precision
                ) { AutoregressiveModel($0, at: $1) }.model
                return model.latents(
                    AutoregressiveInputs(
                        latent: Tensor.full([1, 64], 0.5), text: Tensor(indices: [3, 9, 4], shape: [1, 3]),
                        textLengths: [3], codes: Tensor(indices: [5, 2, 7], shape: [1, 3]), wavLengths: [3 * 1_024]))
            }
            #expect(haveSameBits(try latents(nil), try latents(dtype == .int8 ? .int8 : .float32)))
            #expect(!haveSameBits(try latents(nil), try latents(dtype == .int8 ? .float32 : .int8)))
        }
    }
}
