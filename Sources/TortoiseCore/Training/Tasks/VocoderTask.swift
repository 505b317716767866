import Foundation

/// How a vocoder is trained: the `task` section of its entry.
public struct VocoderTaskOptions: Equatable, Sendable {
    /// The file of the autoregressive model whose latents a HiFi-GAN is trained on, relative to the configuration.
    public var autoregressive = ""
    /// Hear the mels that diffusion made of the recordings' codes, as speech has them, in place of the recordings' own.
    public var hearsDiffusedMels = false
    /// Mel frames of each crop.
    public var cropFrames = 32
    /// Train against discriminators; without them spectrograms alone are compared, which is a good start.
    public var isAdversarial = true
    public var spectrogramWeight = 1.0
    public var melWeight = 45.0
    public var featureWeight = 1.0
    /// Multiplies the learning rate of the discriminators.
    public var discriminatorRate = 1.0
    /// Sizes of the discriminators.
    public var discriminators = ConfigurationParameters()

    public init() {}
}

extension VocoderTaskOptions: ConfigurationSection {
    static func describe(_ keys: inout ConfigurationKeys<VocoderTaskOptions>) {
        keys.key("autoregressive", \.autoregressive)
        keys.key("diffused_mels", \.hearsDiffusedMels)
        keys.key("crop_frames", \.cropFrames, .within(8...1_024))
        keys.key("adversarial", \.isAdversarial)
        keys.key("spectrogram_weight", \.spectrogramWeight, .within(0...1_000))
        keys.key("mel_weight", \.melWeight, .within(0...1_000))
        keys.key("feature_weight", \.featureWeight, .within(0...1_000))
        keys.key("discriminator_rate", \.discriminatorRate, .within(0...1_000))
        keys.key("discriminators", \.discriminators)
    }
}

/// What a vocoder makes waveforms of.
enum VocoderNetwork {
    case univnet(UnivNetModel)
    case vocos(VocosModel)
    case bigvgan(BigVGANModel)
    /// Of latents, in the voice of the stored conditioning latent.
    case hifigan(HiFiGANModel, LatentSource)

    /// The vocoder, when it is one of mels.
    var melVocoder: (any MelVocoder)? {
        switch self {
        case .univnet(let model): model
        case .vocos(let model): model
        case .bigvgan(let model): model
        case .hifigan: nil
        }
    }

    var keyMap: KeyMap {
        switch self {
        case .univnet: UnivNetModel.trainableKeyMap
        case .vocos: VocosModel.keyMap
        case .bigvgan: BigVGANModel.trainableKeyMap
        case .hifigan: HiFiGANModel.trainableKeyMap
        }
    }
}

/// Teaches a vocoder to make waveforms that sound like the recordings: spectrograms at several resolutions, the mel, and
/// discriminators with their features (Kong et al., "HiFi-GAN", 2020; Jang et al., "UnivNet", 2021).
final class VocoderTask: TrainingTask {
    let name: String
    private let network: VocoderNetwork
    private let store: ParameterStore
    private let discriminators: (model: VocoderDiscriminators, store: ParameterStore)?
    private let options: VocoderTaskOptions
    private let description: [(name: String, value: CheckpointContent)]

    static let hop = 256
    static let bands = 100
    private static let mel = "diffused"
    /// FFT size and hop of the spectrograms that are compared (Yamamoto et al., "Parallel WaveGAN", 2020).
    private static let resolutions = [(512, 50), (1_024, 120), (2_048, 240)]

    init(
        name: String, _ network: VocoderNetwork, _ store: ParameterStore,
        _ discriminators: (model: VocoderDiscriminators, store: ParameterStore)?, options: VocoderTaskOptions,
        description: [(name: String, value: CheckpointContent)]
    ) {
        (self.name, self.network, self.store, self.discriminators) = (name, network, store, discriminators)
        (self.options, self.description) = (options, description)
    }

    var parameters: [Parameter] { store.parameters + (discriminators?.store.parameters ?? []) }

    var phases: [TrainingPhase] {
        guard let discriminators else { return [TrainingPhase("", store.trainable)] }
        return [
            TrainingPhase(
                "discriminator", discriminators.store.trainable, learningRateScale: options.discriminatorRate),
            TrainingPhase("generator", store.trainable),
        ]
    }

    func loss(_ batch: UtteranceBatch, phase: Int, _ run: RunContext) -> TaskLoss {
        let (generated, real) = waveforms(batch, run["data"])
        guard let discriminators else { return likeness(generated, real) }
        if phase == 0 {
            let loss = AdversarialLoss.discriminators(
                real: discriminators.model(real), generated: discriminators.model(generated.detached))
            return TaskLoss(loss, parts: [("discriminator", loss.item)])
        }
        let like = likeness(generated, real)
        let (judged, truth) = (discriminators.model(generated), discriminators.model(real))
        let adversarial = AdversarialLoss.generator(judged)
        let features = AdversarialLoss.features(real: truth, generated: judged)
        return TaskLoss(
            like.total + adversarial + features * Float(options.featureWeight),
            parts: like.parts + [("adversarial", adversarial.item), ("features", features.item)])
    }

