/// English number words for decimal digit strings of any length.
///
/// The wording is that of Python's `inflect.engine().number_to_words`, which the original's cleaners call. Beyond
/// `inflect`'s last name (decillion, 36 digits), where it raises, the digits are read one by one.
enum NumberWords {
    static let units = [
        "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
        "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
    ]
    static let tens = ["", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
    static let thousands = [
        "", " thousand", " million", " billion", " trillion", " quadrillion", " quintillion", " sextillion",
        " septillion", " octillion", " nonillion", " decillion",
    ]
    private static let irregularOrdinals = [
        ("ty", "tieth"), ("one", "first"), ("two", "second"), ("three", "third"), ("five", "fifth"),
        ("eight", "eighth"), ("nine", "ninth"), ("twelve", "twelfth"),
    ]

    /// "12345" gives "twelve thousand, three hundred forty-five"; leading zeros do not count.
    ///
    /// - Parameters:
    ///   - digits: ASCII digits, at least one.
    ///   - usesAnd: Whether "and" stands before the tens of a hundred, as in "one hundred and one".
    static func cardinal(_ digits: some BidirectionalCollection<UInt8>, usesAnd: Bool = false) -> String {
        let significant = Array(digits.drop { $0 == UInt8(ascii: "0") })
        guard !significant.isEmpty else { return units[0] }
        guard significant.count <= 3 * thousands.count else { return spelledOut(significant) }

        var groups: [String] = []
        var lastGroup = 0
        var end = significant.count
        for scale in thousands {
            let start = max(0, end - 3)
            let value = significant[start..<end].reduce(0) { $0 * 10 + Int($1 &- UInt8(ascii: "0")) }
            if scale.isEmpty { lastGroup = value }
            if value > 0 { groups.append(belowThousand(value, usesAnd: usesAnd) + scale) }
            end = start
            if end == 0 { break }
        }
        // A last group below one hundred is joined without a comma: "one thousand (and) five".
        if groups.count > 1, (1..<100).contains(lastGroup) {
            let last = groups.removeFirst()
            groups[0] += (usesAnd ? " and " : " ") + last
        }
        return groups.reversed().joined(separator: ", ")
    }

    /// "21" gives "twenty-first"; "and" is used as in `inflect`'s ordinals.
    static func ordinal(_ digits: some BidirectionalCollection<UInt8>) -> String {
        ordinalForm(of: cardinal(digits, usesAnd: true))
    }

    /// The ordinal of number words: their last word inflected.
    static func ordinalForm(of words: String) -> String {
        for (ending, replacement) in irregularOrdinals where words.hasSuffix(ending) {
            return words.dropLast(ending.count) + replacement
        }
        return words + "th"
    }

    /// 0 to 99 in words.
    static func belowHundred(_ value: Int) -> String {
        if value < units.count { return units[value] }
        return tens[value / 10] + (value % 10 == 0 ? "" : "-" + units[value % 10])
    }

    /// The digits one by one: "one two three".
    static func spelledOut(_ digits: some Sequence<UInt8>, zero: String = "zero") -> String {
        digits.map { $0 == UInt8(ascii: "0") ? zero : units[Int($0 &- UInt8(ascii: "0"))] }.joined(separator: " ")
    }

    private static func belowThousand(_ value: Int, usesAnd: Bool) -> String {
        let (hundreds, rest) = value.quotientAndRemainder(dividingBy: 100)
        if hundreds == 0 { return belowHundred(rest) }
        let head = units[hundreds] + " hundred"
        return rest == 0 ? head : head + (usesAnd ? " and " : " ") + belowHundred(rest)
    }
}
