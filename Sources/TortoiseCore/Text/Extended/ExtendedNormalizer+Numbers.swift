extension ExtendedNormalizer {
    // MARK: - Strings of digits

    /// "+1 (555) 123-4567", "555-123-4567", "(555) 123-4567", "555-1234", and other chains of digits and dashes (ISBN):
    /// digit by digit, with a pause between the groups.
    static let telephoneNumbers = RewriteRule(
        "telephone numbers", starts: { StartsWith.digit($0) || $0 == "+" || $0 == "(" }
    ) { text, start in
        guard !text.isWord(start - 1), !".,-/:+".unicodeScalars.contains(text[start - 1]) else { return nil }
        if let tollFree = tollFreePrefix(in: text, at: start) { return tollFree }
        var groups: [Range<Int>] = []
        var hasDash = false
        var hasParenthesis = false
        var end = start
        var position = text[start] == "+" ? start + 1 : start
        while groups.count < 7 {
            if text[position] == "(" { (hasParenthesis, position) = (true, position + 1) }
            let groupEnd = text.endOfDigits(position)
            guard (1...12).contains(groupEnd - position) else { break }
            groups.append(position..<groupEnd)
            position = text[groupEnd] == ")" ? groupEnd + 1 : groupEnd
            end = position
            if text[position] == "-" {
                (hasDash, position) = (true, position + 1)
            } else {
                position = text.skippingBlank(position)
            }
            if position == groupEnd { break }
        }
        guard !text.isWord(end), !(text[end] == "-" && text.isWord(end + 1)), let first = groups.first else {
            return nil
        }
        let lengths = groups.map(\.count)
        let digits = lengths.reduce(0, +)
        let isInternational = text[start] == "+" && (8...15).contains(digits)
        let isNational =
            hasDash && ([[3, 4], [3, 3, 4], [1, 3, 3, 4]].contains(lengths) || groups.count > 2 && digits > 6)
        let hasAreaCode = hasParenthesis && (9...11).contains(digits)
        let isLocal =
            text[first.lowerBound] == "0" && groups.count > 1 && (9...12).contains(digits)
            && lengths.allSatisfy { $0 > 1 }
        guard isInternational || isNational || hasAreaCode || isLocal, text[start] != "(" || hasParenthesis else {
            return nil
        }
        let spoken = groups.map { NumberWords.spelledOut(text.digits($0)) }.joined(separator: ", ")
        return .init(end: end, spoken: (text[start] == "+" ? "plus " : "") + spoken)
    }

    /// "1-800-" before letters, as in "1-800-FLOWERS"; the letters are left to later rules.
    private static func tollFreePrefix(in text: RuleText, at start: Int) -> RewriteRule.Match? {
        guard text.matches("1-", at: start), text[start + 5] == "-", text.isUpper(start + 6) else { return nil }
        let code = text.string(start + 2..<start + 5)
        guard ["800", "833", "844", "855", "866", "877", "888", "900"].contains(code) else { return nil }
        let hundreds = code.hasSuffix("00")
        let words = hundreds ? spokenCardinal(Array(code.utf8)) : NumberWords.spelledOut(code.utf8)
        return .init(end: start + 6, spoken: "one " + words + " ")
    }

    /// Numbers as continental Europe writes them, where they cannot be English ones: "1.234,56" becomes "1,234.56", and beside the sign
    /// of a currency "3,50" becomes "3.50".
    static let continentalNumbers = RewriteRule("continental numbers", separatesWords: false, starts: StartsWith.digit)
    {
        text, start in
        guard text.isNumberStart(start) else { return nil }
        var groups = [start..<text.endOfDigits(start)]
        while let end = groups.last?.upperBound, text[end] == ".", text.endOfDigits(end + 1) == end + 4 {
            groups.append(end + 1..<end + 4)
        }
        guard let comma = groups.last?.upperBound, text[comma] == ",", groups.count == 1 || groups[0].count <= 3 else {
            return nil
        }
        let end = text.endOfDigits(comma + 1)
        let isPrice = symbolCurrencies[text[start - 1]] != nil || symbolCurrencies[text[text.skippingBlank(end)]] != nil
        guard (1...2).contains(end - comma - 1), groups.count > 1 || (isPrice && end - comma == 3) else { return nil }
        guard text[end] != "," || !text.isDigit(end + 1), text[end] != "." || !text.isDigit(end + 1) else { return nil }
        let whole = groups.map(text.string).joined(separator: ",")
        return .init(end: end, spoken: "\(whole).\(text.string(comma + 1..<end))")
    }

    /// Numbers with several dots: versions are read with "point", the four numbers of an IP address digit by digit with
    /// "dot".
    static let dottedNumbers = RewriteRule("dotted numbers", starts: StartsWith.digit) { text, start in
        guard text.isNumberStart(start) else { return nil }
        var parts: [Range<Int>] = []
        var position = start
        while parts.count < 64 {
            let end = text.endOfDigits(position)
            parts.append(position..<end)
            guard text[end] == ".", text.isDigit(end + 1) else { break }
            position = end + 1
        }
        guard parts.count > 2, let end = parts.last?.upperBound else { return nil }
        let digits = parts.map { text.digits($0) }
        // "555.123.4567" is a telephone number.
        if [[3, 3, 4], [1, 3, 3, 4]].contains(parts.map(\.count)) {
            return .init(end: end, spoken: digits.map { NumberWords.spelledOut($0) }.joined(separator: ", "))
        }
        if parts.count == 4 {
            return .init(end: end, spoken: digits.map { NumberWords.spelledOut($0) }.joined(separator: " dot "))
        }
        return .init(end: end, spoken: digits.map(spokenCardinal).joined(separator: " point "))
    }

    /// "6.02e23" is "six point zero two times ten to the twenty-third".
    static let scientificNumbers = RewriteRule("scientific numbers", starts: StartsWith.digit) { text, start in
        guard text.isNumberStart(start), text.isStart(start), let number = text.number(at: start) else { return nil }
        let sign = number.end + 1
        let isSigned = text[sign] == "-" || text[sign] == "+" || text[sign] == "−"
        let first = isSigned ? sign + 1 : sign
        let end = text.endOfDigits(first)
        guard text[number.end] == "e" || (text[number.end] == "E" && (isSigned || !number.fraction.isEmpty)),
            (1...3).contains(end - first), !text.isWord(end)
        else { return nil }
        let digits = text.digits(first..<end)
        let power = isSigned && text[sign] != "+" ? "minus " + spokenCardinal(digits) : spokenOrdinal(digits)
        return .init(end: end, spoken: number.words + " times ten to the " + power)
    }

    /// A plus or minus directly before a number, where no word stands before the sign; and "<", ">" and "~", which
    /// would not be told from other uses once the number is spoken.
    static let signs = RewriteRule("signs", starts: { "-−+±<>~".unicodeScalars.contains($0) }) { text, start in
        if "<>~".unicodeScalars.contains(text[start]) { return comparison(in: text, at: start) }
        guard text.isSpace(start - 1) || "(\"'=/×<>~".unicodeScalars.contains(text[start - 1]),
            isAmount(in: text, at: start + 1)
        else { return nil }
        let name = text[start] == "+" ? "plus " : text[start] == "±" ? "plus or minus " : "minus "
        return .init(end: start + 1, spoken: name)
    }

    /// ">90%", "<= $5", "~20 km".
    private static func comparison(in text: RuleText, at start: Int) -> RewriteRule.Match? {
        guard !"-=<>~".unicodeScalars.contains(text[start - 1]) else { return nil }
        let isOrEqual = text[start] != "~" && text[start + 1] == "="
        let end = isOrEqual ? start + 2 : start + 1
        let value = text.skippingBlank(end)
        guard
            isAmount(in: text, at: value)
                || ("-−+".unicodeScalars.contains(text[value]) && isAmount(in: text, at: value + 1))
        else { return nil }
        let name = text[start] == "~" ? "about" : text[start] == "<" ? "less than" : "greater than"
        return .init(end: end, spoken: " \(name)\(isOrEqual ? " or equal to" : "") ")
    }

    private static func isAmount(in text: RuleText, at start: Int) -> Bool {
        text.isDigit(start) || (text[start] == "." && text.isDigit(start + 1)) || symbolCurrencies[text[start]] != nil
    }

    /// A dash between two numbers is "to"; the numbers are left to later rules.
    static let ranges = RewriteRule("ranges", starts: { $0 == "-" }) { text, start in
        guard text.isDigit(start - 1), text.isDigit(start + 1) else { return nil }
        // "3-1/2" is three and a half.
        if let (top, bottom, _) = slashFraction(in: text, at: start + 1), top < bottom { return nil }
        var before = start - 1
        while start - before < 12, text.isDigit(before) || text[before] == "," || text[before] == "." { before -= 1 }
        let after = text.number(at: start + 1)?.end ?? start + 1
        // Chains such as "3-2-1" and codes such as "A1-2" are no ranges.
        guard !text.isLetter(before), text[before] != "-", text[after] != "-", start - before < 12, after - start < 12,
            let low = Double(text.string(before + 1..<start).replacing(",", with: "")),
            let high = Double(text.string(start + 1..<after).replacing(",", with: ""))
        else { return nil }
        // "747-400" is a model; "9-5" a working day.
        guard low < high || low <= 24 else { return nil }
        return .init(end: start + 1, spoken: " to ")
    }

    // MARK: - Fractions and ordinals

    private static let vulgarFractions: [Unicode.Scalar: (Int, Int)] = [
        "½": (1, 2), "⅓": (1, 3), "⅔": (2, 3), "¼": (1, 4), "¾": (3, 4), "⅕": (1, 5), "⅖": (2, 5), "⅗": (3, 5),
        "⅘": (4, 5),
        "⅙": (1, 6), "⅚": (5, 6), "⅐": (1, 7), "⅛": (1, 8), "⅜": (3, 8), "⅝": (5, 8), "⅞": (7, 8), "⅑": (1, 9),
        "⅒": (1, 10),
    ]

    /// "3/4", "2 1/2", "2½"; a unit behind is taken along.
    static let fractions = RewriteRule(
        "fractions", starts: { StartsWith.digit($0) || vulgarFractions[$0] != nil }
    ) { text, start in
        if let (top, bottom) = vulgarFractions[text[start]] {
            return fraction(nil, top, bottom, in: text, end: start + 1)
        }
        guard text.isNumberStart(start), text.isStart(start), text[start - 1] != "/" else { return nil }
        let end = text.endOfDigits(start)
        guard end - start <= 4, let value = Int(text.string(start..<end)) else { return nil }
        if let (top, bottom) = vulgarFractions[text[text.skippingBlank(end)]] {
            return fraction(value, top, bottom, in: text, end: text.skippingBlank(end) + 1)
        }
        if let (top, bottom, end) = slashFraction(in: text, at: start) {
            return fraction(nil, top, bottom, in: text, end: end)
        }
        if text[end] == " " || text[end] == "-", let (top, bottom, end) = slashFraction(in: text, at: end + 1),
            top < bottom
        {
            return fraction(value, top, bottom, in: text, end: end)
        }
        return nil
    }

    private static func slashFraction(in text: RuleText, at start: Int) -> (Int, Int, Int)? {
        let slash = text.endOfDigits(start)
        guard text[slash] == "/" else { return nil }
        let end = text.endOfDigits(slash + 1)
        guard (1...3).contains(slash - start), let top = Int(text.string(start..<slash)), end - slash <= 5,
            let bottom = Int(text.string(slash + 1..<end)),
            top > 0, bottom > 1, !(1001..<2100).contains(bottom) || bottom % 1000 == 0, text[end] != "/",
            !text.isLetter(end), !(text[end] == "." && text.isDigit(end + 1))
        else { return nil }
        return (top, bottom, end)
    }

    private static func fraction(
        _ whole: Int?, _ top: Int, _ bottom: Int, in text: RuleText, end: Int
    ) -> RewriteRule.Match {
        let denominators = [2: "half", 3: "third", 4: "quarter"]
        let isPlain = bottom <= 20 || bottom % 10 == 0 && bottom <= 100
        var words: String
        // "24/7", "50/50" and "9/11" are names; other unusual denominators are read as divisions.
        if top >= bottom && whole == nil || !isPlain || (top, bottom) == (9, 11) {
            let link = (top, bottom) == (24, 7) || (top, bottom) == (9, 11) || top == bottom ? " " : " over "
            words = spokenCardinal(top) + link + spokenCardinal(bottom)
        } else {
            let name = denominators[bottom] ?? NumberWords.ordinalForm(of: spokenCardinal(bottom))
            let plural = name == "half" ? "halves" : name + "s"
            let amount = top == 1 ? (whole == nil || bottom > 2 ? "one" : "a") : spokenCardinal(top)
            words = amount + " " + (top == 1 ? name : plural)
        }
        if let whole { words = spokenCardinal(whole) + " and " + words }
        guard let unit = unit(in: text, after: end) else { return .init(end: end, spoken: words) }
        return .init(end: unit.end, spoken: words + " " + (whole == nil ? unit.singular : unit.plural))
    }

    /// "1st", "22nd", "1,000th", "3º": any of the endings makes an ordinal.
    static let ordinals = RewriteRule("ordinals", starts: StartsWith.digit) { text, start in
        guard text.isNumberStart(start), let number = text.number(at: start), number.fraction.isEmpty else {
            return nil
        }
        let ending = text.lowercasedWord(at: number.end)
        guard ["st", "nd", "rd", "th", "º", "ª"].contains(ending) else { return nil }
        return .init(end: text.endOfLetters(number.end), spoken: spokenOrdinal(number.whole))
    }

    // MARK: - What is left

    /// Every number that no other rule has read.
    static let numbers = RewriteRule("numbers", starts: { StartsWith.digit($0) || $0 == "." }) { text, start in
        if text[start] == "." {
            // Behind a word a blank is missing, not a zero.
            guard text.isDigit(start + 1), !text.isWord(start - 1), text[start - 1] != "." else { return nil }
        }
        return text.number(at: start).map { .init(end: $0.end, spoken: $0.words) }
    }
}
