import Foundation
import Testing

@testable import TortoiseCore

struct TextFrontEndTests {
    @Test func explainsEveryStep() throws {
        let frontEnd = TextFrontEnd(cleaners: .extended, tokenizer: try publishedTokenizer())
        let (spoken, tokens, explanation) = frontEnd.explain("Dr. No\u{2019}s GPT\u{7} cost $5 😀")
        #expect(spoken == "doctor no's g p t cost five dollars")
        #expect(tokens == frontEnd.encode("Dr. No’s GPT cost $5"))
        #expect(
            explanation.steps.map(\.rule) == [
                "characters", "abbreviations", "money", "initialisms", "lower case", "vocabulary",
                "spaces and punctuation",
            ])
        #expect(explanation.dropped == ["\u{7}", "😀"])
        #expect(explanation.unknown.isEmpty)
        #expect(explanation.description.contains("not spoken: U+0007 CONTROL, U+1F600 😀 GRINNING FACE"))
        #expect(explanation.description.contains("tokens"))
        #expect(!explanation.description.contains("\u{7}"))
    }

    @Test func explainsTheOriginalCleaners() throws {
        let frontEnd = TextFrontEnd(tokenizer: try publishedTokenizer())
        let (spoken, tokens, explanation) = frontEnd.explain("Mr. É has 50% 🙂")
        #expect(spoken == "mister e has fifty% ")
        #expect(tokens == frontEnd.encode("Mr. É has 50% 🙂"))
        #expect(explanation.steps.map(\.rule) == ["transliteration", "lower case", "cardinals", "abbreviations"])
        #expect(explanation.unknown == ["%"])
        #expect(explanation.dropped == ["🙂"])
        #expect(explanation.tokens.first == TextExplanation.Token(id: 26, text: "m"))
    }

    @Test func longLinesAreSaidPhraseByPhrase() throws {
        let frontEnd = TextFrontEnd(cleaners: .extended, tokenizer: try publishedTokenizer())
        let line =
            "When the train arrived at the station, the old man took his suitcase, and walked to the door. It was open."
        #expect(try frontEnd.phrases(of: line, longest: nil) == [line])
        #expect(try frontEnd.phrases(of: line, longest: 200) == [line])
        let phrases = try frontEnd.phrases(of: line, longest: 50)
        #expect(
            phrases == [
                "When the train arrived at the station,", "the old man took his suitcase,",
                "and walked to the door. It was open.",
            ])
        // Long clauses are cut before conjunctions, then prepositions; a phrase is never cut.
        let clause = "The house behind the small white church that stands beside the old bridge is for sale."
        #expect(
            try frontEnd.phrases(of: clause, longest: 70) == [
                "The house behind the small white church", "that stands beside the old bridge is for sale.",
            ])
        #expect(
            try frontEnd.phrases(of: clause, longest: 20) == [
                "The house", "behind the small white church", "that stands", "beside the old bridge is", "for sale.",
            ])
        // Spoken length counts, and what cannot be spoken is no phrase of its own.
        #expect(try frontEnd.phrases(of: "It cost $1,234,567.89, and more.", longest: 30).count == 2)
        #expect(try frontEnd.phrases(of: "...", longest: 30) == ["..."])
        #expect(throws: InputError.self) { try frontEnd.phrases(of: line, longest: 0) }
    }

    @Test func dictionaryComesBeforeTheOriginalCleaners() throws {
        let words = try PronunciationDictionary(text: "nginx\tengine x", at: "test")
        #expect(
            TextFrontEnd(tokenizer: try publishedTokenizer(), dictionary: words).spoken("Nginx 5") == "engine x five")
    }

    @Test func extendedTextHasNoUnknownTokens() throws {
        let tokenizer = try publishedTokenizer()
        let frontEnd = TextFrontEnd(cleaners: .extended, tokenizer: tokenizer)
        for row in try textGoldenRows("cleaned.jsonl") {
            let text = try row[0].text
            #expect(!frontEnd.encode(text).contains(1), "\(text.debugDescription)")
        }
    }

    @Test func cleanersAreFoundByName() throws {
        #expect(try TextCleaners(named: "extended") == .extended)
        let error = #expect(throws: InputError.self) { try TextCleaners(named: "extendet") }
        #expect(error?.description.contains("did you mean extended?") == true)
    }

    @Test func splitsInStepWithTheCleaners() throws {
        let tokenizer = try publishedTokenizer()
        let text = "Dr. James T. Kirk left the U.S. Navy in 1999. He never came back."
        let extended = TextFrontEnd(cleaners: .extended, tokenizer: tokenizer)
        #expect(
            try extended.split(text, desired: 50, limit: 80) == [
                "Dr. James T. Kirk left the U.S. Navy in 1999.", "He never came back.",
            ])
        let original = TextFrontEnd(tokenizer: tokenizer)
        #expect(try original.split(text, desired: 5, limit: 80).first == "Dr. James T.")
    }
}

