/// How well recordings serve as references of one voice, best first.
public struct VoiceRanking {
    /// One recording's marks.
    public struct Entry: Sendable {
        public let path: String
        public let check: ClipCheck
        /// Cosine of its latent to the mean of the others'; nil for a single recording.
        public let similarity: Double?
    }

    public let entries: [Entry]
    /// The recordings that cannot be read or used, and why.
    public let faults: [(path: String, why: InputError)]

    /// - Throws: `InputError` when the models cannot be loaded.
    public init(_ all: [String], models: SpeechModels) throws {
        let encoder = VoiceEncoder(models)
        _ = try models.autoregressive()
        var usable: [(path: String, clip: AudioClip, latent: [Float])] = []
        var faults: [(String, InputError)] = []
        for path in all {
            do {
                let clip = try ReferenceClips.separate([path])[0]
                usable.append((path, clip, try encoder.encode([path]).autoregressive))
            } catch let error as InputError {
                faults.append((path, error))
            }
        }
        self.faults = faults
        let (paths, clips, latents) = (usable.map(\.path), usable.map(\.clip), usable.map(\.latent))
        entries = paths.indices.map { index in
            let others = latents.indices.filter { $0 != index }.map { latents[$0] }
            return Entry(
                path: paths[index], check: ClipCheck(clips[index].mono(.first), sampleRate: clips[index].sampleRate),
                similarity: others.isEmpty ? nil : Self.cosine(latents[index], Self.mean(others)))
        }.sorted { a, b in
            if a.check.problems.count != b.check.problems.count {
                return a.check.problems.count < b.check.problems.count
            }
            return (a.similarity ?? 0) > (b.similarity ?? 0)
        }
    }

    /// A table for people.
    public var lines: [String] {
        entries.map { entry in
            let similarity = entry.similarity.map { "similarity \(Self.decimals($0))" } ?? ""
            let loudness = entry.check.loudness.map { "\(Self.decimals($0)) LUFS" } ?? "silent"
            let problems = entry.check.problems.map(\.description)
            return [
                entry.path, "\(Self.decimals(entry.check.duration)) s", loudness, similarity,
                problems.isEmpty ? "good" : problems.joined(separator: "; "),
            ].filter { !$0.isEmpty }.joined(separator: "   ")
        } + faults.map { "\($0.path)   cannot be used: \($0.why.problem)" }
    }

    private static func mean(_ latents: [[Float]]) -> [Float] {
        latents[0].indices.map { index in latents.reduce(0) { $0 + $1[index] } / Float(latents.count) }
    }

    /// The cosine of the angle between two latents; 0 when one is all zeros.
    static func cosine(_ a: [Float], _ b: [Float]) -> Double {
        let product = zip(a, b).reduce(0.0) { $0 + Double($1.0 * $1.1) }
        let lengths = (a.reduce(0.0) { $0 + Double($1 * $1) } * b.reduce(0.0) { $0 + Double($1 * $1) }).squareRoot()
        return lengths > 0 ? product / lengths : 0
    }

    private static func decimals(_ value: Double) -> String { "\((value * 100).rounded() / 100)" }
}
