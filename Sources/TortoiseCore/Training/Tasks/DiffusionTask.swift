/// How the diffusion decoder is trained: the `task` section of its entry.
public struct DiffusionTaskOptions: Equatable, Sendable {
    /// The file of the autoregressive model whose latents it is trained on, relative to the configuration.
    public var autoregressive = ""
    /// The most codes of each crop.
    public var cropCodes = 64
    /// Seconds of another utterance by which the voice is heard.
    public var promptSeconds = 3.0
    /// The weight of the mel that the conditioning alone foretells.
    public var melWeight = 0.1
    /// Which steps of the process are trained, evenly spread over all 4,000.
    public var steps = 4_000

    public init() {}
}

extension DiffusionTaskOptions: ConfigurationSection {
    static func describe(_ keys: inout ConfigurationKeys<DiffusionTaskOptions>) {
        keys.key("autoregressive", \.autoregressive)
        keys.key("crop_codes", \.cropCodes, .within(4...1_000))
        keys.key("prompt_seconds", \.promptSeconds, .within(0.5...12))
        keys.key("mel_weight", \.melWeight, .within(0...1_000))
        keys.key("steps", \.steps, .within(10...4_000))
    }
}

/// Teaches the diffusion decoder to take noise out of mels: mean squared error and variational bound, as it was published.
public final class DiffusionTask: TrainingTask {
    public let name: String
    public let model: DiffusionModel
    private let store: ParameterStore
    private let source: LatentSource
    private let process: GaussianDiffusion
    private let options: DiffusionTaskOptions
    private let description: [(name: String, value: CheckpointContent)]

    private static let mel = "diffusion"
    private static let framesPerSecond = Double(SampleRate.wide) / 256

    init(
        name: String, _ model: DiffusionModel, _ store: ParameterStore, _ source: LatentSource,
        options: DiffusionTaskOptions,
        description: [(name: String, value: CheckpointContent)]
    ) throws {
        (self.name, self.model, self.store, self.source) = (name, model, store, source)
        (self.options, self.description) = (options, description)
        process = try GaussianDiffusion(.even(options.steps))
    }

    public var parameters: [Parameter] { store.parameters }
    public var phases: [TrainingPhase] { [TrainingPhase("", store.trainable)] }

    public func loss(_ batch: UtteranceBatch, phase: Int, _ run: RunContext) -> TaskLoss {
        let (latents, starts) = source.crops(batch, codes: options.cropCodes, run["crop"].random)
        let mel = target(batch, codes: latents.size(1), starts)
        let steps = UtteranceBatch.randomStarts(
            [Int](repeating: process.count, count: mel.size(0)), run["steps"].random)
        let noise = Tensor(run["noise"].random.stream.normals(mel.count), shape: mel.shape)
        let pass = model.trainingPass(
            process.noised(mel, noise, steps: steps), timesteps: steps.map { process.timesteps[$0] },
            guide: .latents(latents),
            conditioning: model.conditioningLatent(voices(batch, run["prompt"])), run["model"])
        let loss = process.loss(pass.prediction, data: mel, noise: noise, steps: steps)
        let foretold = meanSquaredError(pass.mel, mel)
        let (error, bound) = (loss.noise.mean, loss.bound?.mean ?? Tensor([0], shape: []))
        let total = error + bound + foretold * Float(options.melWeight)
        return TaskLoss(total, parts: [("noise", error.item), ("bound", bound.item), ("mel", foretold.item)])
    }

    /// The mel that belongs to a stretch of latents, brought to −1...1. Shape: [batch, bands, frames]
    private func target(_ batch: UtteranceBatch, codes: Int, _ starts: [Int]) -> Tensor {
        let first = starts.map { Int((Double($0) * LatentSource.framesPerCode).rounded()) }
        let mel = UtteranceBatch.melCrops(
            batch.items.map(\.utterance), Self.mel, bands: model.config.melChannels,
            frames: DiffusionModel.frames(codes: codes),
            starts: first)
        return MelNormalization.normalize(mel)
    }

    /// A stretch of each companion. Shape: [batch, bands, frames]
    private func voices(_ batch: UtteranceBatch, _ run: RunContext) -> Tensor {
        let bands = model.config.melChannels
        let frames = Int(options.promptSeconds * Self.framesPerSecond)
        let companions = batch.items.map(\.companion)
        let limits = companions.map { ($0.mels[Self.mel]?.count ?? 0) / bands - frames + 1 }
        return UtteranceBatch.melCrops(
            companions, Self.mel, bands: bands, frames: frames, starts: UtteranceBatch.randomStarts(limits, run.random))
    }

    public func exportedWeights(dtype: WeightDType) throws -> ExportedWeights {
        ExportedWeights(try store.exported(DiffusionModel.keyMap, dtype), values: description)
    }
}
