/// How an utterance is spoken; the defaults are those of the small models, presets give the original's.
public struct SpeechSettings: Sendable, Equatable {
    public var sampling = SamplingSettings()
    /// Sequences of codes to choose from.
    public var candidates = 1
    /// Who says which of them says the text best.
    public var ranking = CandidateRanking.clvp
    /// How many of them are spoken, best first.
    public var kept = 1
    /// Candidates that are decoded together: a matter of memory and speed only.
    public var batchSize = 8
    /// CVVP's share of the ranking: the original's `cvvp_amount`, 0 to 1.
    public var cvvpAmount: Float = 0
    /// Whether the spoken versions are given by how near they are to the reference voice, in place of the ranking.
    public var sortsBySimilarity = false
    public var diffusion = DiffusionSampling()
    /// Steps of the diffusion sampler.
    public var diffusionSteps = 16
    /// nil takes the first vocoder that the set has. HiFi-GAN needs no diffusion.
    public var vocoder: ModelStage?
    public var seed: UInt64 = 0
    /// Spoken characters that are said in one breath: what is longer is cut where people pause, and spoken phrase by phrase. nil: all of
    /// a line at once.
    public var longestPhrase: Int?

    /// What suits the small model: it is sure of little, so it had better not be adventurous, and say a thing several times. It was
    /// trained to hear codes, too, and tells the better ones.
    public init() {
        (candidates, ranking) = (4, .autoregressive)
        (sampling.temperature, sampling.repetitionPenalty, sampling.guidance) = (0.3, 1, 1)
        (diffusion.sampler, diffusion.temperature) = (.uniPC, 0.5)
        diffusion.guidance = DiffusionGuidance(strength: 0.5, interval: 2)
        longestPhrase = Self.smallModelPhrase
    }

    /// What the small model says without stumbling.
    private static let smallModelPhrase = 70

    /// The original's preset, which may be changed afterwards.
    public init(_ preset: SpeechPreset) {
        sampling = preset.sampling
        candidates = preset.candidates
        diffusionSteps = preset.diffusionSteps
        diffusion.guidance = preset.isConditioningFree ? DiffusionGuidance(strength: Double(preset.guidance)) : nil
        diffusion.sampler = .ancestral
    }

    /// What programs begin with: a preset's settings, or without one the defaults.
    ///
    /// - Parameter isStreamed: Whether the first sound should come soon, for which the defaults take fewer steps of diffusion, and the
    ///   first candidate before its end is known.
    /// - Throws: `InputError.usage` with the names of presets.
    public static func initial(preset: String?, isStreamed: Bool = false) throws -> SpeechSettings {
        if let preset { return SpeechSettings(try SpeechPreset(named: preset)) }
        var settings = SpeechSettings()
        if isStreamed { (settings.candidates, settings.diffusionSteps) = (1, 12) }
        return settings
    }

    /// Sets the vocoder by its name.
    ///
    /// - Throws: `InputError.usage` with the names of vocoders.
    public mutating func setVocoder(named name: String) throws {
        let stage = try ModelStage(named: name)
        guard ModelStage.vocoders.contains(stage) else {
            throw InputError.usage(
                "expected univnet, vocos, bigvgan or hifigan, found '\(name.prefix(40))'", at: "--vocoder")
        }
        vocoder = stage
    }

    /// - Throws: `InputError.usage` naming the flag that makes no sense.
    public func validate() throws {
        try sampling.validate()
        guard (1...10_000).contains(candidates) else {
            throw InputError.usage("expected 1 to 10000, found \(candidates)", at: "--candidates")
        }
        guard (1...candidates).contains(kept) else {
            throw InputError.usage(
                "expected 1 to the number of candidates (\(candidates)), found \(kept)", at: "--keep")
        }
        guard (0...1).contains(cvvpAmount) else {
            throw InputError.usage("expected 0 to 1, found \(cvvpAmount)", at: "--cvvp-amount")
        }
        guard (1...4_000).contains(diffusionSteps) else {
            throw InputError.usage("expected 1 to 4000, found \(diffusionSteps)", at: "--max-diffusion-steps")
        }
        guard longestPhrase.map({ $0 > 0 }) ?? true else {
            throw InputError.usage("expected a number of characters, 0 for no limit", at: "--max-phrase")
        }
        guard diffusion.temperature.isFinite, (0...10).contains(diffusion.temperature) else {
            throw InputError.usage("expected 0 to 10, found \(diffusion.temperature)", at: "--diffusion-temp")
        }
        guard (0...100).contains(diffusion.guidance?.strength ?? 0) else {
            throw InputError.usage("expected 0 to 100", at: "--cond-free-k", try: "2 is the original's, 0 is none")
        }
        guard (1...1_000).contains(diffusion.guidance?.interval ?? 1) else {
            throw InputError.usage("expected 1 to 1000 steps", at: "--cond-free-every", try: "1 is the original's")
        }
    }
}

/// Who judges how well candidates say a text.
public enum CandidateRanking: String, Sendable, CaseIterable {
    /// CLVP, as in the original.
    case clvp
    /// The autoregressive model itself, hearing the codes: for models that were trained so (`codes_first`).
    case autoregressive

    /// - Throws: `InputError.usage` with the names there are.
    public init(named name: String) throws {
        guard let ranking = Self(rawValue: name) else {
            throw InputError.usage("expected clvp or autoregressive, found '\(name.prefix(40))'", at: "--rank-by")
        }
        self = ranking
    }
}

/// A part of the work on an utterance, as progress and reports name it.
public enum SpeechStage: String, Sendable, CaseIterable {
    case voice, codes, ranking, latents, diffusion, vocoder
}

/// How far the work is.
public struct SpeechProgress: Sendable {
    public let stage: SpeechStage
    public let done, total: Int

    public init(stage: SpeechStage, done: Int, total: Int) {
        (self.stage, self.done, self.total) = (stage, done, total)
    }
}

/// One spoken utterance.
public struct SpokenUtterance: Sendable {
    /// At 24 kHz.
    public var samples: [Float]
    public var text: String
    /// What the front end made of the text.
    public var spoken: String
    /// Mel codes of the candidate.
    public var codes: [Int32]
    /// Whether the model ended the speech itself.
    public var isStopped: Bool
    /// The ranking's opinion, when candidates were ranked.
    public var score: Float?
    /// The cosine to the reference voice, when versions were sorted by it.
    public var similarity: Double?

    public static let sampleRate = SampleRate.wide
    public var seconds: Double { Double(samples.count) / Double(Self.sampleRate) }
}

extension SpokenUtterance {
    /// Phrases as one utterance, with short pauses between.
    init(joining phrases: [SpokenUtterance], text: String) {
        self.text = text
        samples = SpeechJoin.joined(phrases.map(\.samples), pause: SpeechJoin.breath)
        spoken = phrases.map(\.spoken).joined(separator: " ")
        codes = phrases.flatMap(\.codes)
        isStopped = phrases.allSatisfy(\.isStopped)
        let scores = phrases.compactMap(\.score)
        score = scores.isEmpty ? nil : scores.reduce(0, +) / Float(scores.count)
    }
}

/// Seconds that each stage took.
public struct SpeechTimings: Sendable {
    public private(set) var seconds: [SpeechStage: Double] = [:]

    public init() {}

    mutating func add(_ stage: SpeechStage, _ duration: Double) { seconds[stage, default: 0] += duration }
    public var total: Double { seconds.values.reduce(0, +) }
}
