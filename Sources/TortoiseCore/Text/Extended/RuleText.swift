/// Text as the rules of `ExtendedNormalizer` read it: scalars by position, with line feeds before and behind.
struct RuleText {
    let scalars: [Unicode.Scalar]

    var count: Int { scalars.count }

    /// Any position may be asked for; outside the text lies white space, so that rules need no bounds checks.
    subscript(position: Int) -> Unicode.Scalar {
        scalars.indices.contains(position) ? scalars[position] : "\n"
    }

    // MARK: - Classes

    func isDigit(_ position: Int) -> Bool { self[position].value &- 0x30 < 10 }

    func isUpper(_ position: Int) -> Bool { self[position].value &- 0x41 < 26 }

    func isLetter(_ position: Int) -> Bool {
        let scalar = self[position]
        return scalar.isASCII ? (scalar.value | 0x20) &- 0x61 < 26 : scalar.properties.isAlphabetic
    }

    func isWord(_ position: Int) -> Bool { isDigit(position) || isLetter(position) }

    func isSpace(_ position: Int) -> Bool { self[position].properties.isWhitespace }

    /// Whether a word or number could begin here.
    func isStart(_ position: Int) -> Bool { !isWord(position - 1) }

    /// Whether the digit here is the first of its number: neither a digit nor "1." or "1," stands before it.
    func isNumberStart(_ position: Int) -> Bool {
        guard isDigit(position), !isDigit(position - 1) else { return false }
        let before = self[position - 1]
        return !((before == "." || before == ",") && isDigit(position - 2))
    }

    // MARK: - Spans

    func endOfDigits(_ start: Int) -> Int {
        var end = start
        while isDigit(end) { end += 1 }
        return end
    }

    func endOfLetters(_ start: Int) -> Int {
        var end = start
        while isLetter(end) { end += 1 }
        return end
    }

    /// Behind one blank, if there is one.
    func skippingBlank(_ position: Int) -> Int { self[position] == " " ? position + 1 : position }

    func string(_ range: Range<Int>) -> String {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars[range.clamped(to: 0..<count)])
        return String(view)
    }

    /// The values of ASCII digits as bytes.
    func digits(_ range: Range<Int>) -> [UInt8] {
        scalars[range.clamped(to: 0..<count)].map { UInt8(truncatingIfNeeded: $0.value) }
    }

    /// The letters from a position on, in lower case; empty for none, and for words too long to be looked up.
    func lowercasedWord(at position: Int) -> String {
        let end = endOfLetters(position)
        return end - position <= 24 ? string(position..<end).lowercased() : ""
    }

    /// The word that ends one blank before a position (or directly before it); empty when there is none.
    func wordBefore(_ position: Int) -> Substring {
        let end = self[position - 1] == " " ? position - 1 : position
        var start = end
        while isLetter(start - 1), end - start < 24 { start -= 1 }
        return Substring(string(start..<end))
    }

    func matches(_ wanted: String, at position: Int) -> Bool {
        var place = position
        for scalar in wanted.unicodeScalars {
            guard self[place] == scalar else { return false }
            place += 1
        }
        return true
    }

    /// One or two ASCII digits as a value; nil for anything longer or shorter.
    func smallNumber(_ range: Range<Int>) -> Int? {
        guard (1...2).contains(range.count) else { return nil }
        return Int(string(range))
    }

    // MARK: - Numbers

    /// The number at a position: digits, thousands in groups of three with commas, and a decimal fraction.
    func number(at start: Int) -> WrittenNumber? {
        var end = endOfDigits(start)
        var whole = scalars[start..<max(start, end)].map { UInt8(truncatingIfNeeded: $0.value) }
        if (1...3).contains(end - start) {
            while self[end] == ",", endOfDigits(end + 1) == end + 4 {
                whole += scalars[end + 1..<end + 4].map { UInt8(truncatingIfNeeded: $0.value) }
                end += 4
            }
        }
        var fraction: [UInt8] = []
        if self[end] == ".", isDigit(end + 1) {
            let fractionEnd = endOfDigits(end + 1)
            fraction = scalars[end + 1..<fractionEnd].map { UInt8(truncatingIfNeeded: $0.value) }
            end = fractionEnd
        }
        guard !whole.isEmpty || !fraction.isEmpty else { return nil }
        return WrittenNumber(whole: whole, fraction: fraction, end: end)
    }
}

/// A number in digits.
struct WrittenNumber {
    /// ASCII digits without commas; empty in ".5".
    let whole: [UInt8]
    /// The digits behind the point; empty when there is none.
    let fraction: [UInt8]
    /// The position behind the number.
    let end: Int

    /// The whole part's value where that is small; nil above 9,999.
    var smallWhole: Int? { whole.count <= 4 ? Int(String(decoding: whole, as: UTF8.self)) ?? 0 : nil }

    var isOne: Bool { smallWhole == 1 && fraction.isEmpty }

    /// "three point one four"; numbers that begin with a zero ("007"), as codes do, digit by digit.
    var words: String {
        if fraction.isEmpty { return wholeWords }
        return wholeWords + " point " + NumberWords.spelledOut(fraction)
    }

    private var wholeWords: String {
        if whole.count > 1, whole[0] == UInt8(ascii: "0") { return NumberWords.spelledOut(whole) }
        return spokenCardinal(whole)
    }
}

/// A cardinal without the commas that the original puts between thousands, which would be read as pauses.
func spokenCardinal(_ digits: [UInt8]) -> String {
    NumberWords.cardinal(digits).replacing(",", with: "")
}

func spokenCardinal(_ value: Int) -> String { spokenCardinal(Array(String(value).utf8)) }

func spokenOrdinal(_ digits: [UInt8]) -> String {
    NumberWords.ordinalForm(of: spokenCardinal(digits))
}

func spokenOrdinal(_ value: Int) -> String { spokenOrdinal(Array(String(value).utf8)) }

/// "nineteen ninety-nine", "two thousand five", "nineteen hundred"; other numbers as cardinals.
func spokenYear(_ year: Int) -> String {
    let (century, rest) = year.quotientAndRemainder(dividingBy: 100)
    guard (1001..<2100).contains(year), !(2000..<2010).contains(year) else { return spokenCardinal(year) }
    if rest == 0 { return NumberWords.belowHundred(century) + " hundred" }
    return NumberWords.belowHundred(century) + (rest < 10 ? " oh " : " ") + NumberWords.belowHundred(rest)
}
