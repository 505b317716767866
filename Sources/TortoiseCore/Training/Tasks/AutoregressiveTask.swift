/// How the autoregressive model is trained: the `task` section of its entry.
public struct AutoregressiveTaskOptions: Equatable, Sendable {
    /// Weights of the two losses; the reference adds them as they are.
    public var textWeight = 1.0
    public var melWeight = 1.0
    /// Train the conditioning encoder too, on another utterance of each speaker, in place of the dataset's stored latents.
    public var trainsConditioning = false
    /// Seconds of that utterance that are heard: a length within the range for each batch.
    public var promptSeconds = ConfigurationRange(2, 4)
    /// The share of utterances that are trained with the codes before the text, so that the model learns to hear what codes say and
    /// can judge its own candidates (`--rank-by autoregressive`).
    public var codesFirst = 0.0

    public init() {}
}

extension AutoregressiveTaskOptions: ConfigurationSection {
    static func describe(_ keys: inout ConfigurationKeys<AutoregressiveTaskOptions>) {
        keys.key("text_weight", \.textWeight, .within(0...1_000))
        keys.key("mel_weight", \.melWeight, .within(0...1_000))
        keys.key("train_conditioning", \.trainsConditioning)
        keys.key(
            "prompt_seconds", \.promptSeconds,
            .init(expected: "0.5 to 12 seconds") { $0.lower >= 0.5 && $0.upper <= 12 })
        keys.key("codes_first", \.codesFirst, .within(0...1))
    }
}

/// Teaches the autoregressive model to write the codes of a text: cross entropy of text and codes, as the reference.
public final class AutoregressiveTask: TrainingTask {
    public let name: String
    public let model: AutoregressiveModel
    private let store: ParameterStore
    /// Trained in place of the model, when there is one.
    private let adapter: ParameterStore?
    private let options: AutoregressiveTaskOptions
    private let description: [(name: String, value: CheckpointContent)]

    /// The name of the mel spectrograms that conditioning is trained on, and their frames per second.
    private static let mel = "dvae"
    private static let framesPerSecond = Double(SampleRate.narrow) / 256

    /// - Parameters:
    ///   - store: The model's parameters, of which some may be frozen.
    ///   - adapter: What is trained instead of the model.
    ///   - description: What exported files carry, such as `config`.
    public init(
        name: String, _ model: AutoregressiveModel, _ store: ParameterStore, adapter: ParameterStore? = nil,
        options: AutoregressiveTaskOptions, description: [(name: String, value: CheckpointContent)]
    ) {
        (self.name, self.model, self.store, self.adapter) = (name, model, store, adapter)
        (self.options, self.description) = (options, description)
    }

    public var parameters: [Parameter] { store.parameters + (adapter?.parameters ?? []) }
    public var phases: [TrainingPhase] { [TrainingPhase("", (adapter?.trainable ?? []) + store.trainable)] }

    public func loss(_ batch: UtteranceBatch, phase: Int, _ run: RunContext) -> TaskLoss {
        let losses = divided(batch, run["order"].random).map { order, part in
            loss(
                part, order, order == .textFirst ? run : run["heard"],
                share: Float(part.items.count) / Float(batch.items.count))
        }
        return TaskLoss(losses.dropFirst().reduce(losses[0].total) { $0 + $1.total }, parts: losses.flatMap(\.parts))
    }

    /// One part's share of the loss. What the second half of a sequence says counts as `mel_weight` says, the first as `text_weight`.
    private func loss(_ batch: UtteranceBatch, _ order: AutoregressiveOrder, _ run: RunContext, share: Float)
        -> TaskLoss
    {
        let (text, mel, _) = model.loss(inputs(batch, run), order: order, run)
        let (first, second) = (Float(options.textWeight) * share, Float(options.melWeight) * share)
        switch order {
        case .textFirst: return TaskLoss(text * first + mel * second, parts: [("text", text.item), ("mel", mel.item)])
        case .codesFirst: return TaskLoss(mel * first + text * second, parts: [("heard", text.item)])
        }
    }

