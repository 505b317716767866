import Foundation
import Testing

@testable import TortoiseCore

@Suite struct LongReadingTests {
    private func reading(_ text: String, folder: String, identity: String = "") throws -> LongReading {
        try LongReading(
            text, frontEnd: TextFrontEnd(cleaners: .extended, tokenizer: publishedTokenizer()), folder: folder,
            identity: identity)
    }

    private func withFolder(_ body: (String) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "reading-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try body(folder)
    }

    /// A line's end of Windows is one character, which is no line feed.
    @Test(arguments: ["\n", "\r\n", "\r"]) func paragraphsEndAtBlankLines(end: String) throws {
        try withFolder { folder in
            let text = ["One.", "", "Two", "lines.", "", "Three."].joined(separator: end)
            let parts = try reading(text, folder: folder).parts
            #expect(parts.map(\.text) == ["One.", "Two lines.", "Three."])
            #expect(parts.filter(\.endsParagraph).count == 3)
        }
    }

    @Test func partsOfOtherSettingsAreMadeAnewAndRemoved() throws {
        try withFolder { folder in
            let first = try reading("One.", folder: folder, identity: "a")
            try first.store([0, 0], of: first.parts[0])
            #expect(try reading("One.", folder: folder, identity: "a").isDone(first.parts[0]))
            let second = try reading("One.", folder: folder, identity: "b")
            #expect(!second.isDone(second.parts[0]))
            second.removeParts()
            #expect(!FileManager.default.fileExists(atPath: folder))
        }
    }
}
