/// What a run of synthesis took and made, for people and machines.
public struct SpeechReport {
    private let utterances: [SpokenUtterance]
    private let timings: SpeechTimings
    private let voiceSeconds: Double
    private let files: [String]
    private let settings: SpeechSettings
    /// What was odd.
    private let remarks: [String]

    /// - Parameter remarks: What was odd about voice or models.
    public init(
        _ utterances: [SpokenUtterance], _ timings: SpeechTimings, voiceSeconds: Double, files: [String],
        settings: SpeechSettings, remarks: [String] = []
    ) {
        (self.utterances, self.timings, self.voiceSeconds) = (utterances, timings, voiceSeconds)
        (self.files, self.settings, self.remarks) = (files, settings, remarks)
    }

    private var speechSeconds: Double { utterances.reduce(0) { $0 + $1.seconds } }

    /// A line per stage with its time and real-time factor, then the whole.
    public var lines: [String] {
        let speech = max(speechSeconds, 1e-3)
        var lines: [String] = []
        let stages =
            [(SpeechStage.voice, voiceSeconds)]
            + SpeechStage.allCases.compactMap { stage in
                timings.seconds[stage].map { (stage, $0) }
            }
        for (stage, seconds) in stages {
            lines.append(
                "\(stage.rawValue.padding(to: 10))\(Self.decimals(seconds)) s   real-time factor \(Self.decimals(seconds / speech))"
            )
        }
        let total = timings.total + voiceSeconds
        lines.append(
            "\("all".padding(to: 10))\(Self.decimals(total)) s for \(Self.decimals(speechSeconds)) s of speech, real-time factor \(Self.decimals(total / speech))"
        )
        let cut = utterances.filter { !$0.isStopped }.count
        if cut > 0 {
            lines.append(
                "\(cut.counted("utterance")) reached the limit of codes before the end; raise --max-ar-steps or shorten the text"
            )
        }
        lines += remarks
        lines.append(
            "seed \(settings.seed); \(files.map { $0 == "-" ? "standard output" : $0 }.joined(separator: ", "))")
        return lines
    }

    /// The same as one JSON object.
    public var json: String {
        let stages = SpeechStage.allCases.compactMap { stage -> JSONValue.Member? in
            let seconds = stage == .voice ? voiceSeconds : timings.seconds[stage]
            return seconds.map { .init(key: stage.rawValue, value: .number($0)) }
        }
        let total = timings.total + voiceSeconds
        let report: JSONValue = [
            "files": .array(files.map { .string($0) }), "speech_seconds": .number(speechSeconds),
            "seconds": .number(total), "real_time_factor": .number(total / max(speechSeconds, 1e-3)),
            "stages": .object(stages), "settings": Self.document(of: settings),
            "utterances": .array(utterances.map(Self.document)), "remarks": .array(remarks.map { .string($0) }),
        ]
        return report.serialized
    }

    private static func document(of utterance: SpokenUtterance) -> JSONValue {
        [
            "text": .string(utterance.text), "spoken": .string(utterance.spoken), "seconds": .number(utterance.seconds),
            "codes": .integer(utterance.codes.count), "ended": .bool(utterance.isStopped),
            "score": JSONValue(utterance.score), "similarity": JSONValue(utterance.similarity),
        ]
    }

    /// Seed and settings, as they are stored in audio files.
    public static func settingsJSON(_ settings: SpeechSettings) -> String { document(of: settings).serialized }

    private static func document(of settings: SpeechSettings) -> JSONValue {
        let sampling = settings.sampling
        return [
            "seed": Int(exactly: settings.seed).map { .integer($0) } ?? .string("\(settings.seed)"),
            "candidates": .integer(settings.candidates), "rank_by": .string(settings.ranking.rawValue),
            "cvvp_amount": JSONValue(settings.cvvpAmount),
            "temperature": JSONValue(sampling.temperature), "ar_guidance": JSONValue(sampling.guidance),
            "top_p": JSONValue(sampling.topP),
            "top_k": .integer(sampling.topK), "repetition_penalty": JSONValue(sampling.repetitionPenalty),
            "repetition_penalty_decay": JSONValue(sampling.repetitionDecay), "min_p": JSONValue(sampling.minP),
            "typical_mass": JSONValue(sampling.typicalMass), "stop_penalty": JSONValue(sampling.stopPenalty),
            "length_penalty": JSONValue(sampling.lengthPenalty),
            "dynamic_temperature": sampling.dynamicTemperature.map(document) ?? .null,
            "mirostat": sampling.mirostat.map(document) ?? .null, "dry": sampling.dry.map(document) ?? .null,
            "beam_width": .integer(sampling.beamWidth), "max_ar_steps": .integer(sampling.maximumSteps),
            "diffusion_steps": .integer(settings.diffusionSteps),
            "diffusion_sampler": .string(settings.diffusion.sampler.rawValue),
            "diffusion_temperature": .number(settings.diffusion.temperature),
            "cond_free_k": JSONValue(settings.diffusion.guidance?.strength),
            "cond_free_every": .integer(settings.diffusion.guidance?.interval ?? 0),
            "vocoder": JSONValue(settings.vocoder?.rawValue),
            "max_phrase": .integer(settings.longestPhrase ?? 0),
        ]
    }

    private static func document(_ dynamic: DynamicTemperature) -> JSONValue {
        [
            "minimum": JSONValue(dynamic.minimum), "maximum": JSONValue(dynamic.maximum),
            "exponent": JSONValue(dynamic.exponent),
        ]
    }

    private static func document(_ mirostat: Mirostat) -> JSONValue {
        [
            "version": .integer(mirostat.version == .one ? 1 : 2), "tau": JSONValue(mirostat.tau),
            "eta": JSONValue(mirostat.eta),
        ]
    }

    private static func document(_ dry: RepeatedRunPenalty) -> JSONValue {
        [
            "multiplier": JSONValue(dry.multiplier), "base": JSONValue(dry.base),
            "allowed_length": .integer(dry.allowedLength), "range": .integer(dry.range),
        ]
    }

    private static func decimals(_ value: Double) -> String {
        let hundredths = Int((value * 100).rounded())
        return "\(hundredths / 100).\(hundredths % 100 < 10 ? "0" : "")\(hundredths % 100)"
    }
}

/// Puts utterances after each other.
public enum SpeechJoin {
    /// Seconds of silence between two utterances.
    public static let pause = 0.25
    /// Seconds of silence between two phrases of one.
    public static let breath = 0.08
    private static let fade = 120

    /// The utterances in order, with pauses between them and their ends faded, so that nothing clicks.
    public static func joined(_ parts: [[Float]], pause: Double = Self.pause) -> [Float] {
        guard parts.count > 1 else { return parts.first ?? [] }
        return Array(parts.map(faded).joined(separator: silence(pause)))
    }

    /// Silence of a duration in seconds.
    public static func silence(_ seconds: Double) -> [Float] {
        [Float](repeating: 0, count: Int(seconds * Double(SpokenUtterance.sampleRate)))
    }

    static func faded(_ samples: [Float]) -> [Float] {
        var samples = samples
        let count = min(fade, samples.count / 2)
        for i in 0..<count {
            let gain = Float(i) / Float(count)
            samples[i] *= gain
            samples[samples.count - 1 - i] *= gain
        }
        return samples
    }
}
