/// How clips become latents.
public enum LatentMode: String, Sendable, CaseIterable {
    /// All clips joined, one stretch of 6 s and one of 4.27 s: e-c-k-e-r's.
    case joined
    /// One random stretch of each clip, averaged: the original's.
    case average
    /// The whole of every clip in overlapping windows; quiet ones are left out; averaged per clip, then over clips.
    case whole

    /// - Throws: `InputError.usage` that lists the modes.
    public init(named name: String) throws {
        guard let mode = LatentMode(rawValue: name.lowercased()) else {
            let names = Self.allCases.map(\.rawValue).joined(separator: ", ")
            throw InputError.usage("expected one of \(names), found '\(name.prefix(40))'", at: "--latents")
        }
        self = mode
    }
}

/// Makes voices of recordings, with the encoders of a set of models.
public struct VoiceEncoder {
    private let models: SpeechModels
    private let mode: LatentMode
    private let random: RandomSource

    /// Windows of the whole-clip mode whose level is this much below the loudest one are left out.
    private static let quietest: Float = 0.1
    private static let shortestClip = 0.3

    public init(_ models: SpeechModels, mode: LatentMode = .whole, seed: UInt64 = 0) {
        (self.models, self.mode) = (models, mode)
        random = RandomSource(seed: seed)["voice"]
    }

    /// The voice of some recordings.
    ///
    /// - Throws: `InputError.data` for recordings that cannot be read, are silent or too short.
    public func encode(_ paths: [String]) throws -> Voice {
        let clips = try mode == .joined ? [ReferenceClips.joined(paths)] : ReferenceClips.separate(paths)
        for (index, clip) in clips.enumerated() {
            try Self.check(clip, at: mode == .joined ? paths.joined(separator: ";") : paths[index])
        }
        let narrow = try clips.map { try Resampler(from: $0.sampleRate, to: SampleRate.narrow)($0.mono(.first)) }
        let wide = try clips.map { try Resampler(from: $0.sampleRate, to: SampleRate.wide)($0.mono(.first)) }
        return Voice(
            autoregressive: try autoregressiveLatent(narrow), diffusion: try diffusionLatent(wide),
            clips: paths.map { $0.split(separator: "/").last.map(String.init) ?? $0 },
            encoderHashes: try models.voiceEncoderHashes(), referenceMels: try referenceMels(narrow))
    }

    /// - Throws: `InputError.data` for recordings that nobody's voice can be heard in.
    static func check(_ clip: AudioClip, at path: String) throws {
        let samples = clip.mono(.first)
        guard samples.allSatisfy(\.isFinite) else { throw InputError.data("holds NaN or infinity", at: path) }
        guard clip.duration >= shortestClip else {
            throw InputError.data(
                "the recording has \(Int(clip.duration * 1_000)) ms; a voice needs at least 300, better 6 s", at: path,
                try: "give a longer recording")
        }
        guard samples.contains(where: { abs($0) > 1e-4 }) else {
            throw InputError.data("the recording is silent", at: path, try: "give a recording of somebody speaking")
        }
    }

    /// What CVVP hears of the clips: the original's six seconds of each. Empty for sets without CVVP.
    private func referenceMels(_ clips: [[Float]]) throws -> [[Float]] {
        guard models.files.find(.cvvp) != nil else { return [] }
        let mel = MelSpectrogram.conditioning(norms: try MelNorms.load())
        return clips.enumerated().map { index, clip in
            mel(ConditioningClip.autoregressive(clip, random[index])).values
        }
    }

    /// The autoregressive model's latent of speech that is no file.
    func autoregressiveLatent(of clip: AudioClip) throws -> [Float] {
        try autoregressiveLatent([Resampler(from: clip.sampleRate, to: SampleRate.narrow)(clip.mono(.first))])
    }

    private func autoregressiveLatent(_ clips: [[Float]]) throws -> [Float] {
        let model = try models.autoregressive()
        let mel = MelSpectrogram.conditioning(norms: try MelNorms.load())
        let perClip = clips.enumerated().map { index, clip -> Tensor in
            let windows =
                mode == .whole
                ? Self.windows(clip, length: ConditioningClip.autoregressiveLength)
                : [ConditioningClip.autoregressive(clip, random[index])]
            return Self.mean(windows.map { model.conditioningLatent(mel($0)) })
        }
        return Self.mean(perClip).values
    }

    private func diffusionLatent(_ clips: [[Float]]) throws -> [Float] {
        guard models.files.find(.diffusion) != nil else { return [] }
        let model = try models.diffusion()
        let perClip = clips.map { clip -> Tensor in
            let windows =
                mode == .whole
                ? Self.windows(clip, length: ConditioningClip.diffusionLength) : [ConditioningClip.diffusion(clip)]
            return Self.mean(windows.map { model.conditioningLatent(MelSpectrogram.vocoder($0)) })
        }
        return Self.mean(perClip).values
    }

    /// Stretches of a clip that overlap by half; a short clip is one window, repeated to half the length at least.
    static func windows(_ clip: [Float], length: Int) -> [[Float]] {
        guard clip.count > length else {
            var window = clip
            while window.count < length / 2 { window += clip }
            return [Array(window.prefix(length))]
        }
        var starts = Array(stride(from: 0, through: clip.count - length, by: length / 2))
        if let last = starts.last, last < clip.count - length { starts.append(clip.count - length) }
        let windows = starts.map { Array(clip[$0..<$0 + length]) }
        let levels = windows.map { window in (window.reduce(0) { $0 + $1 * $1 } / Float(length)).squareRoot() }
        let loudest = levels.max() ?? 0
        return zip(windows, levels).filter { $0.1 >= loudest * quietest }.map(\.0)
    }

    private static func mean(_ latents: [Tensor]) -> Tensor {
        latents.dropFirst().reduce(latents[0]) { $0 + $1 } / Float(latents.count)
    }
}
