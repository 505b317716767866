import Foundation
import Testing

@testable import TortoiseCore

struct BPETokenizerTests {
    @Test func publishedVocabulary() throws {
        let tokenizer = try publishedTokenizer()
        #expect(tokenizer.vocabularySize == 255)
        #expect(tokenizer.merges.count == 215)
        #expect(tokenizer.specialTokens.map(\.content) == ["[STOP]", "[UNK]", "[SPACE]"])
        #expect(tokenizer.encode("hello, world!") == [62, 84, 28, 7, 2, 179, 79, 3])
        #expect(tokenizer.token(42) == "the")
        #expect(tokenizer.token(255) == nil)
        #expect(tokenizer.token(-1) == nil)
    }

    @Test func encodesAnyTextAsTokenizersDoes() throws {
        let tokenizer = try publishedTokenizer()
        for row in try textGoldenRows("tokenized.jsonl") {
            let text = try row[0].text
            #expect(tokenizer.encode(text) == (try row[1].ids), "\(text.debugDescription)")
        }
    }

    @Test func decodesAsTheOriginalDoes() throws {
        let tokenizer = try publishedTokenizer()
        for row in try textGoldenRows("decoded.jsonl") {
            guard case .array(let ids) = row[0] else { continue }
            let decoded = tokenizer.decode(ids.compactMap { $0.integerValue.map(Int32.init) })
            expectSameScalars(decoded, try row[1].text, "\(ids)")
        }
    }

    @Test func reportsUnknownCharacters() throws {
        let result = try publishedTokenizer().encodeReportingUnknown("50 é%")
        #expect(result.ids == [1, 1, 2, 1, 1])
        #expect(result.unknown == ["5", "0", "é", "%"])
    }

    /// A word of 100,000 letters takes the queue, whose time grows with n log n: a quadratic scan would take minutes.
    @Test(.timeLimit(.minutes(1))) func longWordsAreFast() throws {
        let tokenizer = try publishedTokenizer()
        let word = String(repeating: "thequickbrownfoxandthing", count: 5000)
        let ids = tokenizer.encode(word)
        #expect(tokenizer.decode(ids) == word)
        // Both ways of merging give the same tokens: the first 48 letters alone take the scan.
        let head = tokenizer.encode(String(word.prefix(48)))
        #expect(Array(ids.prefix(head.count - 4)) == Array(head.dropLast(4)))
    }

    @Test func canonicallyEquivalentTokensStayApart() throws {
        let tokenizer = try BPETokenizer(
            json: Array(file(vocab: #""é":0,"e":1,"\u0301":2,"e\u0301":3"#, merges: #""e \u0301""#).utf8), at: "test")
        #expect(tokenizer.vocabularySize == 4)
        #expect(tokenizer.encode("\u{E9}e\u{301}") == [0, 3])
    }

    @Test(arguments: [
        ("", "JSON"), ("[]", "model"), ("{", "JSON"), (#"{"model":3}"#, "pre-tokenizer"),
        (file(vocab: #""a":0,"a":1"#), "twice"), (file(vocab: #""a":0,"b":0"#), "share the id"),
        (file(vocab: #""a":-1"#), "expected an id"), (file(vocab: #""a":9999999999999"#), "expected an id"),
        (file(vocab: #""a":1.5"#), "expected an id"),
        (file(vocab: #""a":0"#, merges: #""a b""#), "not in the vocabulary"),
        (file(vocab: #""a":0"#, merges: #""ab""#), "not a pair"), (file(vocab: #""a":0"#, merges: "3"), "not a pair"),
        (file(vocab: #""a":0"#, extra: #""unk_token":"x","#), "unknown token"),
        (file(vocab: #""a":0"#, extra: #""byte_fallback":true,"#), "byte_fallback"),
        (file(vocab: #""a":0"#, extra: #""dropout":0.1,"#), "dropout"),
        (file(vocab: #""a":0"#, added: #"{"id":0,"content":"b"}"#), "takes the id"),
        (file(vocab: #""a":0"#, added: #"{"id":4,"content":"a"}"#), "has the id"),
        (file(vocab: #""a":0"#, added: #"{"id":4}"#), "added token"),
        (String(repeating: "[", count: 100_000), "nested"), (#"{"model":"\ud800"}"#, "surrogate"),
    ])
    func refusesMalformedFiles(json: String, part: String) {
        let error = #expect(throws: InputError.self) { try BPETokenizer(json: Array(json.utf8), at: "test") }
        #expect(error?.description.contains(part) == true, "\(String(describing: error))")
    }

    /// Bytes changed, removed and inserted at random: a tokenizer or an `InputError`, never a trap.
    @Test func survivesDamagedFiles() throws {
        let good = Array(try Data(contentsOf: URL(filePath: repositoryFile("data/tokenizer.json"))))
        var generator = SplitMix(state: 17)
        for _ in 0..<300 {
            var bytes = good
            for _ in 0...Int.random(in: 0..<3, using: &generator) {
                let place = Int.random(in: 0..<bytes.count, using: &generator)
                switch Int.random(in: 0..<4, using: &generator) {
                case 0: bytes[place] = UInt8.random(in: .min ... .max, using: &generator)
                case 1: bytes.remove(at: place)
                case 2: bytes.insert(Array("\"{}[],:0-e\\".utf8).randomElement(using: &generator) ?? 0, at: place)
                default: bytes.removeSubrange(place...)
                }
                if bytes.isEmpty { break }
            }
            if let tokenizer = try? BPETokenizer(json: bytes, at: "damaged") {
                _ = tokenizer.decode(tokenizer.encode("the thing, or so."))
            }
        }
    }
}

/// A small tokenizer.json.
private func file(vocab: String, merges: String = "", added: String = "", extra: String = "") -> String {
    #"{"added_tokens":[\#(added)],"pre_tokenizer":{"type":"Whitespace"},"model":{"type":"BPE",\#(extra)"#
        + #""vocab":{\#(vocab)},"merges":[\#(merges)]}}"#
}

/// A small seeded generator for tests.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
