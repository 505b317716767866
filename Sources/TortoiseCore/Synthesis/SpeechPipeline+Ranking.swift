/// Which candidates are spoken, and in which order they are given.
extension SpeechPipeline {
    /// The candidates that are kept, best first; without a ranker in the order in which they were made.
    ///
    /// The score says how well the codes say the text, or with `cvvpAmount` is its mean with CVVP's (do they fit the voice?), as
    /// the original weighs them.
    func rank(
        _ candidates: [Candidate], _ tokens: [Int32], _ voice: Voice, _ settings: SpeechSettings,
        _ progress: (SpeechProgress) throws -> Void
    ) throws -> [Candidate] {
        let amount = settings.cvvpAmount
        let voiceRanker = amount > 0 ? try voiceSimilarity(voice) : nil
        let textRanker = amount < 1 && candidates.count > 1 ? try textSimilarity(tokens, voice, settings.ranking) : nil
        guard candidates.count > 1, textRanker != nil || voiceRanker != nil else {
            return Array(candidates.prefix(settings.kept))
        }
        defer {
            models.finish(.clvp)
            models.finish(.cvvp)
        }
        return try timed(.ranking) {
            var scored: [Candidate] = []
            for (index, candidate) in candidates.enumerated() {
                try progress(SpeechProgress(stage: .ranking, done: index, total: candidates.count))
                var candidate = candidate
                // A candidate that fell silent at once says nothing.
                let codes = candidate.codes.isEmpty ? [0] : candidate.codes
                candidate.score = (textRanker?(codes) ?? 0) * (1 - amount) + (voiceRanker?(codes) ?? 0) * amount
                scored.append(candidate)
            }
            return Self.bestFirst(scored, kept: settings.kept)
        }
    }

    /// An opinion of how well codes say a text; nil for sets without CLVP.
    private func textSimilarity(
        _ tokens: [Int32], _ voice: Voice, _ ranking: CandidateRanking
    ) throws -> (([Int32]) -> Float)? {
        switch ranking {
        case .clvp:
            guard let model = try models.clvp() else { return nil }
            let text = Tensor(indices: tokens, shape: [1, tokens.count])
            return { model.similarity(text: text, codes: Tensor(indices: $0, shape: [1, $0.count])).values[0] }
        case .autoregressive:
            let model = try models.autoregressive()
            let longest = model.config.maximumMelTokens
            return { model.textLikelihood(voice: voice.autoregressive, text: tokens, codes: Array($0.prefix(longest))) }
        }
    }

    /// Those that ended by themselves go before those that were cut off; ties keep their order.
    private static func bestFirst(_ scored: [Candidate], kept: Int) -> [Candidate] {
        let order = scored.indices.sorted { a, b in
            let (x, y) = (scored[a], scored[b])
            if x.isStopped != y.isStopped { return x.isStopped }
            return x.score == y.score ? a < b : (x.score ?? 0) > (y.score ?? 0)
        }
        return order.prefix(kept).map { scored[$0] }
    }

    /// CVVP's mean opinion over the voice's clips on a row of codes.
    private func voiceSimilarity(_ voice: Voice) throws -> ([Int32]) -> Float {
        let model = try models.cvvp()
        guard !voice.referenceMels.isEmpty else {
            throw InputError.usage(
                "CVVP compares candidates with recordings, and this voice has none", at: "--cvvp-amount",
                try: "give recordings in place of a saved, mixed or random voice, or leave the flag out")
        }
        let bands = model.config.melChannels
        let mels = voice.referenceMels.map { Tensor($0, shape: [1, bands, $0.count / bands]) }
        return { codes in
            let row = Tensor(indices: codes, shape: [1, codes.count])
            return mels.reduce(0) { $0 + model.similarity(mel: $1, codes: row).values[0] } / Float(mels.count)
        }
    }

    /// Versions by how near the voice that is heard in them is to the reference, nearest first: the cosine of the
    /// autoregressive model's conditioning latents.
    func sortedBySimilarity(_ versions: [SpokenUtterance], to voice: Voice) throws -> [SpokenUtterance] {
        let encoder = VoiceEncoder(models)
        let compared = try timed(.ranking) {
            try versions.map { version in
                var version = version
                let clip = AudioClip(mono: version.samples, sampleRate: SpokenUtterance.sampleRate)
                version.similarity = VoiceRanking.cosine(
                    try encoder.autoregressiveLatent(of: clip), voice.autoregressive)
                return version
            }
        }
        return compared.enumerated().sorted { a, b in
            let (x, y) = (a.element.similarity ?? -1, b.element.similarity ?? -1)
            return x == y ? a.offset < b.offset : x > y
        }.map(\.element)
    }
}
