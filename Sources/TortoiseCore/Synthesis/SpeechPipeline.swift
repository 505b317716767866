/// Text and voice to speech, stage by stage: codes, ranking, latents, diffusion, vocoder.
///
/// The same seed, models, text and voice give the same samples, whatever the batch size and the threads are.
public final class SpeechPipeline {
    let models: SpeechModels
    let frontEnd: TextFrontEnd
    public private(set) var timings = SpeechTimings()

    public init(_ models: SpeechModels, _ frontEnd: TextFrontEnd) {
        (self.models, self.frontEnd) = (models, frontEnd)
    }

    /// Speaks one utterance.
    ///
    /// - Parameters:
    ///   - utterance: Its number, which makes the randomness of each its own.
    ///   - progress: Called before every step; what it throws ends the work.
    /// - Returns: As many versions as are kept, best first.
    /// - Throws: `InputError`, or what `progress` throws.
    public func speak(
        _ text: String, voice: Voice, _ settings: SpeechSettings, utterance: Int = 0,
        progress: (SpeechProgress) throws -> Void = { _ in }
    ) throws -> [SpokenUtterance] {
        try settings.validate()
        let vocoder = try vocoderStage(settings)
        try voice.check(models, needsDiffusion: vocoder != .hifigan)
        let phrases = try frontEnd.phrases(of: text, longest: settings.longestPhrase).enumerated().map {
            index, phrase in
            try speakPhrase(phrase, voice, settings, vocoder, random(settings, utterance, phrase: index), progress)
        }
        let count = phrases.map(\.count).min() ?? 0
        let versions = (0..<count).map { version in
            SpokenUtterance(joining: phrases.map { $0[version] }, text: text)
        }
        return settings.sortsBySimilarity ? try sortedBySimilarity(versions, to: voice) : versions
    }

    /// One version of a phrase for each that is kept, best first.
    func speakPhrase(
        _ text: String, _ voice: Voice, _ settings: SpeechSettings, _ vocoder: ModelStage, _ random: RandomSource,
        _ progress: (SpeechProgress) throws -> Void
    ) throws -> [SpokenUtterance] {
        let (spoken, tokens) = try tokens(of: text)
        let candidates = try codes(tokens, voice, settings, random, progress)
        return try rank(candidates, tokens, voice, settings, progress).map { candidate in
            let latents = try latents(of: candidate.codes, tokens, voice, progress)
            let samples = try waveform(of: latents, voice, settings, vocoder, random, progress)
            return SpokenUtterance(
                samples: samples, text: text, spoken: spoken, codes: candidate.codes, isStopped: candidate.isStopped,
                score: candidate.score)
        }
    }

    /// The spoken form and the tokens of a text.
    ///
    /// - Throws: `InputError` when nothing of it can be spoken.
    func tokens(of text: String) throws -> (spoken: String, tokens: [Int32]) {
        let (spoken, tokens, _) = frontEnd.explain(text)
        guard !tokens.isEmpty else {
            throw InputError.data(
                "nothing in the text can be spoken: '\(text.prefix(60))'",
                try: "'tortoise-infer text --explain' shows why")
        }
        return (spoken, tokens)
    }

    /// What a phrase of an utterance is drawn from.
    func random(_ settings: SpeechSettings, _ utterance: Int, phrase: Int) -> RandomSource {
        let random = RandomSource(seed: settings.seed)["speech"][utterance]
        return phrase == 0 ? random : random["phrase"][phrase]
    }

    /// The lines of a text that say something, each an utterance.
    public static func lines(of text: String) -> [String] {
        text.split(whereSeparator: \.isNewline).map { line in
            line.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        }.filter { !$0.isEmpty }
    }

    /// The lines of a text; those of which the model cannot read a phrase at once are cut where people pause. Lines of nothing but
    /// punctuation are left out, unless there are no others.
    ///
    /// - Parameter longestPhrase: What a line is spoken in, as `SpeechSettings` says.
    /// - Returns: Nothing for a text that is blank.
    /// - Throws: `InputError` when the model cannot be loaded, whose capacity counts.
    public func utterances(of text: String, longestPhrase: Int?) throws -> [String] {
        let lines = Self.lines(of: text)
        guard !lines.isEmpty else { return [] }
        let capacity = try models.autoregressive().config.maximumTextTokens
        func isTooLong(_ piece: String) throws -> Bool {
            try frontEnd.phrases(of: piece, longest: longestPhrase).contains { frontEnd.encode($0).count > capacity }
        }
        let pieces = try lines.flatMap { line -> [String] in
            var pieces = [line]
            // The original's lengths first, then less, for models that read less.
            var (desired, limit) = (200, 300)
            while limit > 20, try pieces.contains(where: isTooLong) {
                pieces = try frontEnd.split(line, desired: desired, limit: limit)
                (desired, limit) = (desired / 2, limit / 2)
            }
            return pieces.filter { !frontEnd.encode($0).isEmpty }
        }
        return pieces.isEmpty ? lines : pieces
    }

    /// Speaks given codes, such as those of a recording: what the stages after the autoregressive model make of them.
    ///
    /// - Returns: Samples at 24 kHz.
    public func resynthesize(
        _ codes: [Int32], tokens: [Int32], voice: Voice, _ settings: SpeechSettings, utterance: Int = 0
    ) throws -> [Float] {
        let vocoder = try vocoderStage(settings)
        try voice.check(models, needsDiffusion: vocoder != .hifigan)
        let latents = try latents(of: codes, tokens, voice) { _ in }
        let random = RandomSource(seed: settings.seed)["speech"][utterance]
        return try waveform(of: latents, voice, settings, vocoder, random) { _ in }
    }

