/// How the DVAE is trained: the `task` section of its entry.
public struct DVAETaskOptions: Equatable, Sendable {
    /// Mel frames of each crop, a multiple of the frames per code.
    public var cropFrames = 128
    /// The weight of the distance between the encoder's vectors and their codes.
    public var commitmentWeight = 0.25
    /// Updates before codes stand in for the encoder's vectors; the codebook is then made of those by k-means.
    public var unquantizedSteps = 150
    /// The running average of assignments per update below which a code starts anew.
    public var restartBelow = 0.1

    public init() {}
}

extension DVAETaskOptions: ConfigurationSection {
    static func describe(_ keys: inout ConfigurationKeys<DVAETaskOptions>) {
        keys.key("crop_frames", \.cropFrames, .within(8...4_096))
        keys.key("commitment_weight", \.commitmentWeight, .within(0...1_000))
        keys.key("unquantized_steps", \.unquantizedSteps, .within(0...1_000_000))
        keys.key("restart_below", \.restartBelow, .within(0...1_000))
    }
}

/// Teaches the DVAE to say a mel in codes: mean absolute error of the mel, and commitment to the codes.
///
/// The codebook is no parameter of the optimizer: it follows the encoder's vectors by running averages.
public final class DVAETask: TrainingTask {
    public let name: String
    public let model: DVAEModel
    private let store: ParameterStore
    private let options: DVAETaskOptions
    private let description: [(name: String, value: CheckpointContent)]
    private var updates = 0
    /// Of the micro-batches since the last update.
    private var vectors: [Tensor] = []
    private var codes: [Int32] = []
    /// Of the last updates before codes are used: what the codebook is made of.
    private var recent: [Tensor] = []

    private static let recentCount = 16
    private static let mel = "dvae"

    public init(
        name: String, _ model: DVAEModel, _ store: ParameterStore, options: DVAETaskOptions, isFresh: Bool,
        description: [(name: String, value: CheckpointContent)]
    ) {
        (self.name, self.model, self.store) = (name, model, store)
        (self.options, self.description) = (options, description)
        // Weights from a file come with their codebook.
        updates = isFresh ? 0 : options.unquantizedSteps + 1
        let averages = Set(model.codebook.parameters.map(\.name))
        for parameter in store.parameters where averages.contains(parameter.name) { parameter.isTrainable = false }
    }

    public var parameters: [Parameter] { store.parameters }
    public var phases: [TrainingPhase] { [TrainingPhase("", store.trainable)] }

    private var isQuantizing: Bool { updates > options.unquantizedSteps }

    public func loss(_ batch: UtteranceBatch, phase: Int, _ run: RunContext) -> TaskLoss {
        let mel = crops(batch, run)
        let found = model.reconstruct(mel, quantizes: isQuantizing)
        vectors.append(found.vectors)
        codes += found.codes
        let error = l1Loss(found.mel.contiguous, mel)
        guard let commitment = found.commitment else { return TaskLoss(error, parts: [("mel", error.item)]) }
        return TaskLoss(
            error + commitment * Float(options.commitmentWeight),
            parts: [("mel", error.item), ("commitment", commitment.item), ("codes", Float(Set(found.codes).count))])
    }

    private func crops(_ batch: UtteranceBatch, _ run: RunContext) -> Tensor {
        let bands = model.config.channels
        let frames = options.cropFrames / model.config.framesPerCode * model.config.framesPerCode
        let utterances = batch.items.map(\.utterance)
        let limits = utterances.map { ($0.mels[Self.mel]?.count ?? 0) / bands - frames + 1 }
        return UtteranceBatch.melCrops(
            utterances, Self.mel, bands: bands, frames: frames,
            starts: UtteranceBatch.randomStarts(limits, run["crop"].random))
    }

    /// What a skipped step left would spoil the codebook.
    public func willStep() { (vectors, codes) = ([], []) }

    public func didStep(_ step: Int, _ run: RunContext) {
        updates += 1
        defer { willStep() }
        guard !vectors.isEmpty else { return }
        let all = concatenated(vectors, axis: 0)
        if updates <= options.unquantizedSteps + 1 {
            recent = Array((recent + [all]).suffix(Self.recentCount))
            guard isQuantizing else { return }
            model.codebook.initialize(from: concatenated(recent, axis: 0), run["codebook"].random)
            recent = []
        } else if isQuantizing, codes.count == all.size(0) {
            model.codebook.update(all, codes)
            model.codebook.restartDeadCodes(all, below: Float(options.restartBelow), run["restart"].random)
        }
    }

    public func evaluate(_ batch: UtteranceBatch) -> [(name: String, value: Float)] {
        let mel = crops(batch, .inference)
        let found = model.reconstruct(mel, quantizes: isQuantizing)
        return [("mel", l1Loss(found.mel.contiguous, mel).item)]
    }

    public func extraState() -> StateDictionary? {
        var state = model.codebook.state()
        state.append("updates", Double(updates))
        for (index, vectors) in recent.enumerated() { state.append("recent.\(index)", vectors) }
        return state
    }

    public func restoreExtraState(_ state: StateDictionary) throws {
        var codebook = StateDictionary(kind: state.kind)
        for (name, tensor) in state.tensors where !name.hasPrefix("recent.") { codebook.append(name, tensor) }
        try model.codebook.restore(codebook)
        let kept = Dictionary(state.tensors.map { ($0.name, $0.tensor) }) { first, _ in first }
        recent = (0..<Self.recentCount).compactMap { kept["recent.\($0)"] }
        guard let count = state.scalars.first(where: { $0.name == "updates" })?.value else {
            throw InputError.model("the count of updates is missing")
        }
        updates = Int(count)
    }

    public func exportedWeights(dtype: WeightDType) throws -> ExportedWeights {
        ExportedWeights(try store.exported(DVAEModel.keyMap, dtype), values: description)
    }
}
