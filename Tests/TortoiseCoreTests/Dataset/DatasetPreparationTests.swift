import Foundation
import Testing

@testable import TortoiseCore

/// Recordings that become a dataset, with a stand-in for the models.
@Suite struct DatasetPreparationTests {
    /// Makes one code of every recording, and refuses texts of more tokens than it takes.
    private final class OneCode: UtteranceEncoder {
        let autoregressiveLatentWidth = 0, diffusionLatentWidth = 0
        let modelHashes: [String: String] = [:]
        let makesCodes = true, hearsWholeClips = false
        private let mostTokens: Int

        init(mostTokens: Int) { self.mostTokens = mostTokens }

        func encode(
            _ samples: [Float], wide wideSamples: [Float], tokens: [Int32], _ random: RandomSource
        ) throws -> EncodedSound {
            guard tokens.count <= mostTokens else {
                throw InputError.data("the text has \(tokens.count) tokens, and the model reads \(mostTokens)")
            }
            var sound = EncodedSound()
            sound.codes = [7]
            return sound
        }
    }

    @Test func whatTheModelsDoNotTakeIsNamedAndTheRestIsKept() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "prepared-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let tone = (0..<24_000).map { 0.3 * sin(Float($0) / 20) }
        for (name, text) in [("long", "A text of so many words that nobody reads it at once."), ("short", "Yes.")] {
            try AudioFile.write(AudioClip(mono: tone, sampleRate: 24_000), to: "\(folder)/\(name).wav")
            try Data(text.utf8).write(to: URL(filePath: "\(folder)/\(name).txt"))
        }
        let plan = try RecordingPlan(.pairs(folder: folder, speaker: "own/voice"), slice: .never)
        let report = try DatasetPreparation(
            plan, frontEnd: TextFrontEnd(cleaners: .extended, tokenizer: try publishedTokenizer()),
            encoder: OneCode(mostTokens: 8), settings: PrepareSettings(), language: "en", tokenizerHash: "abc",
            path: folder + "/data.h5"
        ).run { _, _ in }
        #expect(report.kept == 1 && report.dropped.count == 1)
        let drop = try #require(report.dropped.first)
        #expect(drop.name == "own/voice/long" && drop.reason == .refusedByModels)
        #expect(drop.detail.contains("tokens, and the model reads 8"))
        #expect(try DatasetFile(path: folder + "/data.h5").utterance(at: 0, verifying: true).codes == [7])
    }
}