    func vocoderStage(_ settings: SpeechSettings) throws -> ModelStage {
        if let vocoder = settings.vocoder { return vocoder }
        guard let found = models.files.defaultVocoder else {
            _ = try models.files.path(of: .univnet)
            return .univnet
        }
        return found
    }

    func timed<Result>(_ stage: SpeechStage, _ body: () throws -> Result) rethrows -> Result {
        let start = ContinuousClock.now
        defer { timings.add(stage, start.duration(to: .now).seconds) }
        return try body()
    }

    // MARK: - Stages

    struct Candidate {
        var codes: [Int32]
        var isStopped: Bool
        var score: Float?
    }

    private func codes(
        _ tokens: [Int32], _ voice: Voice, _ settings: SpeechSettings, _ random: RandomSource,
        _ progress: (SpeechProgress) throws -> Void
    ) throws -> [Candidate] {
        try timed(.codes) {
            let model = try models.autoregressive()
            let latent = Tensor(voice.autoregressive, shape: [1, voice.autoregressive.count])
            let decoder = try model.decoder(
                latent: latent, text: tokens, guidance: settings.sampling.guidance,
                limit: settings.sampling.maximumSteps)
            let markers = CodeMarkers(model.config)
            let sampler = try CandidateSampler(
                settings.sampling, markers, batchSize: settings.batchSize, random: random)
            let finisher = CodeFinisher(markers)
            // Where nothing is left to chance, all candidates would be the same.
            let isSettled = settings.sampling.isGreedy && !settings.sampling.usesBeams
            return try sampler.sample(isSettled ? settings.kept : settings.candidates, from: decoder) {
                let total = $0.candidates * $0.maximumSteps
                try progress(
                    SpeechProgress(
                        stage: .codes, done: min(total, $0.finished * $0.maximumSteps + $0.steps), total: total))
            }.map { Candidate(codes: finisher.finish($0), isStopped: $0.isStopped, score: nil) }
        }
    }

    /// The latents of the codes, without what comes after a long silence. Shape: [1, codes, width]
    func latents(
        of codes: [Int32], _ tokens: [Int32], _ voice: Voice, _ progress: (SpeechProgress) throws -> Void
    ) throws -> Tensor {
        try timed(.latents) {
            try progress(SpeechProgress(stage: .latents, done: 0, total: 1))
            let model = try models.autoregressive()
            defer { models.finish(.autoregressive) }
            let markers = CodeMarkers(model.config)
            let known = codes.isEmpty ? [markers.calm] : Array(codes.prefix(model.config.maximumMelTokens))
            let inputs = AutoregressiveInputs(
                voice: voice.autoregressive, text: tokens, codes: known, model.config)
            let count = max(1, CodeFinisher(markers).trimmedCount(known))
            return model.latents(inputs).sliced(1, 0..<count).contiguous
        }
    }

    private func waveform(
        of latents: Tensor, _ voice: Voice, _ settings: SpeechSettings, _ vocoder: ModelStage, _ random: RandomSource,
        _ progress: (SpeechProgress) throws -> Void
    ) throws -> [Float] {
        if vocoder == .hifigan {
            return try timed(.vocoder) {
                try progress(SpeechProgress(stage: .vocoder, done: 0, total: 1))
                defer { models.finish(.hifigan) }
                let latent = Tensor(voice.autoregressive, shape: [1, voice.autoregressive.count])
                return try models.hifigan()(latents, voice: latent).values
            }
        }
        let mel = try mel(of: latents, voice, settings, random, progress)
        return try timed(.vocoder) {
            try progress(SpeechProgress(stage: .vocoder, done: 0, total: 1))
            defer { models.finish(vocoder) }
            let samples = try models.vocoder(vocoder).waveform(of: mel, random["vocoder"]).values
            try progress(SpeechProgress(stage: .vocoder, done: 1, total: 1))
            return samples
        }
    }

    /// The log-mel that diffusion makes of latents. Shape: [1, bands, frames]
    private func mel(
        of latents: Tensor, _ voice: Voice, _ settings: SpeechSettings, _ random: RandomSource,
        _ progress: (SpeechProgress) throws -> Void
    ) throws -> Tensor {
        let model = try models.diffusion()
        defer { models.finish(.diffusion) }
        let frames = max(4, DiffusionModel.frames(codes: latents.size(1)))
        return try mel(
            of: latents, 0..<frames, model, voice, settings, DiffusionNoise(random["diffusion"]), progress)
    }

    /// The log-mel of some frames of an utterance, the latents being theirs. Shape: [1, bands, frames]
    func mel(
        of latents: Tensor, _ frames: Range<Int>, _ model: DiffusionModel, _ voice: Voice, _ settings: SpeechSettings,
        _ noise: DiffusionNoise, _ progress: (SpeechProgress) throws -> Void
    ) throws -> Tensor {
        try timed(.diffusion) {
            try Execution.with(products: models.products) {
                try model.mel(of: latents, frames: frames.count, voice: voice.diffusion, settings, noise) {
                    try progress(SpeechProgress(stage: .diffusion, done: $0, total: $1))
                }
            }
        }
    }
}

extension CodeMarkers {
    /// Those of a model.
    init(_ config: AutoregressiveConfig) {
        self.init(
            start: Int32(config.startMelToken), stop: Int32(config.stopMelToken), calm: Int32(config.calmToken),
            tail: config.tailTokens.map { Int32($0) })
    }
}
