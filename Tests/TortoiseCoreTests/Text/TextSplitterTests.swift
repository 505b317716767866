import Testing

@testable import TortoiseCore

struct TextSplitterTests {
    @Test func equalsTheOriginal() throws {
        for row in try textGoldenRows("split.jsonl") {
            guard case .array(let pieces) = row[3], let desired = row[1].integerValue, let limit = row[2].integerValue
            else { continue }
            let text = try row[0].text
            let found = try TextSplitter(desired: desired, limit: limit).split(text)
            let expected = try pieces.map { try $0.text }
            #expect(
                found.map(Array.init(_:)) == expected.map(Array.init(_:)),
                "\(text.debugDescription) \(desired) \(limit)")
        }
    }

    @Test func refusesLengthsThatNeverEnd() {
        #expect(throws: InputError.self) { try TextSplitter(desired: 0, limit: 10) }
        #expect(throws: InputError.self) { try TextSplitter(desired: 10, limit: 0) }
    }
}
