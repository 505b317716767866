import Testing

@testable import TortoiseCore

/// The autoregressive model, its adapters and the random latent converter against the original, at small size.
@Suite struct AutoregressiveTests {
    private let golden: ModelGolden
    private let config: AutoregressiveConfig

    init() throws {
        golden = try ModelGolden("Models/autoregressive.safetensors")
        var config = AutoregressiveConfig()
        (config.layers, config.width, config.heads, config.dropout) = (2, 32, 2, 0)
        (config.maximumTextTokens, config.maximumMelTokens) = (20, 30)
        (config.textTokens, config.startTextToken) = (30, 30)
        (config.melTokens, config.startMelToken, config.stopMelToken, config.calmToken) = (42, 40, 41, 3)
        config.tailTokens = [4, 4, 5]
        self.config = config
    }

    private func load(_ precision: WeightPrecision = .float32) throws -> (
        model: AutoregressiveModel, parameters: ParameterStore
    ) {
        try ParameterStore.load(from: KeyMappedSource(golden, AutoregressiveModel.keyMap), precision: precision) {
            AutoregressiveModel(config, at: $0)
        }
    }

    private var inputs: AutoregressiveInputs {
        get throws {
            AutoregressiveInputs(
                latent: try golden["inputs.latent"], text: try golden["inputs.text"],
                textLengths: try golden["inputs.text_lengths"].indexValues.map { Int($0) },
                codes: try golden["inputs.codes"],
                wavLengths: try golden["inputs.wav_lengths"].indexValues.map { Int($0) })
        }
    }

    private func expect(_ found: Tensor, _ key: String, in file: ModelGolden, within limit: Double = 2e-5) throws {
        let difference = TensorDifference(found, from: try file[key])
        #expect(difference.error < limit, "\(key): \(difference)")
    }

    /// The gradient of a parameter that files hold transposed.
    private func fileGradient(_ name: String) throws -> Tensor? {
        let key = "gradient." + name
        guard golden.file.has(key) else { return nil }
        let isTransposed = ["c_attn.weight", "c_proj.weight", "c_fc.weight"].contains { name.hasSuffix($0) }
        return isTransposed ? try golden[key].transposed().contiguous : try golden[key]
    }

    @Test(arguments: [false, true])
    func lossesAndGradientsAreTheOriginals(checkpoints: Bool) throws {
        let (model, store) = try load()
        store.setTrainable()
        model.checkpointsActivations = checkpoints
        let (text, mel, logits) = model.loss(try inputs)
        try expect(text, "loss_text", in: golden)
        try expect(mel, "loss_mel", in: golden)
        try expect(logits.transposed(1, 2), "mel_logits", in: golden)
        let conditioning = model.conditioningLatent(try golden["inputs.mel"])
        try expect(conditioning, "conditioning", in: golden)
        let heard = model.loss(try inputs, order: .codesFirst)
        try expect(heard.text, "codes_first_loss_text", in: golden)
        try expect(heard.mel, "codes_first_loss_mel", in: golden)
        let total =
            text + mel + heard.text * 0.5 + heard.mel * 0.25 + (conditioning * (try golden["inputs.upstream"])).sum
        try golden.checkGradients(total.gradients(), of: store.parameters, within: 1e-4, fileGradient)
    }

    /// What ranks candidates is the loss of a text after its codes, which is the original's.
    @Test func theLikelihoodOfATextIsItsLossAfterTheCodes() throws {
        let model = try load().model
        let (voice, text, codes): ([Float], [Int32], [Int32]) = (
            try golden["inputs.latent"].sliced(0, 0..<1).contiguous.values, [3, 9, 4, 2], [7, 8, 3, 3, 12]
        )
        let given = AutoregressiveInputs(voice: voice, text: text, codes: codes, config)
        let likelihood = model.textLikelihood(voice: voice, text: text, codes: codes)
        #expect(abs(likelihood + model.loss(given, order: .codesFirst).text.item) < 1e-5)
        #expect(likelihood != model.textLikelihood(voice: voice, text: text, codes: [7, 8, 3, 3, 13]))
    }

    @Test func latentsAreTheOriginals() throws {
        try expect(try load().model.latents(try inputs), "latents", in: golden)
    }

    @Test(arguments: [(CodePositions.original, "greedy_original"), (.training, "greedy_training")])
    func cachedDecodingGivesTheOriginalsCodes(positions: CodePositions, key: String) throws {
        let model = try load().model
        let text = try golden["inputs.text"].sliced(0, 0..<1).contiguous.indexValues
        let decoder = try AutoregressiveDecoder(
            model, latent: try golden["inputs.latent"].sliced(0, 0..<1).contiguous, text: text, positions: positions)
        #expect(decoder.maximumSteps == 29)
        var codes: [Int32] = []
        var output = decoder.start(batch: 1)
        for _ in 0..<20 {
            codes.append(output.logits.argmax.indexValues[0])
            output = decoder.step([codes.last ?? 0])
        }
        #expect(codes == (try golden[key].indexValues))
    }

