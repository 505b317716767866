extension ExtendedNormalizer {
    // MARK: - Years

    /// "1939-45" is "nineteen thirty-nine to forty-five", "2023/24" "twenty twenty-three to twenty-four".
    static let yearRanges = RewriteRule("year ranges", starts: StartsWith.digit) { text, start in
        guard text.isNumberStart(start), text.isStart(start), !"-/".unicodeScalars.contains(text[start - 1]) else {
            return nil
        }
        let link = text.endOfDigits(start)
        let end = text.endOfDigits(link + 1)
        let isShort = end - link == 3
        // Four digits behind a dash are left to "ranges", which knows amounts and units.
        guard link - start == 4,
            isShort ? text[link] == "-" || text[link] == "/" : text[link] == "/" && end - link == 5,
            symbolCurrencies[text[start - 1]] == nil, unit(in: text, after: end) == nil,
            let first = Int(text.string(start..<link)), (1100..<2100).contains(first),
            let written = Int(text.string(link + 1..<end)), !text.isWord(end), text[end] != "-", text[end] != "/",
            !(text[end] == "." && text.isDigit(end + 1))
        else { return nil }
        // "1999-00" reaches into the next century.
        let century = first - first % 100 + (first % 100 == 99 && written == 0 ? 100 : 0)
        let last = isShort ? century + written : written
        guard last > first, last < 2100, text[link] == "-" || last == first + 1 else { return nil }
        let isSameCentury = isShort && written >= 10
        return .init(
            end: end,
            spoken: spokenYear(first) + " to "
                + (isSameCentury ? NumberWords.belowHundred(written) : spokenYear(last)))
    }

    /// Words around "30s" that make it a time in seconds and not an age or a decade.
    private static let wordsBeforeSeconds: Set<String> = [
        "took", "takes", "take", "taking", "lasts", "lasted", "last", "after", "within", "every", "wait", "waits",
        "waited", "for", "than", "timeout", "about", "only", "exactly", "sleep", "least", "additional", "remaining",
    ]
    private static let nounsOfSeconds: Set<String> = [
        "timeout", "timeouts", "delay", "delays", "interval", "intervals", "timer", "pause", "break", "wait", "limit",
        "lap", "clip", "clips", "video", "ad", "ads", "rest", "exposure", "exposures", "duration", "countdown", "loop",
        "sprint", "gap", "latency", "later", "ago", "each", "left", "remaining", "faster", "slower", "long", "spot",
        "cooldown", "per", "mark",
    ]

    /// "1990s" is "nineteen nineties", "'90s", "80s kids" and "in her 30s" are "nineties", "eighties" and "thirties",
    /// "100s of" is "hundreds of".
    static let decades = RewriteRule("decades", starts: { StartsWith.digit($0) || $0 == "'" }) { text, start in
        let first = text[start] == "'" ? start + 1 : start
        guard !text.isWord(start - 1), !".,'/".unicodeScalars.contains(text[start - 1]), text.isDigit(first) else {
            return nil
        }
        if let crowd = crowd(in: text, at: start) { return crowd }
        let end = text.endOfDigits(first)
        guard let value = Int(text.string(first..<end)), value % 10 == 0 else { return nil }
        let hasApostrophe = text[end] == "'"
        let last = hasApostrophe ? end + 1 : end
        guard text[last] == "s", !text.isWord(last + 1) else { return nil }
        switch end - first {
        case 2:
            let before = text.wordBefore(start).lowercased()
            let next = text[last + 1] == " " ? text.lowercasedWord(at: last + 2) : ""
            // "20 to 30s" is what "ranges" made of "20-30s".
            let isRange = before == "to" && text.isDigit(start - 5)
            let isSeconds = isRange || wordsBeforeSeconds.contains(before) || nounsOfSeconds.contains(next)
            guard value >= 20, first > start || hasApostrophe || !isSeconds else { return nil }
            return .init(end: last + 1, spoken: decade(NumberWords.belowHundred(value)))
        case 4:
            return (1100..<2100).contains(value) ? .init(end: last + 1, spoken: decade(spokenYear(value))) : nil
        default: return nil
        }
    }

    /// "10s of", "100s of", "1,000s of", "10,000s of": tens, hundreds, thousands, tens of thousands.
    private static func crowd(in text: RuleText, at start: Int) -> RewriteRule.Match? {
        guard let number = text.number(at: start), number.fraction.isEmpty else { return nil }
        let letter = text[number.end] == "'" ? number.end + 1 : number.end
        guard text.matches("s of", at: letter), !text.isWord(letter + 4) else { return nil }
        let words = [
            "10": "tens", "100": "hundreds", "1000": "thousands", "10000": "tens of thousands",
            "100000": "hundreds of thousands", "1000000": "millions",
        ]
        return words[String(decoding: number.whole, as: UTF8.self)].map { .init(end: letter + 1, spoken: $0) }
    }

    private static let yearPrefixes: Set<String> = ["pre", "post", "mid", "early", "late", "circa", "since", "until"]

    /// A number of four digits that reads as a year: "1999" is "nineteen ninety-nine".
    static let years = RewriteRule("years", starts: StartsWith.digit) { text, start in
        guard text.isNumberStart(start) else { return nil }
        let end = text.endOfDigits(start)
        // "pre-1914" is a year, "-1914" and "windows-1252" none.
        let isPrefixed = text[start - 1] == "-" && yearPrefixes.contains(text.wordBefore(start - 1).lowercased())
        guard end - start == 4, let year = Int(text.string(start..<end)),
            (1010..<2100).contains(year), !text.isLetter(start - 1), text[start - 1] != "#",
            text[start - 1] != "-" || isPrefixed,
            !(text[end] == "." && text.isDigit(end + 1)), !text.isWord(end), text[end] != "-" || !text.isDigit(end + 1)
        else { return nil }
        return .init(end: end, spoken: spokenYear(year))
    }

    /// The plural of number words: "nineties", "nineteen hundreds".
    private static func decade(_ words: String) -> String {
        words.hasSuffix("y") ? words.dropLast() + "ies" : words + "s"
    }

    // MARK: - Durations

    private static let durationUnits: [String: (rank: Int, name: String)] = [
        "h": (0, "hour"), "hr": (0, "hour"), "hrs": (0, "hour"), "m": (1, "minute"), "min": (1, "minute"),
        "mins": (1, "minute"), "s": (2, "second"), "sec": (2, "second"), "secs": (2, "second"),
    ]

    /// "3m 20s" and "1h30m": beside seconds or hours an "m" is minutes. One part alone is left to "units".
    static let durations = RewriteRule("durations", starts: StartsWith.digit) { text, start in
        guard text.isNumberStart(start), text.isStart(start) else { return nil }
        var words: [String] = []
        var position = start
        var end = start
        var lastRank = -1
        while let number = text.number(at: position), number.whole.count <= 2, number.end > position {
            let unitEnd = text.endOfLetters(number.end)
            guard (1...4).contains(unitEnd - number.end),
                let unit = durationUnits[text.string(number.end..<unitEnd)], unit.rank > lastRank
            else { break }
            words.append("\(number.words) \(unit.name)\(number.isOne ? "" : "s")")
            (lastRank, end, position) = (unit.rank, unitEnd, text.skippingBlank(unitEnd))
        }
        guard words.count > 1, !text.isWord(end) else { return nil }
        return .init(end: end, spoken: words.joined(separator: " "))
    }
}
