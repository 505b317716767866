// Recordings spoken again: what the stages make of true codes, and the same words in another voice.

extension SpeechPipeline {
    /// Speaks a recording's own codes in a voice.
    ///
    /// In the recording's own voice this shows what the stages after the autoregressive model can do at best.
    /// - Parameters:
    ///   - path: A recording of `text`.
    ///   - text: What is said in it; the latents of codes depend on it.
    /// - Throws: `InputError.data` for recordings that cannot be read or are longer than the model's longest utterance.
    public func convert(
        recording path: String, text: String, to voice: Voice, _ settings: SpeechSettings
    ) throws -> SpokenUtterance {
        let (spoken, tokens, _) = frontEnd.explain(text)
        guard !tokens.isEmpty else { throw InputError.data("nothing in the text can be spoken: '\(text.prefix(60))'") }
        let config = try models.autoregressive().config
        try config.check(text: tokens)
        let clip = try AudioFile.read(path)
        try VoiceEncoder.check(clip, at: path)
        let longest = Double(config.maximumMelTokens * config.melLengthCompression) / Double(SampleRate.narrow)
        guard clip.duration <= longest else {
            throw InputError.data(
                "the recording has \(clip.duration.asTime); the model speaks at most \(longest.asTime) at once",
                at: path,
                try: "cut it where the speaker pauses")
        }
        let samples = try Resampler(from: clip.sampleRate, to: SampleRate.narrow)(clip.mono(.first))
        let codes = try timed(.codes) {
            let mel = MelSpectrogram.conditioning(norms: try MelNorms.load())(samples)
            return Array(try models.dvae().encode(mel).indexValues.prefix(config.maximumMelTokens))
        }
        let converted = try resynthesize(codes, tokens: tokens, voice: voice, settings)
        return SpokenUtterance(samples: converted, text: text, spoken: spoken, codes: codes, isStopped: true)
    }
}