    /// A candidate's logits are the same bits alone and among others, in every precision.
    @Test(arguments: WeightPrecision.allCases)
    func candidatesDoNotDependOnTheBatch(precision: WeightPrecision) throws {
        let model = try load(precision).model
        let latent = try golden["inputs.latent"].sliced(0, 0..<1).contiguous
        func logits(_ batch: Int, of row: Int) throws -> [Tensor] {
            let decoder = try AutoregressiveDecoder(model, latent: latent, text: [3, 9, 4])
            var result = [decoder.start(batch: batch).logits]
            for step in 0..<4 {
                let own = Int32(7 + step)
                let tokens = (0..<batch).map { $0 == row ? own : Int32(1 + $0 + step) }
                result.append(decoder.step(tokens).logits.sliced(0, row..<row + 1).contiguous)
            }
            return result
        }
        let alone = try logits(1, of: 0)
        for (batch, row) in [(2, 1), (5, 3), (16, 15)] {
            #expect(zip(alone, try logits(batch, of: row)).allSatisfy(haveSameBits))
        }
    }

    /// The states of decoding are those of the latent pass, which reads everything at once.
    @Test func decodingAgreesWithTheLatentPass() throws {
        let model = try load().model
        let latent = try golden["inputs.latent"].sliced(0, 0..<1).contiguous
        let codes: [Int32] = [5, 9, 2, 2, 17, 30]
        let decoder = try AutoregressiveDecoder(model, latent: latent, text: [3, 9, 4])
        var hidden = [decoder.start(batch: 1).hidden]
        for code in codes.dropLast() { hidden.append(decoder.step([code]).hidden) }
        let inputs = AutoregressiveInputs(
            latent: latent, text: Tensor(indices: [3, 9, 4], shape: [1, 3]), textLengths: [3],
            codes: Tensor(indices: codes, shape: [1, 6]), wavLengths: [6 * 1_024])
        let difference = TensorDifference(stacked(hidden, axis: 1), from: model.latents(inputs))
        #expect(difference.error < 1e-5, "\(difference)")
    }

    /// Guided logits are c + k (c − u) at every step, also after candidates were dropped and doubled.
    @Test func guidanceLeadsAwayFromTheWordlessModel() throws {
        let model = try load().model
        let latent = try golden["inputs.latent"].sliced(0, 0..<1).contiguous
        func logits(_ decoder: any TokenDecoder) -> [DecoderOutput] {
            var outputs = [decoder.start(batch: 3), decoder.step([5, 9, 2])]
            decoder.reorder([2, 0])
            outputs.append(decoder.step([7, 1]))
            return outputs
        }
        let with = logits(try AutoregressiveDecoder(model, latent: latent, text: [3, 9, 4]))
        let without = logits(try AutoregressiveDecoder(model, latent: latent, text: []))
        let guided = logits(try model.decoder(latent: latent, text: [3, 9, 4], guidance: 1.5))
        let plain = logits(try model.decoder(latent: latent, text: [3, 9, 4], guidance: 0))
        for step in with.indices {
            let expected = with[step].logits * 2.5 - without[step].logits * 1.5
            #expect(TensorDifference(guided[step].logits, from: expected).error < 1e-5)
            #expect(TensorDifference(guided[step].logits, from: with[step].logits).error > 1e-3)
            #expect(haveSameBits(guided[step].hidden, with[step].hidden))
            #expect(haveSameBits(plain[step].logits, with[step].logits))
        }
    }

    @Test func textsThatDoNotFitAreRefused() throws {
        let model = try load().model
        let latent = try golden["inputs.latent"].sliced(0, 0..<1).contiguous
        for text in [[Int32](repeating: 3, count: 21), [31], [-1]] {
            #expect(throws: InputError.self) { try AutoregressiveDecoder(model, latent: latent, text: text) }
        }
    }

