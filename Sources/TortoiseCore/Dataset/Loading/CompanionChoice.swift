import Foundation

/// Which other utterance of its speaker an utterance comes with: any that fills a prompt, or one that sounds like it.
///
/// A short one would be heard over and over, so it is chosen only when its speaker has hardly any that are long enough.
///
/// The settings are the `prompt_similar_*` keys of e-c-k-e-r/tortoise-tts, which have no effect there. How alike two utterances are
/// is the cosine between their stored conditioning latents, less their speaker's mean: what differs from one to the next.
struct CompanionChoice: Sendable {
    private let settings: SimilarPromptSettings
    /// The rows of every speaker that others may come with, in the order of the dataset.
    private let rows: [Int: [Int]]
    /// So many of a speaker's longest utterances may be chosen, however short they are.
    private static let leastChoices = 8
    private let speakers: [Int: Int]
    /// Of length 1; empty when none are stored or wanted.
    private let directions: [Int: [Float]]

    /// - Parameter promptSeconds: How much of a companion is heard.
    init(
        _ file: DatasetFile, _ items: [DatasetSelection.Item], _ settings: SimilarPromptSettings, promptSeconds: Double
    ) throws {
        self.settings = settings
        rows = Dictionary(grouping: items, by: \.speaker).mapValues { Self.longEnough($0, for: promptSeconds) }
        speakers = Dictionary(items.map { ($0.index, $0.speaker) }) { first, _ in first }
        var directions: [Int: [Float]] = [:]
        if settings.probability > 0, file.schema.autoregressiveLatentWidth > 0 {
            for rows in rows.values {
                let latents = try rows.map { try file.autoregressiveLatent(at: $0) }
                for (row, direction) in zip(rows, Self.directions(latents)) { directions[row] = direction }
            }
        }
        self.directions = directions
    }

    /// Those that fill a prompt, and the longest others until there is a choice.
    private static func longEnough(_ items: [DatasetSelection.Item], for seconds: Double) -> [Int] {
        let count = items.filter { $0.duration >= seconds }.count
        let longest = items.sorted { ($1.duration, $0.index) < ($0.duration, $1.index) }
        return longest.prefix(max(count, leastChoices)).map(\.index).sorted()
    }

    /// What is left when the mean is taken away, at length 1.
    private static func directions(_ latents: [[Float]]) -> [[Float]] {
        guard let width = latents.first?.count else { return [] }
        var mean = [Float](repeating: 0, count: width)
        for latent in latents {
            for index in 0..<width { mean[index] += latent[index] / Float(latents.count) }
        }
        return latents.map { latent in
            let rest = zip(latent, mean).map { $0 - $1 }
            let length = rest.reduce(0) { $0 + $1 * $1 }.squareRoot()
            return length > 0 ? rest.map { $0 / length } : rest
        }
    }

    /// - Parameters:
    ///   - chance: A random number that decides whether a similar one is taken.
    ///   - draw: A random number that decides which of those that may be taken.
    /// - Returns: Nil when the speaker has no other.
    func companion(of row: Int, chance: UInt32, draw: UInt32) -> Int? {
        guard let speaker = speakers[row], let all = rows[speaker], all != [row] else { return nil }
        let wanted = Double(chance) / 4_294_967_296 < settings.probability
        let choices = wanted && !directions.isEmpty ? similar(to: row, among: all) : all
        let choice = choices[Int((UInt64(draw) * UInt64(choices.count)) >> 32)]
        return choice == row ? nil : choice
    }

    /// The most similar ones, those at the very top left out when the offset says so and enough remain.
    private func similar(to row: Int, among all: [Int]) -> [Int] {
        guard let direction = directions[row] else { return all }
        let scored = all.filter { $0 != row }.map { other -> (row: Int, likeness: Double) in
            let likeness = directions[other].map { Kernel.dot(direction, $0, count: direction.count) } ?? -1
            return (other, likeness)
        }
        let ordered = scored.sorted { ($1.likeness, $0.row) < ($0.likeness, $1.row) }.map(\.row)
        let offset = min(settings.offset, ordered.count - 1)
        return Array(ordered[offset...].prefix(settings.count))
    }
}
