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
        let clip = try AudioFile.read(path)
        let samples = try Resampler(from: clip.sampleRate, to: 22_050)(clip.mono(.first))
        let codes = try timed(.codes) {
            try models.dvae().encode(MelSpectrogram.conditioning(norms: try MelNorms.load())(samples)).indexValues
        }
        let limit = try models.autoregressive().config.maximumMelTokens
        guard (1...limit).contains(codes.count) else {
            throw InputError.data(
                "the recording is \(codes.count) codes long; the model speaks 1 to \(limit)", at: path,
                try: "cut it where the speaker pauses")
        }
        let converted = try resynthesize(codes, tokens: tokens, voice: voice, settings)
        return SpokenUtterance(samples: converted, text: text, spoken: spoken, codes: codes, isStopped: true)
    }
}
