import Testing

@testable import TortoiseCore

/// CLVP, CVVP and the audio classifier against the original, at small size.
@Suite struct RankerTests {
    private func expect(_ found: Tensor, _ expected: Tensor, within limit: Double = 2e-5, _ what: Comment? = nil) {
        let difference = TensorDifference(found, from: expected)
        #expect(difference.error < limit, what ?? "\(difference)")
    }

    private static var clvpConfig: CLVPConfig {
        var config = CLVPConfig()
        (config.textWidth, config.speechWidth, config.latentWidth) = (24, 24, 16)
        (config.textTokens, config.textDepth, config.textHeads) = (30, 2, 2)
        (config.speechTokens, config.speechDepth, config.speechHeads) = (40, 2, 2)
        return config
    }

    private func loadCLVP() throws -> (model: CLVPModel, parameters: ParameterStore, golden: ModelGolden) {
        let golden = try ModelGolden("Models/clvp.safetensors")
        let loaded = try ParameterStore.load(from: KeyMappedSource(golden, CLVPModel.keyMap)) {
            CLVPModel(Self.clvpConfig, at: $0)
        }
        return (loaded.model, loaded.parameters, golden)
    }

    @Test func clvpIsTheOriginals() throws {
        let (model, store, golden) = try loadCLVP()
        let (text, codes) = (try golden["text"], try golden["codes"])
        expect(model.similarity(text: text, codes: codes), try golden["similarity"])
        expect(model.similarity(text: text.sliced(0, 0..<1).contiguous, codes: codes), try golden["similarity_first"])
        store.setTrainable()
        let loss = model.loss(text: text, textLengths: nil, codes: codes, codeLengths: nil)
        expect(loss, try golden["loss"])
        try golden.checkGradients(loss.gradients(), of: store.parameters, within: 1e-4)
    }

    /// With lengths, padding changes nothing.
    @Test func paddingIsNotHeard() throws {
        let (model, _, golden) = try loadCLVP()
        let codes = try golden["codes"].indexValues
        let short = Tensor(indices: Array(codes[0..<8]), shape: [1, 8])
        let padded = Tensor(indices: Array(codes[0..<8]) + [1, 2, 3] + Array(codes[13..<24]), shape: [2, 11])
        let alone = model.speechLatent(short)
        expect(model.speechLatent(padded, lengths: [8, 11]).sliced(0, 0..<1), alone)
        let text = try golden["text"].sliced(0, 0..<1).contiguous
        expect(
            model.similarity(text: text, codes: padded, codeLengths: [8, 11]).sliced(0, 0..<1),
            model.similarity(text: text, codes: short))
    }

    @Test func cvvpIsTheOriginals() throws {
        let golden = try ModelGolden("Models/cvvp.safetensors")
        var config = CVVPConfig()
        (config.width, config.heads, config.conditioningDepth, config.speechDepth, config.melCodes) = (32, 2, 2, 2, 40)
        let (model, store) = try ParameterStore.load(from: KeyMappedSource(golden, CVVPModel.keyMap)) {
            CVVPModel(config, at: $0)
        }
        store.setTrainable()
        let similarity = model.similarity(mel: try golden["mel"], codes: try golden["codes"])
        expect(similarity, try golden["similarity"])
        try golden.checkGradients(
            (similarity * (try golden["upstream"])).sum.gradients(), of: store.parameters, within: 2e-4)
    }

    @Test func classifierIsTheOriginals() throws {
        let golden = try ModelGolden("Models/classifier.safetensors")
        var config = ClassifierConfig()
        (config.embeddingWidth, config.depth, config.residualBlocks, config.attentionBlocks) = (32, 2, 1, 1)
        (config.heads, config.baseChannels) = (2, 16)
        let (model, store) = try ParameterStore.load(from: KeyMappedSource(golden, ClassifierModel.keyMap)) {
            ClassifierModel(config, at: $0)
        }
        store.setTrainable()
        let logits = model(try golden["audio"])
        expect(logits, try golden["logits"])
        try golden.checkGradients(
            (logits * (try golden["upstream"])).sum.gradients(), of: store.parameters, within: 2e-4)
    }
}
