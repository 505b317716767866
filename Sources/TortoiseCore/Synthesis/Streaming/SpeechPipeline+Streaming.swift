extension SpeechPipeline {
    /// Speaks one utterance and hands out sound as soon as it is settled.
    ///
    /// One candidate is handed out in pieces while its codes are made. Through HiFi-GAN these hold only samples that later codes do not
    /// change, so they are candidate 0 of `speak` without the silence at its end; through diffusion they are made in windows
    /// (`GrowingMel`) and sound like it. Of several candidates the best is known at the end of a phrase, which is handed out then.
    /// - Parameters:
    ///   - progress: Called before every step; what it throws ends the work.
    ///   - receive: Gets samples at 24 kHz in order; what it throws ends the work.
    /// - Returns: What was spoken; its samples are those that were handed out.
    /// - Throws: `InputError`, or what `receive` throws.
    public func stream(
        _ text: String, voice: Voice, _ settings: SpeechSettings, utterance: Int = 0,
        pace: StreamingPace = StreamingPace(), progress: (SpeechProgress) throws -> Void = { _ in },
        receive: ([Float]) throws -> Void
    ) throws -> SpokenUtterance {
        try settings.validate()
        // HiFi-GAN is the quickest, where nothing else is asked for.
        let isQuickest = settings.vocoder == nil && settings.candidates == 1 && models.files.find(.hifigan) != nil
        let vocoder = isQuickest ? .hifigan : try vocoderStage(settings)
        try voice.check(models, needsDiffusion: vocoder != .hifigan)
        var phrases: [SpokenUtterance] = []
        for (index, phrase) in try frontEnd.phrases(of: text, longest: settings.longestPhrase).enumerated() {
            if index > 0 { try receive(SpeechJoin.silence(SpeechJoin.breath)) }
            let random = random(settings, utterance, phrase: index)
            guard settings.candidates == 1 else {
                let whole = try speakPhrase(phrase, voice, settings, vocoder, random, progress)[0]
                try receive(whole.samples)
                phrases.append(whole)
                continue
            }
            try withoutActuallyEscaping(progress) { progress in
                var growing = try growingSpeech(voice, settings, vocoder, random, pace, progress)
                phrases.append(try streamPhrase(phrase, voice, settings, random, &growing, progress, receive))
            }
        }
        return SpokenUtterance(joining: phrases, text: text)
    }

    private func growingSpeech(
        _ voice: Voice, _ settings: SpeechSettings, _ vocoder: ModelStage, _ random: RandomSource,
        _ pace: StreamingPace, _ progress: @escaping (SpeechProgress) throws -> Void
    ) throws -> any GrowingSpeech {
        guard vocoder != .hifigan else {
            let latent = Tensor(voice.autoregressive, shape: [1, voice.autoregressive.count])
            return GrowingWaveform(try models.hifigan(), voice: latent, pace: pace)
        }
        let (stage, model) = (try models.vocoder(vocoder), try models.diffusion())
        return GrowingMel(
            pace: pace, samplesPerFrame: stage.samplesPerFrame,
            diffuse: { [self] latents, frames in
                try mel(
                    of: latents, frames, model, voice, settings, DiffusionNoise(random["diffusion"], frames: frames),
                    progress)
            },
            vocode: { stage.waveform(of: $0, random["vocoder"]) })
    }

    private func streamPhrase(
        _ text: String, _ voice: Voice, _ settings: SpeechSettings, _ random: RandomSource,
        _ growing: inout any GrowingSpeech, _ progress: (SpeechProgress) throws -> Void,
        _ receive: ([Float]) throws -> Void
    ) throws -> SpokenUtterance {
        let (spoken, tokens) = try tokens(of: text)
        let model = try models.autoregressive()
        let latent = Tensor(voice.autoregressive, shape: [1, voice.autoregressive.count])
        let decoder = try model.decoder(
            latent: latent, text: tokens, guidance: settings.sampling.guidance, limit: settings.sampling.maximumSteps)
        let markers = CodeMarkers(model.config)
        let sampler = try CandidateSampler(
            settings.sampling, markers, batchSize: 1, random: random)
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
                if let samples = try growing.append(step.hidden) { try receive(samples) }
            }
        } catch is SpeechIsOver {
            isStopped = true
        }
        if isStopped, type(of: growing).endsInSilence {
            let finished = CodeFinisher(markers).finish(SampledCodes(codes: codes, isStopped: true))
            let latents = try latents(of: finished, tokens, voice, progress)
            for position in codes.count..<max(codes.count, latents.size(1)) {
                if let samples = try growing.append(latents.select(1, position)) { try receive(samples) }
            }
        }
        if let samples = try growing.finish() { try receive(samples) }
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