    func evaluate(_ batch: UtteranceBatch) -> [(name: String, value: Float)] {
        let (generated, real) = waveforms(batch, .inference)
        return likeness(generated, real).parts
    }

    /// How far the spectrograms of two waveforms are apart. Shape: [batch, 1, samples]
    private func likeness(_ generated: Tensor, _ real: Tensor) -> TaskLoss {
        let (a, b) = (generated.reshaped(generated.size(0), -1), real.reshaped(real.size(0), -1))
        let distances = Self.resolutions.map { size, hop in
            let x = stftMagnitude(a, fftSize: size, hop: hop, power: 1).clamped(
                to: 1e-5...Float.greatestFiniteMagnitude)
            let y = stftMagnitude(b, fftSize: size, hop: hop, power: 1).clamped(
                to: 1e-5...Float.greatestFiniteMagnitude)
            let convergence = ((x - y).squared.sum / y.squared.sum.detached).sqrt
            return convergence + l1Loss(x.log, y.log)
        }
        let spectrogram = distances.dropFirst().reduce(distances[0]) { $0 + $1 } / Float(distances.count)
        let mel = l1Loss(MelSpectrogram.vocoder(a), MelSpectrogram.vocoder(b))
        return TaskLoss(
            spectrogram * Float(options.spectrogramWeight) + mel * Float(options.melWeight),
            parts: [("spectrogram", spectrogram.item), ("mel", mel.item)])
    }

    // MARK: - Waveforms

    private func waveforms(_ batch: UtteranceBatch, _ run: RunContext) -> (generated: Tensor, real: Tensor) {
        if case .hifigan(let model, let source) = network {
            let codes = max(2, Int((Double(options.cropFrames) / LatentSource.framesPerCode).rounded()))
            let (latents, starts) = source.crops(batch, codes: codes, run.random)
            let generated = model(latents, voice: source.voices(batch))
            let first = starts.map { Int((Double($0 * Self.hop) * LatentSource.framesPerCode).rounded()) }
            return (generated, recordings(batch, samples: generated.size(2), starts: first))
        }
        let frames = options.cropFrames
        let utterances = batch.items.map(\.utterance)
        let starts = UtteranceBatch.randomStarts(utterances.map { lengthInFrames($0) - frames }, run.random)
        let real = recordings(batch, samples: frames * Self.hop, starts: starts.map { $0 * Self.hop })
        let mel = mels(utterances, starts, of: real)
        switch network {
        case .univnet(let model):
            let shape = [mel.size(0), model.config.noiseChannels, frames]
            return (model(mel, noise: Tensor(run["noise"].random.stream.normals(shape.product), shape: shape)), real)
        case .vocos(let model): return (model(mel), real)
        case .bigvgan(let model): return (model(mel), real)
        case .hifigan: preconditionFailure("vocoder: handled above")
        }
    }

    private func lengthInFrames(_ utterance: Utterance) -> Int {
        let recorded = utterance.waveform.count / Self.hop
        return options.hearsDiffusedMels
            ? min(recorded, (utterance.mels[Self.mel]?.count ?? 0) / Self.bands) : recorded
    }

    /// The mels of stretches of recordings. Shape: [batch, bands, frames]
    private func mels(_ utterances: [Utterance], _ starts: [Int], of recordings: Tensor) -> Tensor {
        let frames = options.cropFrames
        guard options.hearsDiffusedMels else {
            // A mel has one frame more than its waveform has hops.
            return MelSpectrogram.vocoder(recordings.reshaped(recordings.size(0), -1)).sliced(2, 0..<frames).contiguous
        }
        return UtteranceBatch.melCrops(
            utterances, Self.mel, bands: Self.bands, frames: frames, starts: starts,
            padding: log(MelSpectrogram.floor))
    }

    /// Stretches of the stored waveforms, silence after their ends. Shape: [batch, 1, samples]
    private func recordings(_ batch: UtteranceBatch, samples: Int, starts: [Int]) -> Tensor {
        var values: [Float] = []
        values.reserveCapacity(batch.items.count * samples)
        for (item, start) in zip(batch.items, starts) {
            let waveform = item.utterance.waveform
            let part = waveform.dropFirst(max(0, start)).prefix(samples)
            values += part.map { Float($0) / 32_767 }
            values += [Float](repeating: 0, count: samples - part.count)
        }
        return Tensor(values, shape: [batch.items.count, 1, samples])
    }

    func exportedWeights(dtype: WeightDType) throws -> ExportedWeights {
        ExportedWeights(try store.exported(network.keyMap, dtype), values: description)
    }
}
