import Foundation

/// Speaks with the models of this machine; weights are loaded when they are first needed.
public final class LocalSynthesizer: SpeechSynthesizer {
    private let catalog: LocalCatalog
    private let precision: WeightPrecision?
    private let products: ProductPrecision
    /// Adapters that are always there.
    private let adapters: [SpeechModels.AdapterFile]
    private let frontEnd: TextFrontEnd
    private var loaded: (choice: ModelChoice, models: SpeechModels)?
    /// Voices that were encoded before, by description and the states of their files; what is random by seed, too.
    private var encoded: [String: Voice] = [:]

    /// Voices that are kept: a few kilobytes each.
    private static let mostVoices = 64
    /// What a recording may be at most.
    private let limits: AudioLimits
    private let cache: VoiceCache?

    /// - Parameters:
    ///   - limits: What a recording may be at most.
    ///   - cache: Where voices of recordings outlive the process; nil encodes them once in every one.
    public init(
        _ catalog: LocalCatalog, precision: WeightPrecision?, products: ProductPrecision = .float32,
        adapters: [SpeechModels.AdapterFile], frontEnd: TextFrontEnd, limits: AudioLimits = .upload,
        cache: VoiceCache? = nil
    ) {
        (self.catalog, self.precision, self.products, self.adapters) = (catalog, precision, products, adapters)
        (self.frontEnd, self.limits, self.cache) = (frontEnd, limits, cache)
    }

    public func unload() {
        loaded = nil
        encoded = [:]
        // What requests left behind goes back to the system.
        Execution.releaseReserve()
    }

    private func models(_ choice: ModelChoice = ModelChoice()) throws -> SpeechModels {
        if let loaded, loaded.choice == choice { return loaded.models }
        let (files, chosen) = try catalog.resolve(choice)
        unload()
        let models = SpeechModels(
            files, precision: precision, products: products, adapters: adapters + chosen)
        loaded = (choice, models)
        return models
    }

    // MARK: - Speech

    public func speak(_ request: SpeechRequest, _ hear: (SpeechEvent) throws -> Void) throws -> SpeechResult {
        let settings = request.settings
        try settings.validate()
        let models = try models(request.model)
        let start = ContinuousClock.now
        try hear(.progress(SpeechProgress(stage: .voice, done: 0, total: 1), utterance: 0, of: 1))
        let voice = try voice(request.voice, models, seed: settings.seed)
        let voiceSeconds = start.duration(to: .now).seconds
        let pipeline = SpeechPipeline(models, frontEnd)
        let lines = try pipeline.utterances(of: request.text, longestPhrase: settings.longestPhrase)
        // A stream has one version; several are made first, and then the best is handed out.
        let isStreamed = request.isStreamed && settings.kept == 1
        guard !lines.isEmpty else { throw InputError.data("the text is empty", at: "input") }
        var versions: [[SpokenUtterance]] = []
        for (index, line) in lines.enumerated() {
            func advance(_ progress: SpeechProgress) throws {
                try hear(.progress(progress, utterance: index, of: lines.count))
            }
            if request.isStreamed, index > 0 { try hear(.audio(SpeechJoin.silence(SpeechJoin.pause))) }
            guard isStreamed else {
                let spoken = try pipeline.speak(line, voice: voice, settings, utterance: index, progress: advance)
                if request.isStreamed {
                    try hear(.audio(TimeStretch.stretched(spoken[0].samples, speed: request.speed)))
                }
                versions.append(spoken)
                continue
            }
            let spoken = try pipeline.stream(line, voice: voice, settings, utterance: index, progress: advance) {
                // Another speed is made of whole utterances: stretched pieces would not meet.
                if request.speed == 1 { try hear(.audio($0)) }
            }
            if request.speed != 1 {
                try hear(.audio(TimeStretch.stretched(spoken.samples, speed: request.speed)))
            }
            versions.append([spoken])
        }
        let remarks = try models.remark(on: voice).map { [$0] } ?? []
        return result(of: versions, request, settings, pipeline.timings, voiceSeconds, remarks)
    }

