extension ExtendedNormalizer {
    private static let spokenSymbols: [Unicode.Scalar: String] = [
        "&": "and", "@": "at", "+": "plus", "=": "equals", "%": "percent", "‰": "per mille", "°": "degrees",
        "§": "section",
        "¶": "paragraph", "©": "copyright", "®": "registered", "™": "trademark", "×": "times", "÷": "divided by",
        "±": "plus or minus", "−": "minus", "≈": "approximately", "≠": "is not equal to", "≤": "less than or equal to",
        "≥": "greater than or equal to", "∞": "infinity", "√": "the square root of", "∑": "sum", "∏": "product",
        "∫": "integral",
        "∂": "partial", "∈": "in", "∅": "empty set", "→": "to", "←": "from", "↔": "to and from", "⇒": "implies",
        "✓": "check",
        "✔": "check", "✗": "cross", "✘": "cross", "★": "star", "☆": "star", "♥": "heart", "❤": "heart", "♪": "music",
        "♫": "music",
        "²": "squared", "³": "cubed", "¹": "to the first", "µ": "micro", "\\": "backslash", "¢": "cents",
        "☎": "telephone",
        "♠": "spades", "♣": "clubs", "♦": "diamonds", "♯": "sharp", "♭": "flat", "$": "dollars", "£": "pounds",
        "€": "euros", "¥": "yen",
    ]
    private static let perWords: Set<String> = [
        "second", "minute", "hour", "day", "week", "month", "year", "night", "person", "unit", "piece", "mile", "liter",
        "page",
    ]
    private static let greekLetters = [
        "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda", "mu", "nu",
        "xi",
        "omicron", "pi", "rho", "sigma", "sigma", "tau", "upsilon", "phi", "chi", "psi", "omega",
    ]

    /// Symbols by name. Brackets become parentheses; marks that only decorate (`*`, `_`, backticks) are left for
    /// "vocabulary" to report.
    static let symbols = RewriteRule(
        "symbols", starts: { !StartsWith.digit($0) && ($0.isASCII ? !StartsWith.letter($0) && $0 != " " : true) }
    ) { text, start in
        let scalar = text[start]
        func spoken(_ word: String) -> RewriteRule.Match { .init(end: start + 1, spoken: " \(word) ") }
        let isBetweenNumbers = text.isWord(previousNonBlank(text, start)) && text.isDigit(nextNonBlank(text, start))
        switch scalar {
        case "#" where text.isDigit(start + 1): return spoken("number")
        case "#" where text.isLetter(start + 1): return text.isWord(start - 1) ? spoken("sharp") : spoken("hashtag")
        case "#" where text.isLetter(start - 1): return spoken("sharp")
        case "/" where text.isWord(start - 1):
            let end = text.endOfLetters(start + 1)
            let word = text.string(start + 1..<min(end, start + 9))
            let unit = perWords.contains(word) ? word : unitName(word)
            guard let unit, text.isWord(start - 2) else { return nil }
            return .init(end: end, spoken: " per " + unit)
        case ":" where text.isDigit(start - 1) && text.isDigit(start + 1):
            // A chapter and verse behind a name, otherwise a proportion.
            var number = start
            while text.isDigit(number - 1), start - number < 4 { number -= 1 }
            let isReference = text.wordBefore(number).first?.isUppercase == true
            return .init(end: start + 1, spoken: isReference ? " " : " to ")
        case "~" where text.isDigit(start + 1): return spoken("about")
        case "*" where isBetweenNumbers: return spoken("times")
        case "^" where isBetweenNumbers: return spoken("to the power of")
        case "<", ">":
            let isOrEqual = text[start + 1] == "="
            let name = (scalar == "<" ? "less than" : "greater than") + (isOrEqual ? " or equal to" : "")
            let next = isOrEqual ? start + 2 : start + 1
            guard text.isSpace(next) || text.isDigit(next) else { return nil }
            return .init(end: next, spoken: " \(name) ")
        case "[", "{": return .init(end: start + 1, spoken: "(")
        case "]", "}": return .init(end: start + 1, spoken: ")")
        case "|": return .init(end: start + 1, spoken: ", ")
        case "—": return .init(end: start + 1, spoken: ", ")
        case "_" where text.isWord(start - 1) && text.isWord(start + 1): return .init(end: start + 1, spoken: " ")
        case "-" where text[start + 1] == "-" && text[start - 1] != "-": return dashes(in: text, at: start)
        case "-" where text[start - 1] == " " && text[start + 1] == " ":
            return isBetweenNumbers && text.isDigit(start - 2) ? spoken("minus") : .init(end: start + 1, spoken: ", ")
        default: break
        }
        if let word = spokenSymbols[scalar] { return spoken(word) }
        // One Greek letter alone is a symbol; in a word it is transliterated.
        let folded = scalar.properties.lowercaseMapping.unicodeScalars.first ?? scalar
        if (0x3B1...0x3C9).contains(folded.value), !text.isLetter(start - 1), !text.isLetter(start + 1) {
            return spoken(greekLetters[Int(folded.value) - 0x3B1])
        }
        return nil
    }

