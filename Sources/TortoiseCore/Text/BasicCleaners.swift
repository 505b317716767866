/// Lower case and single blanks, for vocabularies of other languages: no transliteration, no number words.
///
/// Source: `basic_cleaners` in tortoise/utils/tokenizer.py (`use_basic_cleaners`).
public enum BasicCleaners {
    /// Cleaned text.
    public static func clean(_ text: String) -> String {
        var log = CleaningLog(isRecording: false)
        return clean(text, log: &log)
    }

    static func clean(_ text: String, log: inout CleaningLog) -> String {
        let lower = lowercased(text)
        log.record("lower case", before: text, after: lower)
        let collapsed = collapsingWhitespace(lower)
        log.record("whitespace", before: lower, after: collapsed)
        return collapsed
    }

    /// Full case mapping, with the Greek sigma's form at the end of a word (Unicode's Final_Sigma condition), as in
    /// Python.
    private static func lowercased(_ text: String) -> String {
        var out = ""
        out.reserveCapacity(text.utf8.count)
        /// Whether the nearest scalar before that is not case-ignorable is a cased letter.
        var followsCased = false
        let scalars = text.unicodeScalars
        for index in scalars.indices {
            let scalar = scalars[index]
            if scalar == "Σ" {
                let following = scalars[scalars.index(after: index)...].first { !$0.properties.isCaseIgnorable }
                out += followsCased && !(following?.properties.isCased ?? false) ? "ς" : "σ"
            } else {
                out += scalar.properties.lowercaseMapping
            }
            if !scalar.properties.isCaseIgnorable { followsCased = scalar.properties.isCased }
        }
        return out
    }

    private static func collapsingWhitespace(_ text: String) -> String {
        var out = String.UnicodeScalarView()
        var inRun = false
        for scalar in text.unicodeScalars {
            let isSpace = scalar.properties.isWhitespace || (0x1C...0x1F).contains(scalar.value)
            if !isSpace { out.append(scalar) } else if !inRun { out.append(" ") }
            inRun = isSpace
        }
        return String(out)
    }
}