    /// The utterances that are said and those that are heard, drawn for each batch; no part is empty.
    private func divided(
        _ batch: UtteranceBatch, _ random: RandomSource
    ) -> [(order: AutoregressiveOrder, part: UtteranceBatch)] {
        guard options.codesFirst > 0 else { return [(.textFirst, batch)] }
        let rows = zip(batch.items, random.stream.uniforms(batch.items.count))
        return [AutoregressiveOrder.textFirst, .codesFirst].compactMap { order in
            let items = rows.filter { (Double($1) < options.codesFirst) == (order == .codesFirst) }.map(\.0)
            return items.isEmpty ? nil : (order, UtteranceBatch(items))
        }
    }

    /// The model's inputs; the voice is stored, or heard in the companions.
    func inputs(_ batch: UtteranceBatch, _ run: RunContext) -> AutoregressiveInputs {
        let (text, textLengths) = batch.text
        let codes = batch.codes(padding: model.config.stopMelToken).ids
        let latent =
            options.trainsConditioning ? heardVoices(batch, run["prompt"]) : batch.latents(\.autoregressiveLatent)
        return AutoregressiveInputs(
            latent: latent, text: text, textLengths: textLengths, codes: codes,
            wavLengths: batch.items.map(\.utterance.sampleCount))
    }

    private func heardVoices(_ batch: UtteranceBatch, _ run: RunContext) -> Tensor {
        let bands = model.config.melChannels
        let range = options.promptSeconds
        let seconds = range.lower + (range.upper - range.lower) * Double(run["seconds"].random.stream.uniforms(1)[0])
        let frames = Int(seconds * Self.framesPerSecond)
        let companions = batch.items.map(\.companion)
        let limits = companions.map { ($0.mels[Self.mel]?.count ?? 0) / bands - frames + 1 }
        let starts = UtteranceBatch.randomStarts(limits, run["start"].random)
        return model.conditioningLatent(
            UtteranceBatch.melCrops(companions, Self.mel, bands: bands, frames: frames, starts: starts))
    }

    public func evaluate(_ batch: UtteranceBatch) -> [(name: String, value: Float)] {
        let given = inputs(batch, .inference)
        let (text, mel, _) = model.loss(given, .inference)
        var parts = [(name: "text", value: text.item), (name: "mel", value: mel.item)]
        if options.codesFirst > 0 {
            parts.append(("heard", model.loss(given, order: .codesFirst, .inference).text.item))
        }
        guard batch.items.count > 1 else { return parts }
        // The same codes with the next row's text: the gap shows how much of the text is read.
        let shuffled = UtteranceBatch(
            batch.items.indices.map { row in
                var item = batch.items[row]
                item.utterance.tokens = batch.items[(row + 1) % batch.items.count].utterance.tokens
                return item
            })
        var other = given
        (other.text, other.textLengths) = shuffled.text
        parts.append(("mel_wrong_text", model.loss(other, .inference).mel.item))
        return parts
    }

    public func exportedWeights(dtype: WeightDType) throws -> ExportedWeights {
        if let adapter {
            return ExportedWeights(
                try adapter.exported(AutoregressiveModel.adapterKeyMap, dtype) + embeddings(dtype), values: description)
        }
        return ExportedWeights(try store.exported(AutoregressiveModel.keyMap, dtype), values: description)
    }

    /// The model's own parameters that an adapter's training changed.
    private func embeddings(_ dtype: WeightDType) throws -> [(name: String, tensor: TensorSource)] {
        try store.trainable.flatMap { try AutoregressiveModel.keyMap.fileValue(of: $0).stored($0.name, as: dtype) }
    }
}

extension ParameterStore {
    /// All parameters as files hold them.
    ///
    /// - Throws: `InputError.usage` for element types that files are not written in.
    func exported(_ map: KeyMap, _ dtype: WeightDType) throws -> [(name: String, tensor: TensorSource)] {
        try parameters.flatMap { try map.fileValue(of: $0).stored($0.name, as: dtype) }
    }
}
