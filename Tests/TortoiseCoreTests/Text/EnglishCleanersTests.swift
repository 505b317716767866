import Foundation
import Testing

@testable import TortoiseCore

/// Against tortoise-tts 3.0.0 with Unidecode 1.4.0, inflect 7.6.0 and tokenizers 0.23.3
/// (Tools/goldens/text_original.py).
struct EnglishCleanersTests {
    @Test func equalsTheOriginalOnFiveThousandLines() throws {
        let tokenizer = try publishedTokenizer()
        let rows = try textGoldenRows("cleaned.jsonl")
        #expect(rows.count == 5000)
        for row in rows {
            let text = try row[0].text
            let cleaned = EnglishCleaners.clean(text)
            expectSameScalars(cleaned, try row[1].text, text)
            #expect(tokenizer.encode(cleaned) == (try row[2].ids), "\(text.debugDescription)")
        }
    }

    @Test func goesOnWhereTheOriginalRaises() throws {
        for row in try textGoldenRows("crashes.jsonl") {
            let text = try row[0].text
            #expect(EnglishCleaners.clean(text) == (try row[2].text))
        }
    }

    @Test func numberWordsEqualInflect() throws {
        for row in try textGoldenRows("numbers.jsonl") {
            let digits = Array(try row[0].text.utf8)
            #expect(NumberWords.cardinal(digits) == (try row[1].text))
            #expect(NumberWords.cardinal(digits, usesAnd: true) == (try row[2].text))
            #expect(NumberWords.ordinal(digits) == (try row[3].text))
        }
    }

    /// Every scalar of the Latin, Greek, Cyrillic, punctuation, currency and symbol blocks, 16 to a checksum.
    @Test func transliterationEqualsUnidecodeOverWholeBlocks() throws {
        var checksums: [UInt32: String] = [:]
        for row in try textGoldenRows("unidecode.jsonl") {
            checksums[UInt32(try #require(row[0].integerValue))] = try row[1].text
        }
        var compared = 0
        for (range, _) in Transliterator.exactRanges {
            for first in stride(from: range.lowerBound, through: range.upperBound, by: 16) {
                let row = (first...min(first + 15, range.upperBound)).compactMap(Unicode.Scalar.init)
                let renderings = row.map { Transliterator.transliterate(String($0)).text }
                let bytes = Array(renderings.map { $0 + "\0" }.joined().utf8)
                #expect(fnv1a(bytes) == checksums[first], "from \(row[0].unicodeDescription): \(renderings)")
                compared += 1
            }
        }
        #expect(compared == checksums.count)
    }

    private func fnv1a(_ bytes: [UInt8]) -> String {
        let value = bytes.reduce(0xCBF2_9CE4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    @Test func otherScriptsAreRenderedOrReported() {
        #expect(EnglishCleaners.clean("北京 is big") == "bei jing is big")
        #expect(EnglishCleaners.clean("안녕 नमस्ते") == "annyeong namaste")
        let emoji = Transliterator.transliterate("a😀b\u{E000}")
        #expect(emoji.text == "ab")
        #expect(emoji.dropped == ["😀", "\u{E000}"])
    }

    @Test func basicCleanersEqualTheOriginal() throws {
        for row in try textGoldenRows("basic.jsonl") {
            let text = try row[0].text
            expectSameScalars(BasicCleaners.clean(text), try row[1].text, text)
        }
    }
}
