extension ExtendedNormalizer {
    /// Spoken names of a unit.
    private struct Unit: Sendable {
        let one: String
        let many: String
        /// Letters that are also words or initials ("in", "a") count as a unit only without a blank.
        let needsContact: Bool

        init(_ one: String, _ many: String? = nil, needsContact: Bool = false) {
            self.one = one
            self.many = many ?? one + "s"
            self.needsContact = needsContact
        }
    }

    private static let unitTable: [String: Unit] = [
        "%": Unit("percent", "percent"), "‰": Unit("per mille", "per mille"), "°": Unit("degree"),
        "°C": Unit("degree celsius", "degrees celsius"), "°F": Unit("degree fahrenheit", "degrees fahrenheit"),
        "k": Unit("thousand", "thousand", needsContact: true),
        "M": Unit("million", "million", needsContact: true), "bn": Unit("billion", "billion"),
        "mm": Unit("millimeter"), "cm": Unit("centimeter"), "m": Unit("meter"), "km": Unit("kilometer"),
        "µm": Unit("micrometer"), "μm": Unit("micrometer"), "nm": Unit("nanometer"),
        "in": Unit("inch", "inches", needsContact: true),
        "ft": Unit("foot", "feet"), "yd": Unit("yard"), "mi": Unit("mile"), "m²": Unit("square meter"),
        "km²": Unit("square kilometer"), "cm²": Unit("square centimeter"), "m³": Unit("cubic meter"),
        "m2": Unit("square meter"),
        "km2": Unit("square kilometer"), "m3": Unit("cubic meter"), "ha": Unit("hectare"),
        "mg": Unit("milligram"), "g": Unit("gram"), "kg": Unit("kilogram"), "µg": Unit("microgram"),
        "μg": Unit("microgram"),
        "lb": Unit("pound"), "lbs": Unit("pound"), "oz": Unit("ounce"),
        "ml": Unit("milliliter"), "mL": Unit("milliliter"), "cl": Unit("centiliter"), "l": Unit("liter"),
        "L": Unit("liter"),
        "ns": Unit("nanosecond"), "µs": Unit("microsecond"), "μs": Unit("microsecond"), "ms": Unit("millisecond"),
        "s": Unit("second"), "sec": Unit("second"), "min": Unit("minute"), "h": Unit("hour"),
        "hr": Unit("hour"),
        "hrs": Unit("hour"), "mph": Unit("mile per hour", "miles per hour"),
        "kph": Unit("kilometer per hour", "kilometers per hour"),
        "km/h": Unit("kilometer per hour", "kilometers per hour"), "m/s": Unit("meter per second", "meters per second"),
        "m/s²": Unit("meter per second squared", "meters per second squared"),
        "rpm": Unit("revolution per minute", "revolutions per minute"),
        "fps": Unit("frame per second", "frames per second"),
        "Hz": Unit("hertz", "hertz"), "kHz": Unit("kilohertz", "kilohertz"), "MHz": Unit("megahertz", "megahertz"),
        "GHz": Unit("gigahertz", "gigahertz"), "dB": Unit("decibel"), "bit": Unit("bit"), "kB": Unit("kilobyte"),
        "KB": Unit("kilobyte"), "MB": Unit("megabyte"), "GB": Unit("gigabyte"), "TB": Unit("terabyte"),
        "PB": Unit("petabyte"),
        "kbps": Unit("kilobit per second", "kilobits per second"),
        "Mbps": Unit("megabit per second", "megabits per second"),
        "Gbps": Unit("gigabit per second", "gigabits per second"), "V": Unit("volt"), "mV": Unit("millivolt"),
        "kV": Unit("kilovolt"),
        "A": Unit("amp", needsContact: true), "mA": Unit("milliamp"), "mAh": Unit("milliamp hour"), "W": Unit("watt"),
        "kW": Unit("kilowatt"), "MW": Unit("megawatt"), "GW": Unit("gigawatt"), "kWh": Unit("kilowatt hour"),
        "J": Unit("joule"),
        "kJ": Unit("kilojoule"), "kcal": Unit("kilocalorie"), "cal": Unit("calorie"), "Pa": Unit("pascal"),
        "kPa": Unit("kilopascal"),
        "hPa": Unit("hectopascal"), "psi": Unit("p s i", "p s i"), "px": Unit("pixel"), "dpi": Unit("d p i", "d p i"),
        "x": Unit("times", "times", needsContact: true), "ohm": Unit("ohm"), "kΩ": Unit("kilo ohm"),
    ]
    private static let longestUnit = 4

    /// Units that are written with a dot, which is no full stop in "6 ft. tall".
    private static let dottedUnits: Set<String> = [
        "in", "ft", "yd", "mi", "lb", "lbs", "oz", "sec", "min", "hr", "hrs", "cal",
    ]
    /// "2.5K", "4.7B"; without a decimal these letters are names ("4K", "7B").
    private static let decimalMagnitudes: [Unicode.Scalar: String] = ["K": "thousand", "B": "billion"]