    private func result(
        of versions: [[SpokenUtterance]], _ request: SpeechRequest, _ settings: SpeechSettings,
        _ timings: SpeechTimings, _ voiceSeconds: Double, _ remarks: [String]
    ) -> SpeechResult {
        let kept = versions.map(\.count).min() ?? 0
        var seconds = timings.seconds
        seconds[.voice] = voiceSeconds
        return SpeechResult(
            versions: (0..<kept).map { version in
                TimeStretch.stretched(SpeechJoin.joined(versions.map { $0[version].samples }), speed: request.speed)
            },
            scores: (0..<kept).map { version in
                let scores = versions.compactMap { $0[version].score }
                return scores.isEmpty ? nil : scores.reduce(0, +) / Float(scores.count)
            },
            seconds: seconds,
            report: SpeechReport(
                versions.map { $0[0] }, timings, voiceSeconds: voiceSeconds, files: [], settings: settings,
                remarks: remarks
            ).json)
    }

    // MARK: - Voices

    private func voice(_ description: String, _ models: SpeechModels, seed: UInt64) throws -> Voice {
        try VoiceLibrary.checkNames(description)
        let files = try VoiceLibrary.signature(of: description)
        let key = description.contains("random") ? "\(files)\n\(seed)" : files
        if let known = encoded[key] { return known }
        let voice = try VoiceLibrary(models, seed: seed, cache: cache).voice(description)
        if encoded.count >= Self.mostVoices { encoded = [:] }
        encoded[key] = voice
        return voice
    }

    public func saveVoice(_ name: String, of source: VoiceSource) throws {
        let path = try catalog.voicePath(name)
        try catalog.prepareVoices()
        let models = try models()
        var voice: Voice
        switch source {
        case .recordings(let clips):
            guard !clips.isEmpty else { throw InputError.usage("expected at least one recording", at: "files") }
            for clip in clips { try naming([clip]) { _ = try AudioFile.read(clip.path, limits: limits) } }
            voice = try naming(clips) { try VoiceEncoder(models).encode(clips.map(\.path)) }
            voice.clips = clips.map(\.name)
        case .mix(let description):
            try VoiceLibrary.checkNames(description)
            voice = try VoiceLibrary(models).voice(description)
        case .random(let seed): voice = try VoiceLibrary(models, seed: seed).voice("random")
        }
        try voice.write(to: path)
        encoded = [:]
    }

    public func check(_ clips: [ReferenceUpload], _ hear: (SpeechEvent) throws -> Void) throws -> [ClipVerdict] {
        let models = try models()
        var good: [Int] = []
        var verdicts = clips.map { ClipVerdict(name: $0.name) }
        for (index, clip) in clips.enumerated() {
            try hear(.progress(SpeechProgress(stage: .voice, done: index, total: clips.count), utterance: 0, of: 1))
            do {
                verdicts[index].add(try naming([clip]) { try measured(clip) })
                _ = try naming([clip]) { try VoiceEncoder(models).encode([clip.path]) }
                good.append(index)
            } catch let error as InputError {
                verdicts[index].fault = "\(error)"
            }
        }
        guard good.count > 1 else { return verdicts }
        let usable = good.map { clips[$0] }
        let ranking = try naming(usable) { try VoiceRanking(usable.map(\.path), models: models) }
        var order: [Int] = []
        for entry in ranking.entries {
            guard let index = good.first(where: { clips[$0].path == entry.path }) else { continue }
            verdicts[index].similarity = entry.similarity
            order.append(index)
        }
        return (order + verdicts.indices.filter { !order.contains($0) }).map { verdicts[$0] }
    }

    private func measured(_ clip: ReferenceUpload) throws -> ClipCheck {
        let audio = try AudioFile.read(clip.path, limits: limits)
        return ClipCheck(audio.mono(.first), sampleRate: audio.sampleRate)
    }

    /// Has errors say what the sender calls a recording, not where it lies.
    private func naming<Result>(_ clips: [ReferenceUpload], _ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch let error as InputError {
            let place = clips.first { $0.path == error.place }?.name ?? (clips.count == 1 ? clips[0].name : nil)
            throw InputError(error.kind, error.problem, at: place, try: error.remedy)
        }
    }
}

extension ClipVerdict {
    fileprivate mutating func add(_ check: ClipCheck) {
        seconds = check.duration
        loudness = check.loudness
        noiseFloor = check.noiseFloor.isFinite ? check.noiseFloor : nil
        problems = check.problems.map(\.description)
        if check.duration < 3 { problems.append("is short (6 s or more are better)") }
    }
}
