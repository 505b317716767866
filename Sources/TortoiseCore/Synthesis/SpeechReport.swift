/// What a run of synthesis took and made, for people and machines.
public struct SpeechReport {
    private let utterances: [SpokenUtterance]
    private let timings: SpeechTimings
    private let voiceSeconds: Double
    private let files: [String]
    private let settings: SpeechSettings

    public init(
        _ utterances: [SpokenUtterance], _ timings: SpeechTimings, voiceSeconds: Double, files: [String],
        settings: SpeechSettings
    ) {
        (self.utterances, self.timings, self.voiceSeconds) = (utterances, timings, voiceSeconds)
        (self.files, self.settings) = (files, settings)
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
                "\(cut) utterances reached the limit of codes before they ended; raise --max-ar-steps or shorten the text"
            )
        }
        lines.append(
            "seed \(settings.seed); \(files.map { $0 == "-" ? "standard output" : $0 }.joined(separator: ", "))")
        return lines
    }

    /// The same as one JSON object.
    public var json: String {
        let stages = SpeechStage.allCases.compactMap { stage -> String? in
            let seconds = stage == .voice ? voiceSeconds : timings.seconds[stage]
            return seconds.map { "\(JSONValue.quoted(stage.rawValue)):\($0)" }
        }
        let items = utterances.map { utterance in
            "{\"text\":\(JSONValue.quoted(utterance.text)),\"spoken\":\(JSONValue.quoted(utterance.spoken)),\"seconds\":\(utterance.seconds),"
                + "\"codes\":\(utterance.codes.count),\"ended\":\(utterance.isStopped),\"score\":\(utterance.score.map { "\($0)" } ?? "null"),"
                + "\"similarity\":\(utterance.similarity.map { "\($0)" } ?? "null")}"
        }
        let total = timings.total + voiceSeconds
        return "{\"files\":[\(files.map(JSONValue.quoted).joined(separator: ","))],\"speech_seconds\":\(speechSeconds),"
            + "\"seconds\":\(total),\"real_time_factor\":\(total / max(speechSeconds, 1e-3)),\"stages\":{\(stages.joined(separator: ","))},"
            + "\"settings\":\(Self.settingsJSON(settings)),\"utterances\":[\(items.joined(separator: ","))]}"
    }

    /// Seed and settings, as they are stored in audio files.
    public static func settingsJSON(_ settings: SpeechSettings) -> String {
        let sampling = settings.sampling
        let vocoder = settings.vocoder.map { JSONValue.quoted($0.rawValue) } ?? "null"
        let guidance = settings.diffusion.guidance.map { "\($0.strength)" } ?? "null"
        return
            "{\"seed\":\(settings.seed),\"candidates\":\(settings.candidates),\"cvvp_amount\":\(settings.cvvpAmount),\"temperature\":\(sampling.temperature),\"top_p\":\(sampling.topP),"
            + "\"top_k\":\(sampling.topK),\"repetition_penalty\":\(sampling.repetitionPenalty),\"beam_width\":\(sampling.beamWidth),"
            + "\"max_ar_steps\":\(sampling.maximumSteps),\"diffusion_steps\":\(settings.diffusionSteps),"
            + "\"diffusion_sampler\":\(JSONValue.quoted(settings.diffusion.sampler.rawValue)),\"diffusion_temperature\":\(settings.diffusion.temperature),"
            + "\"cond_free_k\":\(guidance),\"vocoder\":\(vocoder)}"
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
    private static let fade = 120

    /// The utterances in order, with pauses between them and their ends faded, so that nothing clicks.
    public static func joined(_ parts: [[Float]], pause: Double = Self.pause) -> [Float] {
        guard parts.count > 1 else { return parts.first ?? [] }
        let silence = [Float](repeating: 0, count: Int(pause * Double(SpokenUtterance.sampleRate)))
        return Array(parts.map(faded).joined(separator: silence))
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
