/// The number steps of the original; each is one of its regular expressions as a scanner, with the same
/// leftmost-longest matches.
extension EnglishCleaners {
    /// `[0-9][0-9,]+[0-9]`: the commas go.
    static func removeCommasInNumbers(_ text: [UInt8]) -> [UInt8] {
        replacing(in: text, where: ASCII.isDigit) { text, start in
            let end = endOfNumber(in: text, from: start) { $0 == UInt8(ascii: ",") }
            // Two digits side by side, or one digit, have no room for a comma.
            guard end - start > 2 else { return nil }
            return (end, text[start..<end].filter { $0 != UInt8(ascii: ",") })
        }
    }

    /// `\$([0-9.,]*[0-9]+)`: an amount in digits with its units; the digits are read later.
    static func expandDollars(_ text: [UInt8]) -> [UInt8] {
        replacing(in: text, where: { $0 == UInt8(ascii: "$") }) { text, start in
            let end = endOfNumber(in: text, from: start + 1) { $0 == UInt8(ascii: ",") || $0 == UInt8(ascii: ".") }
            guard end > start + 1 else { return nil }
            return (end, dollars(text[(start + 1)..<end]))
        }
    }

    /// `[0-9]+\.[0-9]+`: the point is spoken.
    static func expandDecimalPoints(_ text: [UInt8]) -> [UInt8] {
        replacing(in: text, where: ASCII.isDigit) { text, start in
            let point = endOfDigits(in: text, from: start)
            guard point + 1 < text.count, text[point] == UInt8(ascii: "."), ASCII.isDigit(text[point + 1]) else {
                return (point, Array(text[start..<point]))
            }
            let end = endOfDigits(in: text, from: point + 1)
            return (end, text[start..<point] + Array(" point ".utf8) + text[(point + 1)..<end])
        }
    }

    /// `[0-9]+(st|nd|rd|th)`: any of the four endings makes any number an ordinal.
    static func expandOrdinals(_ text: [UInt8]) -> [UInt8] {
        replacing(in: text, where: ASCII.isDigit) { text, start in
            let end = endOfDigits(in: text, from: start)
            let digits = text[start..<end]
            let suffix = String(decoding: text[end...].prefix(2), as: UTF8.self)
            guard ["st", "nd", "rd", "th"].contains(suffix) else { return (end, Array(digits)) }
            return (end + 2, Array(NumberWords.ordinal(digits).utf8))
        }
    }

    /// `[0-9]+`: what is left is read as a cardinal, or as a year between 1001 and 2999.
    static func expandCardinals(_ text: [UInt8]) -> [UInt8] {
        replacing(in: text, where: ASCII.isDigit) { text, start in
            let end = endOfDigits(in: text, from: start)
            return (end, Array(cardinal(text[start..<end]).utf8))
        }
    }

    static func cardinal(_ digits: ArraySlice<UInt8>) -> String {
        let significant = digits.drop { $0 == UInt8(ascii: "0") }
        guard significant.count == 4, let number = Int(String(decoding: significant, as: UTF8.self)),
            (1001..<3000).contains(number)
        else { return NumberWords.cardinal(digits) }
        let (century, rest) = number.quotientAndRemainder(dividingBy: 100)
        switch number {
        case 2000: return "two thousand"
        case 2001..<2010: return "two thousand " + NumberWords.units[rest]
        default: break
        }
        let head = NumberWords.belowHundred(century)
        if rest == 0 { return head + " hundred" }
        return head + " " + (rest < 10 ? "oh " : "") + NumberWords.belowHundred(rest)
    }

    /// Cents are read as written ("$2.5" is "2 dollars, 5 cents"), as the original does.
    private static func dollars(_ amount: ArraySlice<UInt8>) -> [UInt8] {
        let parts = amount.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count <= 2 else { return amount + Array(" dollars".utf8) }
        // A comma can only be left in front of the digits, where the original raises.
        let values = parts.map { part in part.filter { $0 != UInt8(ascii: ",") }.drop { $0 == UInt8(ascii: "0") } }
        func spoken(_ value: ArraySlice<UInt8>, _ unit: String) -> [UInt8] {
            value + Array((value.elementsEqual("1".utf8) ? " \(unit)" : " \(unit)s").utf8)
        }
        let whole = values[0]
        let cents = values.count > 1 ? values[1] : []
        switch (whole.isEmpty, cents.isEmpty) {
        case (false, false): return spoken(whole, "dollar") + Array(", ".utf8) + spoken(cents, "cent")
        case (false, true): return spoken(whole, "dollar")
        case (true, false): return spoken(cents, "cent")
        case (true, true): return Array("zero dollars".utf8)
        }
    }

    // MARK: - Scanning

    /// Copies text, offering every position whose byte satisfies `starts` to `match`, which gives the end of the match
    /// and what stands in its place.
    private static func replacing(
        in text: [UInt8], where starts: (UInt8) -> Bool,
        _ match: ([UInt8], Int) -> (end: Int, replacement: [UInt8])?
    ) -> [UInt8] {
        guard text.contains(where: starts) else { return text }
        var out: [UInt8] = []
        out.reserveCapacity(text.count + text.count / 4)
        var position = 0
        while position < text.count {
            if starts(text[position]), let (end, replacement) = match(text, position) {
                out.append(contentsOf: replacement)
                position = end
            } else {
                out.append(text[position])
                position += 1
            }
        }
        return out
    }

    private static func endOfDigits(in text: [UInt8], from start: Int) -> Int {
        text[start...].firstIndex { !ASCII.isDigit($0) } ?? text.count
    }

    /// The end of the longest run of digits and separators that ends in a digit; `start` when there is none.
    private static func endOfNumber(in text: [UInt8], from start: Int, separator: (UInt8) -> Bool) -> Int {
        let run = text[start...].prefix { ASCII.isDigit($0) || separator($0) }
        return run.lastIndex(where: ASCII.isDigit).map { $0 + 1 } ?? start
    }
}