    /// "this -- and" is a pause as "—" is; "--help" is none.
    private static func dashes(in text: RuleText, at start: Int) -> RewriteRule.Match? {
        var end = start
        while text[end] == "-" { end += 1 }
        guard text.isWord(start - 1) || !text.isWord(end) else { return nil }
        return .init(end: end, spoken: ", ")
    }

    private static let raisedDigits: [Unicode.Scalar: UInt8] = {
        var digits: [Unicode.Scalar: UInt8] = [:]
        for (value, scalar) in "⁰¹²³⁴⁵⁶⁷⁸⁹".unicodeScalars.enumerated() { digits[scalar] = UInt8(0x30 + value) }
        return digits
    }()

    /// "2⁵" is "two to the fifth", "10⁻³" "ten to the minus three", "x²" "x squared", "Ca²⁺" "ca two plus". Units
    /// ("m²") have been read before; a raised number behind a longer word is the number of a note.
    static let superscripts = RewriteRule(
        "superscripts", starts: { raisedDigits[$0] != nil || $0 == "⁻" || $0 == "⁺" || $0 == "ⁿ" }
    ) { text, start in
        guard raisedDigits[text[start - 1]] == nil, !(text.isLetter(start - 1) && text.wordBefore(start).count > 2)
        else {
            return nil
        }
        if text[start] == "ⁿ" { return .init(end: start + 1, spoken: " to the n ") }
        let isNegative = text[start] == "⁻"
        let first = isNegative || text[start] == "⁺" ? start + 1 : start
        var digits: [UInt8] = []
        while let digit = raisedDigits[text[first + digits.count]] { digits.append(digit) }
        let end = first + digits.count
        if digits.isEmpty || text[end] == "⁺" || text[end] == "⁻" {
            // A charge.
            let sign = digits.isEmpty ? start : end
            let number = digits.isEmpty ? "" : spokenCardinal(digits) + " "
            return .init(end: sign + 1, spoken: " \(number)\(text[sign] == "⁻" ? "minus" : "plus") ")
        }
        switch (isNegative, String(decoding: digits, as: UTF8.self)) {
        case (false, "2"): return .init(end: end, spoken: " squared ")
        case (false, "3"): return .init(end: end, spoken: " cubed ")
        case (false, _): return .init(end: end, spoken: " to the " + spokenOrdinal(digits) + " ")
        case (true, _): return .init(end: end, spoken: " to the minus " + spokenCardinal(digits) + " ")
        }
    }

    private static func previousNonBlank(_ text: RuleText, _ position: Int) -> Int {
        text[position - 1] == " " ? position - 2 : position - 1
    }

    private static func nextNonBlank(_ text: RuleText, _ position: Int) -> Int { text.skippingBlank(position + 1) }
}