struct SentenceSplitterTests {
    private func split(_ text: String, _ desired: Int = 1, _ limit: Int = 300) throws -> [String] {
        try SentenceSplitter(desired: desired, limit: limit).split(text)
    }

    @Test(arguments: [
        ("James T. Kirk is here. So is Dr. Who.", ["James T. Kirk is here.", "So is Dr. Who."]),
        ("He lives in the U.S. She does too.", ["He lives in the U.S.", "She does too."]),
        (
            "J. R. R. Tolkien wrote it! Really? \"Yes!\" she said.",
            ["J. R. R. Tolkien wrote it!", "Really?", "\"Yes!\" she said."]
        ),
        (
            "It costs 3.50. Cheap, e.g. here. And so on... and on. End",
            ["It costs 3.50.", "Cheap, e.g. here.", "And so on... and on.", "End"]
        ),
        (
            "One line\nof text.\n\nA heading\n\nMore (in brackets.) Text.",
            ["One line\nof text.", "A heading", "More (in brackets.)", "Text."]
        ),
        ("He said “Hi.” Then left. 你好。再见。", ["He said “Hi.”", "Then left.", "你好。", "再见。"]),
        ("Take vitamin C. Now go. It is I. Who?", ["Take vitamin C.", "Now go.", "It is I.", "Who?"]),
        ("", []), (" \n\n ", []), ("...", ["..."]),
    ])
    func cutsAtSentences(text: String, pieces: [String]) throws {
        #expect(try split(text) == pieces)
    }

    @Test func cutsLongSentencesAtClausesThenWords() throws {
        let text =
            "This clause is short, this one is too; but the last one of them goes on and on without any mark at all"
        let pieces = try split(text, 40, 40)
        #expect(pieces.first == "This clause is short, this one is too;")
        #expect(pieces.allSatisfy { $0.unicodeScalars.count <= 40 })
        #expect(pieces.joined(separator: " ") == text)
    }

    @Test func cutsEndlessWords() throws {
        let pieces = try split(String(repeating: "x", count: 100_000), 200, 300)
        #expect(pieces.allSatisfy { $0.count <= 300 })
        #expect(pieces.joined().count == 100_000)
    }

    @Test func shortPiecesAreJoined() throws {
        let text = "Yes. No. Why not? Because it was a rainy day in the middle of the week. Oh."
        #expect(
            try split(text, 60, 100) == ["Yes. No. Why not? Because it was a rainy day in the middle of the week. Oh."])
    }

    /// No piece passes the limit, and nothing but white space is lost.
    @Test func randomTextKeepsEveryCharacter() throws {
        var generator = SplitMix(state: 12)
        let bait = Array("ab.!?,;:—\"”) \n\n 1A北。".unicodeScalars)
        for _ in 0..<500 {
            var text = ""
            for _ in 0..<Int.random(in: 0..<200, using: &generator) {
                text.unicodeScalars.append(bait.randomElement(using: &generator) ?? "x")
            }
            let limit = Int.random(in: 1..<60, using: &generator)
            let pieces = try split(text, Int.random(in: 1..<60, using: &generator), limit)
            #expect(pieces.allSatisfy { $0.unicodeScalars.count <= limit }, "\(text.debugDescription)")
            let kept = pieces.joined().unicodeScalars.filter { !$0.properties.isWhitespace }
            #expect(
                kept.elementsEqual(text.unicodeScalars.filter { !$0.properties.isWhitespace }),
                "\(text.debugDescription)")
        }
    }
}