    /// A number with its unit: "5kg", "20 °C", "60 km/h"; "5'10"" is feet and inches.
    static let units = RewriteRule("units", starts: { StartsWith.digit($0) || $0 == "." }) { text, start in
        guard text.isNumberStart(start) || (text[start] == "." && text.isDigit(start + 1) && !text.isDigit(start - 1)),
            text.isStart(start), let number = text.number(at: start)
        else { return nil }
        if text[number.end] == "'", number.fraction.isEmpty,
            let inches = text.number(at: text.skippingBlank(number.end + 1)),
            text[inches.end] == "\""
        {
            let isAdjective = isAdjective(text, from: start, to: inches.end + 1)
            let feet = number.words + (number.isOne || isAdjective ? " foot " : " feet ")
            let unit = inches.isOne || isAdjective ? " inch" : " inches"
            return .init(end: inches.end + 1, spoken: feet + inches.words + unit)
        }
        if text[number.end] == "\"", !isQuoted(text, start) {
            // "12" pizza" is "twelve inch pizza", "12" long" "twelve inches long".
            let next = text[number.end + 1] == " " ? text.lowercasedWord(at: number.end + 2) : ""
            let isOne = number.isOne || !(next.isEmpty || linkWords.contains(next) || dimensions.contains(next))
            return .init(end: number.end + 1, spoken: number.words + (isOne ? " inch" : " inches"))
        }
        if !number.fraction.isEmpty, let magnitude = decimalMagnitudes[text[number.end]], !text.isWord(number.end + 1) {
            return .init(end: number.end + 1, spoken: number.words + " " + magnitude)
        }
        guard let unit = unit(in: text, after: number.end) else { return nil }
        let isOne = number.isOne || isAdjective(text, from: start, to: unit.end)
        return .init(end: unit.end, spoken: number.words + " " + (isOne ? unit.singular : unit.plural))
    }

    /// Whether a quotation is open at a position, as far as its line and the last 200 characters tell.
    private static func isQuoted(_ text: RuleText, _ position: Int) -> Bool {
        var isOpen = false
        for place in max(0, position - 200)..<position {
            if text[place] == "\n" { isOpen = false }
            // Behind a digit the mark may be inches itself.
            if text[place] == "\"", isOpen || !text.isDigit(place - 1) { isOpen.toggle() }
        }
        return isOpen
    }

    private static let dimensions: Set<String> = [
        "x", "long", "wide", "high", "tall", "deep", "thick", "across", "around", "below", "above",
    ]

    /// Words behind an amount that are no noun: "a $20 or so", "a 5 km from here".
    private static let linkWords: Set<String> = [
        "or", "and", "to", "per", "for", "of", "in", "is", "was", "are", "were", "a", "an", "each", "at", "on", "from",
        "by", "as", "than", "more", "less", "but", "if", "when", "that", "which", "with", "every", "apart", "away",
        "ago", "later", "he", "she", "it", "we", "they", "you", "i", "the", "has", "had", "have", "will", "would",
    ]

    /// Whether an amount stands between "a" and a noun, where its unit has no plural: "a $20 bill", "a 5 km run".
    static func isAdjective(_ text: RuleText, from start: Int, to end: Int) -> Bool {
        guard text[start - 1] == " ", text[end] == " ", text.isLetter(end + 1),
            ["a", "an", "another"].contains(text.wordBefore(start).lowercased())
        else { return false }
        return !linkWords.contains(text.lowercasedWord(at: end + 1))
    }

    /// What is said for a unit behind "per".
    static func unitName(_ symbol: String) -> String? { unitTable[symbol]?.one }

    /// The longest unit that stands behind a number, with or without a blank or a hyphen, and is a word of its own.
    static func unit(in text: RuleText, after position: Int) -> (singular: String, plural: String, end: Int)? {
        let isJoined = text[position] == "-"
        let start = isJoined ? position + 1 : text.skippingBlank(position)
        for length in (1...longestUnit).reversed() {
            let end = start + length
            guard end <= text.count, let unit = unitTable[text.string(start..<end)],
                !(unit.needsContact && start > position) || text.matches("in.", at: start),
                !text.isWord(end) || !text.isWord(end - 1), text[end] != "²", text[end] != "³"
            else { continue }
            // "5 m." and "5 l'eau" are fine and not; a slash or hyphen makes it another word, as in "3 m/x" or "5
            // g-force".
            guard text[end] != "'" || !text.isLetter(end + 1), text[end] != "/" || !text.isLetter(end + 1) else {
                continue
            }
            // "10-km" is "ten kilometer".
            return (unit.one, isJoined ? unit.one : unit.many, endOfUnit(text, start..<end))
        }
        return nil
    }

    /// Behind the dot of "10 lbs., 6" and "6 ft. tall", unless it ends a sentence.
    private static func endOfUnit(_ text: RuleText, _ unit: Range<Int>) -> Int {
        let end = unit.upperBound
        guard text[end] == ".", dottedUnits.contains(text.string(unit)) else { return end }
        let isInside = ",;:-)".unicodeScalars.contains(text[end + 1])
        return isInside || !SentenceBoundary.isLikely(text, before: end + 1) ? end + 1 : end
    }
}
