import Foundation
import Testing

@testable import TortoiseCore

@Suite struct CompanionChoiceTests {
    /// Two speakers whose utterances say in their latents which ones are alike: those of one angle.
    private func dataset(_ path: String, width: Int) throws -> (DatasetFile, [DatasetSelection.Item]) {
        var schema = DatasetSchema()
        (schema.autoregressiveLatentWidth, schema.diffusionLatentWidth) = (width, 0)
        let writer = try DatasetWriter.create(path: path, schema: schema)
        for index in 0..<24 {
            let angle = Float(index / 2) * 0.5
            try writer.append(
                Utterance(
                    name: "\(index)", speaker: "g/\(index < 23 ? index % 2 : 2)", language: "en", text: "a",
                    tokens: [1],
                    codes: [1], sampleCount: 22_050,
                    autoregressiveLatent: width == 0 ? [] : [cos(angle) + 9, sin(angle) - 9], diffusionLatent: [],
                    mels: [:], waveform: []))
        }
        try writer.commit()
        let file = try DatasetFile(path: path)
        let speakers = try file.speakerOfEach()
        let items = (0..<24).map {
            DatasetSelection.Item(index: $0, speaker: Int(speakers[$0]), duration: 1, codes: 1, tokens: 1)
        }
        return (file, items)
    }

    private func settings(_ probability: Double, _ count: Int = 1, _ offset: Int = 0) -> SimilarPromptSettings {
        var settings = SimilarPromptSettings()
        (settings.probability, settings.count, settings.offset) = (probability, count, offset)
        return settings
    }

    private let draws: [UInt32] = (0..<64).map { UInt32($0) << 26 }

    @Test func similarOnesAreTakenAsOftenAsWanted() throws {
        try withTemporaryPath { path in
            let (file, items) = try dataset(path, width: 2)
            func taken(_ row: Int, _ settings: SimilarPromptSettings, chance: UInt32 = 0) throws -> Set<Int?> {
                let choice = try CompanionChoice(file, items, settings, promptSeconds: 1)
                return Set(draws.map { choice.companion(of: row, chance: chance, draw: $0) })
            }
            // Rows 4 and 8 of speaker 0 are half a radian from row 6 on either side; equal likeness goes to the lower row.
            #expect(try taken(6, settings(1)) == [4])
            #expect(try taken(6, settings(1, 2)) == [4, 8])
            #expect(try taken(6, settings(1, 2, 2)) == [2, 10])
            // An offset that leaves none leaves the last.
            #expect(try taken(6, settings(1, 3, 100)).count == 1)
            // Half of the chances: this one takes any, itself (none) among them.
            #expect(try taken(6, settings(0.5), chance: 1 << 31) == Set([nil, 0, 2, 4, 8, 10, 12, 14, 16, 18, 20, 22]))
            #expect(try taken(6, settings(0.5), chance: (1 << 31) - 1) == [4])
            // A speaker of one utterance has no companion.
            #expect(try taken(23, settings(1)) == [nil])
        }
    }

    @Test func withoutLatentsAnyIsTaken() throws {
        try withTemporaryPath { path in
            let (file, items) = try dataset(path, width: 0)
            let choice = try CompanionChoice(file, items, settings(1), promptSeconds: 1)
            #expect(Set(draws.map { choice.companion(of: 1, chance: 0, draw: $0) }).count == 11)
        }
    }

    @Test func thoseThatFillAPromptAreTaken() throws {
        try withTemporaryPath { path in
            var (file, items) = try dataset(path, width: 0)
            // Speaker 0 has nine that are long enough, speaker 1 has two: six of its short ones may be taken beside them.
            for index in items.indices {
                items[index].duration = index < 18 && index % 2 == 0 || index == 1 || index == 3 ? 3 : 1
            }
            let choice = try CompanionChoice(file, items, settings(0), promptSeconds: 2)
            func taken(_ row: Int) -> Set<Int?> {
                Set(draws.map { choice.companion(of: row, chance: 0, draw: $0) })
            }
            #expect(taken(20) == [0, 2, 4, 6, 8, 10, 12, 14, 16])
            #expect(taken(21) == [1, 3, 5, 7, 9, 11, 13, 15])
            #expect(taken(5) == [1, 3, nil, 7, 9, 11, 13, 15])
        }
    }
}
