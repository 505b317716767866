/// The original's `english_cleaners`: what the published models were trained on, character for character.
///
/// Source: tortoise/utils/tokenizer.py of `tortoise-tts` 3.0.0. Where that code raises (`$,5`, numbers of more than 36
/// digits) this one goes on: see `docs/text.md`.
public enum EnglishCleaners {
    /// One step after transliteration; all of them see and leave ASCII.
    struct Step: Sendable {
        let name: String
        let apply: @Sendable ([UInt8]) -> [UInt8]
    }

    /// The steps after transliteration, in order. The original's step for pounds is not here: it can never match,
    /// because transliteration has turned every pound sign into letters.
    static let steps: [Step] = [
        Step(name: "lower case", apply: lowercased),
        Step(name: "commas in numbers", apply: removeCommasInNumbers),
        Step(name: "dollars", apply: expandDollars),
        Step(name: "decimal points", apply: expandDecimalPoints),
        Step(name: "ordinals", apply: expandOrdinals),
        Step(name: "cardinals", apply: expandCardinals),
        Step(name: "abbreviations", apply: expandAbbreviations),
        Step(name: "whitespace", apply: collapseWhitespace),
        Step(name: "quotation marks", apply: { $0.filter { $0 != UInt8(ascii: "\"") } }),
    ]

    /// Cleaned text, ready for the tokenizer.
    public static func clean(_ text: String) -> String {
        var log = CleaningLog(isRecording: false)
        return clean(text, log: &log)
    }

    /// Cleaned text, with every step that changed something in the log.
    static func clean(_ text: String, log: inout CleaningLog) -> String {
        let transliterated = Transliterator.transliterate(text)
        log.dropped += transliterated.dropped
        var bytes = Array(transliterated.text.utf8)
        log.record("transliteration", before: text, after: transliterated.text)
        for step in steps {
            let result = step.apply(bytes)
            log.record(step.name, before: bytes, after: result)
            bytes = result
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func lowercased(_ text: [UInt8]) -> [UInt8] {
        text.map { ASCII.isUppercase($0) ? $0 | 0x20 : $0 }
    }

    /// Every run of whitespace becomes one blank; Python counts the four ASCII separators 0x1C–0x1F as whitespace.
    private static func collapseWhitespace(_ text: [UInt8]) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(text.count)
        var inRun = false
        for byte in text {
            let isSpace = ASCII.isWhitespace(byte) || (0x1C...0x1F).contains(byte)
            if !isSpace { out.append(byte) } else if !inRun { out.append(UInt8(ascii: " ")) }
            inRun = isSpace
        }
        return out
    }

    // MARK: - Abbreviations

    private static let abbreviations: [(short: [UInt8], long: [UInt8])] = [
        ("mrs", "misess"), ("mr", "mister"), ("dr", "doctor"), ("st", "saint"), ("co", "company"), ("jr", "junior"),
        ("maj", "major"), ("gen", "general"), ("drs", "doctors"), ("rev", "reverend"), ("lt", "lieutenant"),
        ("hon", "honorable"), ("sgt", "sergeant"), ("capt", "captain"), ("esq", "esquire"), ("ltd", "limited"),
        ("col", "colonel"), ("ft", "fort"),
    ].map { (Array($0.0.utf8), Array($0.1.utf8)) }

    /// Replaces an abbreviation and its dot where a word begins. One pass for each, since a replacement can end the
    /// word boundary that a later one would need ("mr.st.").
    private static func expandAbbreviations(_ text: [UInt8]) -> [UInt8] {
        guard text.contains(UInt8(ascii: ".")) else { return text }
        var text = text
        for (short, long) in abbreviations { text = replaceAbbreviation(short, with: long, in: text) }
        return text
    }

    private static func replaceAbbreviation(_ short: [UInt8], with long: [UInt8], in text: [UInt8]) -> [UInt8] {
        var out: [UInt8] = []
        var copied = 0
        for (dot, byte) in text.enumerated() where byte == UInt8(ascii: ".") {
            let start = dot - short.count
            guard start >= copied, text[start..<dot].elementsEqual(short), start == 0 || !ASCII.isWord(text[start - 1])
            else { continue }
            out.append(contentsOf: text[copied..<start])
            out.append(contentsOf: long)
            copied = dot + 1
        }
        guard copied > 0 else { return text }
        out.append(contentsOf: text[copied...])
        return out
    }
}
