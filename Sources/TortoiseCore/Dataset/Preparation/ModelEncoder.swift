/// Encodes utterances with the models of a stack: codes of the DVAE, latents of both conditioning encoders, and what diffusion
/// makes of the codes.
///
/// Models that are not given leave their part of the dataset out.
public final class ModelEncoder: UtteranceEncoder {
    private let dvae: DVAEModel?
    private let autoregressive: AutoregressiveModel?
    private let diffusion: DiffusionModel?
    private let makesDiffusedMels: Bool
    private let mel: MelSpectrogram
    public let hearsWholeClips: Bool
    public let modelHashes: [String: String]

    /// - Parameters:
    ///   - dvae: A file of weights, in any layout that loads; so are the others.
    ///   - hearsWholeClips: Whether latents are made of the whole utterance, as `VoiceEncoder` does it; false pads or cuts to a
    ///     fixed length, as the published models were trained.
    ///   - makesDiffusedMels: Whether codes go through diffusion with the default settings of speech; all three models are needed.
    /// - Throws: `InputError` when a file cannot be loaded, or one that is needed is missing.
    public init(
        dvae: String?, autoregressive: String?, diffusion: String?, hearsWholeClips: Bool = false,
        makesDiffusedMels: Bool = false
    ) throws {
        (self.hearsWholeClips, self.makesDiffusedMels) = (hearsWholeClips, makesDiffusedMels)
        let given = [("--dvae", dvae), ("--autoregressive", autoregressive), ("--diffusion", diffusion)]
        if makesDiffusedMels, let missing = given.first(where: { $0.1 == nil })?.0 {
            throw InputError.usage(
                "diffusion of codes needs all models that take part in it, and \(missing) is missing",
                try: "give its weights")
        }
        mel = MelSpectrogram.conditioning(norms: try MelNorms.load())
        self.dvae = try dvae.map {
            try ModelLoader.load($0, as: DVAEConfig.self, keyMap: DVAEModel.keyMap) { DVAEModel($0, at: $1) }.model
        }
        self.autoregressive = try autoregressive.map { path in
            try ModelLoader.load(
                path, as: AutoregressiveConfig.self, keyMap: AutoregressiveModel.keyMap
            ) { AutoregressiveModel($0, at: $1) }.model
        }
        self.diffusion = try diffusion.map { path in
            try ModelLoader.load(
                path, as: DiffusionConfig.self, keyMap: DiffusionModel.keyMap,
                precision: makesDiffusedMels ? nil : .float32
            ) { DiffusionModel($0, at: $1) }.model
        }
        if let width = self.autoregressive?.config.width, let other = self.diffusion?.config.latentChannels,
            makesDiffusedMels, width != other
        {
            throw InputError.model(
                "takes latents of width \(other), and the autoregressive model makes such of width \(width)",
                at: diffusion ?? "", try: "give the models of one set")
        }
        if makesDiffusedMels, let bands = self.diffusion?.config.melChannels, bands != 100 {
            throw InputError.model(
                "makes mels of \(bands) bands, and the dataset's have 100", at: diffusion ?? "",
                try: "give a decoder for TorToiSe's mels")
        }
        var hashes: [String: String] = [:]
        for (name, path) in [("dvae", dvae), ("autoregressive", autoregressive), ("diffusion", diffusion)] {
            if let path { hashes[name] = try SHA256.hex(ofFile: path) }
        }
        modelHashes = hashes
    }

    public var autoregressiveLatentWidth: Int { autoregressive?.config.width ?? 0 }
    public var diffusionLatentWidth: Int { diffusion.map { 2 * $0.config.modelChannels } ?? 0 }
    public var makesCodes: Bool { dvae != nil }

    /// The code that the DVAE says most of silence with: `calm_token` and `tail_tokens` of an autoregressive model of its codes.
    public var silenceCode: Int? {
        guard let dvae else { return nil }
        let codes = dvae.encode(mel([Float](repeating: 0, count: 44_100))).indexValues
        let counts = Dictionary(grouping: codes, by: { $0 }).mapValues(\.count)
        return counts.max { ($0.value, $1.key) < ($1.value, $0.key) }.map { Int($0.key) }
    }

    public func encode(
        _ samples: [Float], wide wideSamples: [Float], tokens: [Int32], _ random: RandomSource
    ) throws -> EncodedSound {
        var sound = EncodedSound()
        if let dvae { sound.codes = dvae.encode(mel(samples)).indexValues.map { UInt16(clamping: $0) } }
        if let autoregressive {
            let clip =
                hearsWholeClips
                ? VoiceEncoder.windows(samples, length: ConditioningClip.autoregressiveLength)[0]
                : ConditioningClip.autoregressive(samples, random)
            sound.autoregressiveLatent = autoregressive.conditioningLatent(mel(clip)).values
        }
        if let diffusion {
            let clip =
                hearsWholeClips
                ? VoiceEncoder.windows(wideSamples, length: ConditioningClip.diffusionLength)[0]
                : ConditioningClip.diffusion(wideSamples)
            sound.diffusionLatent = diffusion.conditioningLatent(MelSpectrogram.vocoder(clip)).values
        }
        if makesDiffusedMels { sound.diffusedMel = try diffusedMel(sound, tokens, random["diffusion"]) }
        return sound
    }

    /// What diffusion makes of a recording's codes in its own voice. Shape: [frames, bands]
    private func diffusedMel(_ sound: EncodedSound, _ tokens: [Int32], _ random: RandomSource) throws -> [Float] {
        guard let autoregressive, let diffusion else { preconditionFailure("diffused mels: a model is missing") }
        let config = autoregressive.config
        try config.check(text: tokens)
        guard (1...config.maximumMelTokens).contains(sound.codes.count) else {
            throw InputError.data(
                "the recording has \(sound.codes.count) codes, and the model says \(config.maximumMelTokens) at once",
                try: "leave long ones out with --max-duration")
        }
        let codes = sound.codes.map { Int32($0) }
        let latents = autoregressive.latents(
            AutoregressiveInputs(voice: sound.autoregressiveLatent, text: tokens, codes: codes, config))
        let mel = try diffusion.mel(
            of: latents, frames: max(4, DiffusionModel.frames(codes: codes.count)), voice: sound.diffusionLatent,
            SpeechSettings(), DiffusionNoise(random))
        return mel.select(0, 0).transposed().contiguous.values
    }
}
