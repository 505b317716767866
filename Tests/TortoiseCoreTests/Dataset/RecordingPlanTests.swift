import Foundation
import Testing

@testable import TortoiseCore

@Suite struct RecordingPlanTests {
    /// Three speakers with 20, 5 and 1 recordings; no audio is read while planning.
    private func recordings(_ root: String) throws -> RecordingPlan.Source {
        for (speaker, count) in [("many", 20), ("some", 5), ("one", 1)] {
            let folders = ["voices", "metadata"].map { URL(filePath: "\(root)/\($0)/g/\(speaker)") }
            for folder in folders {
                try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            }
            let entries = try (0..<count).map { index in
                try Data("RIFF".utf8).write(to: folders[0].appending(path: "\(index).wav"))
                return "\"\(index).wav\": {\"text\": \"Number \(index).\", \"language\": \"en\"}"
            }
            try Data("{\(entries.joined(separator: ","))}".utf8).write(to: folders[1].appending(path: "whisper.json"))
        }
        return .voices(folder: root + "/voices", metadata: root + "/metadata", transcriptName: "whisper.json")
    }

    private func counts(_ plan: RecordingPlan) -> [String: Int] {
        Dictionary(grouping: plan.utterances, by: \.speaker).mapValues(\.count)
    }

    @Test func limitsTakeTheSameEveryTime() throws {
        try withTemporaryFolder { root in
            let source = try recordings(root)
            #expect(counts(try RecordingPlan(source, slice: .auto)) == ["g/many": 20, "g/some": 5, "g/one": 1])
            let even = try RecordingPlan(source, slice: .auto, speakerLimit: 4)
            #expect(counts(even) == ["g/many": 4, "g/some": 4, "g/one": 1])
            let again = try RecordingPlan(source, slice: .auto, speakerLimit: 4)
            #expect(even.utterances.map(\.name) == again.utterances.map(\.name))
            // A choice, not the beginning.
            #expect(even.utterances.filter { $0.speaker == "g/many" }.map(\.name) != ["0", "1", "10", "11"])
            let both = try RecordingPlan(source, slice: .auto, limit: 3, speakerLimit: 4)
            #expect(both.utterances.count == 3)
            #expect(try RecordingPlan(source, slice: .auto, limit: 100).utterances.count == 26)
        }
    }
}