    @Test func wrongKeysAreNamed() throws {
        struct Changed: ParameterSource {
            let base: ModelGolden
            let label = "changed"
            var names: [String] { base.names.filter { $0 != "final_norm.bias" } + ["final_norm.bais"] }
            func tensor(_ name: String) throws -> Tensor? {
                if name == "text_head.bias" { return Tensor.zeros([3]) }
                return name == "final_norm.bias"
                    ? nil : try base.tensor(name == "final_norm.bais" ? "final_norm.bias" : name)
            }
        }
        let error = #expect(throws: InputError.self) {
            _ = try ParameterStore.load(from: KeyMappedSource(Changed(base: golden), AutoregressiveModel.keyMap)) {
                AutoregressiveModel(config, at: $0)
            }
        }
        let text = "\(try #require(error))"
        #expect(text.contains("final_norm.bias (did the file mean final_norm.bais?)"))
        #expect(text.contains("text_head.bias (expected [31], found [3])"))
        #expect(!text.contains("masked_bias"))
    }

    // MARK: - Adapters

    private func loadAdapted() throws -> (model: AutoregressiveModel, adapter: ParameterStore, golden: ModelGolden) {
        let lora = try ModelGolden("Models/lora.safetensors")
        let model = try load().model
        #expect(try AutoregressiveModel.rank(of: lora) == 3)
        let adapter = try model.attachAdapter(from: lora, alpha: 6, dropout: 0)
        return (model, adapter, lora)
    }

    @Test func adaptersAndTheirGradientsAreTheOriginals() throws {
        let (model, adapter, lora) = try loadAdapted()
        adapter.setTrainable()
        let (text, mel, _) = model.loss(try inputs)
        try expect(text, "loss_text", in: lora)
        try expect(mel, "loss_mel", in: lora)
        try lora.checkGradients((text + mel).gradients(), of: adapter.parameters, within: 1e-4) {
            try lora["gradient." + $0].transposed().contiguous
        }
    }

    @Test func mergedAdaptersDoTheSame() throws {
        let (model, _, lora) = try loadAdapted()
        try expect(model.latents(try inputs), "latents", in: lora)
        try model.mergeAdapters()
        try expect(model.latents(try inputs), "latents", in: lora)
    }

    @Test func packedWeightsCannotTakeAnAdapterIn() throws {
        let lora = try ModelGolden("Models/lora.safetensors")
        let model = try load(.int8).model
        _ = try model.attachAdapter(from: lora, alpha: 6)
        #expect(throws: InputError.self) { try model.mergeAdapters() }
    }

    @Test func freshAdaptersChangeNothingAndTrainAlone() throws {
        let (model, store) = try load()
        let before = model.latents(try inputs)
        let adapter = model.attachAdapter(LoRAConfig(rank: 2, alpha: 4, dropout: 0), seed: 3)
        #expect(haveSameBits(before, model.latents(try inputs)))
        AutoregressiveModel.train(adapter: adapter, of: store)
        #expect(store.trainable.isEmpty && adapter.trainable.count == 16)
        AutoregressiveModel.train(adapter: adapter, of: store, embeddings: true)
        #expect(store.trainable.allSatisfy { $0.name.contains("_emb") } && store.trainable.count == 4)
    }

    @Test func embeddingsThatWereTrainedWithAnAdapterAreTakenOver() throws {
        struct Trained: ParameterSource {
            let label = "trained"
            let values: [String: Tensor]
            var names: [String] { Array(values.keys) }
            func tensor(_ name: String) -> Tensor? { values[name] }
        }
        let (_, store) = try load()
        let name = "text_embedding.weight"
        let before = try #require(store[name]).value.detached
        let file = Trained(values: [name: before + 1, "gpt.h.0.ln_1.bias": Tensor([0])])
        try AutoregressiveModel.takeEmbeddings(from: file, into: store, strength: 0.5)
        expectClose(try #require(store[name]).value.detached, before + 0.5, 1e-6, "half-way")
        let wrong = Trained(values: [name: Tensor.zeros([2, 2])])
        #expect(throws: InputError.self) { try AutoregressiveModel.takeEmbeddings(from: wrong, into: store) }
    }

    @Test func filesWithoutAnAdapterAreRefused() throws {
        let model = try load().model
        #expect(throws: InputError.self) { try model.attachAdapter(from: golden, alpha: 6) }
    }

    @Test func adaptersAreWrittenAsTheyAreRead() throws {
        let (_, adapter, lora) = try loadAdapted()
        for parameter in adapter.parameters {
            #expect(
                haveSameBits(
                    AutoregressiveModel.adapterKeyMap.fileValue(of: parameter), try lora["weights." + parameter.name]))
        }
    }

    // MARK: - Random latents

    @Test func randomLatentsAreTheOriginals() throws {
        let file = try ModelGolden("Models/random_latents.safetensors")
        let (model, store) = try ParameterStore.load(from: file) {
            RandomLatentConverter(RandomLatentConfig(channels: 16), at: $0)
        }
        store.setTrainable()
        let output = model(try file["noise"])
        try expect(output, "output", in: file)
        let gradients = (output * (try file["upstream"])).sum.gradients()
        try file.checkGradients(gradients, of: store.parameters, within: 1e-4)
    }
}
