/// When pieces of streamed speech are made, in codes: small at first, so that sound comes soon, then larger, which is cheaper.
public struct StreamingPace: Sendable, Equatable {
    /// Codes before the first piece; a code is 46 ms.
    public var first = 10
    /// Codes between later pieces.
    public var later = 24

    public init() {}
}

extension SpeechPipeline {
    /// Whether sound can be had before an utterance is whole: one candidate through HiFi-GAN, which is the vocoder that is named or,
    /// where none is named, one that the set has.
    public func isContinuous(_ settings: SpeechSettings) -> Bool {
        settings.candidates == 1
            && (settings.vocoder.map { $0 == .hifigan } ?? (models.files.find(.hifigan) != nil))
    }

    /// Speaks one utterance and hands out sound as soon as it is settled.
    ///
    /// Through HiFi-GAN sound comes in pieces that hold only samples which later codes do not change, so that they follow each other
    /// without seams; it is candidate 0 of `speak`, and no silence is added at its end. Where that is impossible
    /// (`isContinuous`) the pieces are whole phrases.
    /// - Parameters:
    ///   - progress: Called before every code; what it throws ends the work.
    ///   - receive: Gets samples at 24 kHz in order; what it throws ends the work.
    /// - Returns: What was spoken; its samples are those that were handed out.
    /// - Throws: `InputError`, or what `receive` throws.
    public func stream(
        _ text: String, voice: Voice, _ settings: SpeechSettings, utterance: Int = 0,
        pace: StreamingPace = StreamingPace(), progress: (SpeechProgress) throws -> Void = { _ in },
        receive: ([Float]) throws -> Void
    ) throws -> SpokenUtterance {
        try settings.validate()
        let isContinuous = isContinuous(settings)
        let vocoder = isContinuous ? .hifigan : try vocoderStage(settings)
        try voice.check(models, needsDiffusion: vocoder != .hifigan)
        var phrases: [SpokenUtterance] = []
        for (index, phrase) in try frontEnd.phrases(of: text, longest: settings.longestPhrase).enumerated() {
            if index > 0 { try receive(SpeechJoin.silence(SpeechJoin.breath)) }
            let random = random(settings, utterance, phrase: index)
            guard isContinuous else {
                let whole = try speakPhrase(phrase, voice, settings, vocoder, random, progress)[0]
                try receive(whole.samples)
                phrases.append(whole)
                continue
            }
            phrases.append(try streamPhrase(phrase, voice, settings, random, pace, progress, receive))
        }
        return SpokenUtterance(joining: phrases, text: text)
    }

    private func streamPhrase(
        _ text: String, _ voice: Voice, _ settings: SpeechSettings, _ random: RandomSource, _ pace: StreamingPace,
        _ progress: (SpeechProgress) throws -> Void, _ receive: ([Float]) throws -> Void
    ) throws -> SpokenUtterance {
        let (spoken, tokens) = try tokens(of: text)
        let (model, vocoder) = (try models.autoregressive(), try models.hifigan())
        let latent = Tensor(voice.autoregressive, shape: [1, voice.autoregressive.count])
        let decoder = try model.decoder(
            latent: latent, text: tokens, guidance: settings.sampling.guidance, limit: settings.sampling.maximumSteps)
        let markers = CodeMarkers(model.config)
        let sampler = try CandidateSampler(
            settings.sampling, markers, batchSize: 1, random: random)
        var growing = GrowingWaveform(vocoder, voice: latent, pace: pace)
        var calm = CalmCounter(markers)
        var codes: [Int32] = []
        var isStopped = false
        do {
            _ = try sampler.stream(from: decoder) { step in
                guard !step.isStop else {
                    isStopped = true
                    return
                }
                codes.append(step.code)
                try progress(
                    SpeechProgress(stage: .codes, done: codes.count, total: settings.sampling.maximumSteps))
                if calm.isTooLong(with: step.code) { throw SpeechIsOver() }
                if let samples = growing.append(step.hidden) { try receive(samples) }
            }
        } catch is SpeechIsOver {
            isStopped = true
        }
        if let samples = growing.finish() { try receive(samples) }
        return SpokenUtterance(
            samples: growing.samples, text: text, spoken: spoken, codes: codes, isStopped: isStopped, score: nil)
    }
}

/// A long silence has begun: nothing more will be said.
private struct SpeechIsOver: Error {}

/// Counts codes of silence in a row, as `CodeFinisher` does.
private struct CalmCounter {
    private let code: Int32
    private var count = 0
    private static let most = 8

    init(_ markers: CodeMarkers) { code = markers.calm }

    mutating func isTooLong(with next: Int32) -> Bool {
        count = next == code ? count + 1 : 0
        return count > Self.most
    }
}

/// A waveform that grows with its latents.
private struct GrowingWaveform {
    private let vocoder: HiFiGANModel
    private let voice: Tensor
    private let pace: StreamingPace
    private var latents: [Tensor] = []
    private var waiting = 0
    private(set) var samples: [Float] = []

    init(_ vocoder: HiFiGANModel, voice: Tensor, pace: StreamingPace) {
        (self.vocoder, self.voice, self.pace) = (vocoder, voice, pace)
    }

    /// What has become settled with this latent; nil until a piece is due. Shape: [1, width]
    mutating func append(_ latent: Tensor) -> [Float]? {
        latents.append(latent.unsqueezed(1))
        waiting += 1
        guard waiting >= (samples.isEmpty ? pace.first : pace.later) else { return nil }
        waiting = 0
        return piece(upTo: vocoder.settledSampleCount(codes: latents.count))
    }

    /// The rest.
    mutating func finish() -> [Float]? {
        latents.isEmpty ? nil : piece(upTo: vocoder.sampleCount(codes: latents.count))
    }

    private mutating func piece(upTo end: Int) -> [Float]? {
        guard end > samples.count else { return nil }
        let all = concatenated(latents, axis: 1)
        let piece = vocoder.waveform(of: all, voice: voice, samples: samples.count..<end).values
        samples += piece
        return piece
    }
}
