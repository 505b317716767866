extension ExtendedNormalizer {
    // MARK: - Times of day

    /// "3:05" is "three oh five", "15:00" "fifteen hundred", "3 p.m." "three p m", "3:00" "three o'clock"; a dash
    /// before another time is "to" ("9am-5pm", "2-4pm").
    static let times = RewriteRule("times", starts: StartsWith.digit) { text, start in
        guard text.isNumberStart(start), text.isStart(start), text[start - 1] != ":" else { return nil }
        if let lap = lapTime(in: text, at: start) { return lap }
        guard let clock = Clock(in: text, at: start) else { return nil }
        let second = text[clock.end] == "-" ? clock.end + 1 : text.matches(" - ", at: clock.end) ? clock.end + 3 : nil
        let until = second.flatMap { text.isDigit($0) ? Clock(in: text, at: $0) : nil }
        if let second, let until, until.isTime, clock.isTime || (until.half != nil && (1...12).contains(clock.hour)) {
            return .init(end: second, spoken: clock.words + " to ")
        }
        return clock.isTime ? .init(end: clock.end, spoken: clock.words) : nil
    }

    /// "3:59.4", "1:05.27", "1:02:05.3": minutes, seconds and a fraction, perhaps behind hours.
    private static func lapTime(in text: RuleText, at start: Int) -> RewriteRule.Match? {
        var end = text.endOfDigits(start)
        guard let first = text.smallNumber(start..<end) else { return nil }
        var words = [NumberWords.belowHundred(first)]
        while text[end] == ":", words.count < 3 {
            guard text.endOfDigits(end + 1) == end + 3, let value = text.smallNumber(end + 1..<end + 3), value < 60
            else { return nil }
            words.append((value < 10 ? "oh " : "") + NumberWords.belowHundred(value))
            end += 3
        }
        let fractionEnd = text.endOfDigits(end + 1)
        guard words.count > 1, text[end] == ".", (1...3).contains(fractionEnd - end - 1), !text.isWord(fractionEnd)
        else { return nil }
        words.append("point " + NumberWords.spelledOut(text.digits(end + 1..<fractionEnd)))
        return .init(end: fractionEnd, spoken: words.joined(separator: " "))
    }

    /// A time of day as it is written: an hour, and minutes, seconds and a half of the day where they follow.
    private struct Clock {
        let hour: Int
        var minute: Int?
        var second: Int?
        let half: String?
        let end: Int

        /// A number alone is none.
        var isTime: Bool { minute != nil || half != nil }

        init?(in text: RuleText, at start: Int) {
            var end = text.endOfDigits(start)
            guard let hour = text.smallNumber(start..<end), hour <= 24 else { return nil }
            if text[end] == ":" {
                guard text.endOfDigits(end + 1) == end + 3, let value = text.smallNumber(end + 1..<end + 3), value < 60
                else { return nil }
                minute = value
                end += 3
                if text[end] == ":", text.endOfDigits(end + 1) == end + 3,
                    let value = text.smallNumber(end + 1..<end + 3), value < 60
                {
                    second = value
                    end += 3
                }
            }
            let half = ExtendedNormalizer.dayHalf(in: text, at: end)
            let isClosed = !text.isWord(end) && text[end] != ":" && !(text[end] == "." && text.isDigit(end + 1))
            guard half == nil ? isClosed : (1...12).contains(hour) else { return nil }
            (self.hour, self.half, self.end) = (hour, half?.spoken, half?.end ?? end)
        }

        var words: String {
            var parts = [hour == 0 ? "zero" : NumberWords.belowHundred(hour)]
            switch minute ?? 0 {
            case 0 where second != nil: parts.append("zero zero")
            case 0 where half != nil || minute == nil: break
            case 0: parts.append(hour == 0 || hour > 12 ? "hundred" : "o'clock")
            case 1..<10: parts.append("oh " + NumberWords.units[minute ?? 0])
            default: parts.append(NumberWords.belowHundred(minute ?? 0))
            }
            if let second { parts.append("and \(NumberWords.belowHundred(second)) second\(second == 1 ? "" : "s")") }
            if let half { parts.append(half) }
            return parts.joined(separator: " ")
        }
    }

    /// "am", "PM", "a.m." and the like, with or without a blank before; the last dot is kept where it ends a sentence.
    private static func dayHalf(in text: RuleText, at position: Int) -> (end: Int, spoken: String)? {
        let start = text.skippingBlank(position)
        let first = text[start].properties.lowercaseMapping
        guard first == "a" || first == "p" else { return nil }
        let isDotted = text[start + 1] == "."
        let second = isDotted ? start + 2 : start + 1
        guard text[second] == "m" || text[second] == "M", !text.isWord(second + 1) else { return nil }
        var end = second + 1
        if isDotted, text[end] == ".", !SentenceBoundary.isLikely(text, before: end + 1, needsOpener: true) { end += 1 }
        return (end, first + " m")
    }

    // MARK: - Dates

    private static let months = [
        "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
        "december",
    ]
    private static let shortMonths: [String: Int] = [
        "jan": 1, "feb": 2, "mar": 3, "apr": 4, "jun": 6, "jul": 7, "aug": 8, "sep": 9, "sept": 9, "oct": 10, "nov": 11,
        "dec": 12,
    ]

    /// "2024-03-01", "03/01/2024" (month first unless it cannot be), "1.3.2024" (day first), "March 1, 2024", "1 March
    /// 2024".
    static let dates = RewriteRule("dates", starts: StartsWith.wordCharacter) { text, start in
        guard text.isStart(start) else { return nil }
        if text.isDigit(start) {
            guard text.isNumberStart(start), text[start - 1] != "/", text[start - 1] != "-" else { return nil }
            return numericDate(in: text, at: start) ?? dayFirstDate(in: text, at: start)
        }
        return monthFirstDate(in: text, at: start)
    }

    private static func numericDate(in text: RuleText, at start: Int) -> RewriteRule.Match? {
        let firstEnd = text.endOfDigits(start)
        let separator = text[firstEnd]
        guard separator == "-" || separator == "/" || separator == "." else { return nil }
        let secondEnd = text.endOfDigits(firstEnd + 1)
        guard text[secondEnd] == separator else { return nil }
        let end = text.endOfDigits(secondEnd + 1)
        guard !text.isWord(end), text[end] != separator || !text.isWord(end + 1),
            let second = text.smallNumber(firstEnd + 1..<secondEnd)
        else { return nil }
        if firstEnd - start == 4, separator != ".", let year = Int(text.string(start..<firstEnd)),
            let day = text.smallNumber(secondEnd + 1..<end)
        {
            return spokenDate(year: year, month: second, day: day, end: end)
        }
        let yearRange = secondEnd + 1..<end
        guard let first = text.smallNumber(start..<firstEnd),
            yearRange.count == 4 || (yearRange.count == 2 && separator == "/"),
            var year = Int(text.string(yearRange))
        else { return nil }
        // Two digits mean the years that are near: 1950 to 2049.
        if yearRange.count == 2 { year += year < 50 ? 2000 : 1900 }
        let dayComesFirst = separator == "." || first > 12
        return spokenDate(
            year: year, month: dayComesFirst ? second : first, day: dayComesFirst ? first : second, end: end)
    }

    private static func spokenDate(year: Int, month: Int, day: Int, end: Int) -> RewriteRule.Match? {
        guard (1...12).contains(month), (1...31).contains(day) else { return nil }
        return .init(end: end, spoken: "\(months[month - 1]) \(spokenOrdinal(day)), \(spokenYear(year))")
    }

    /// "1 March 2024", "1st of March".
    private static func dayFirstDate(in text: RuleText, at start: Int) -> RewriteRule.Match? {
        let dayEnd = text.endOfDigits(start)
        guard let day = text.smallNumber(start..<dayEnd), (1...31).contains(day) else { return nil }
        var next = dayEnd
        let hasEnding = ["st", "nd", "rd", "th"].contains(text.lowercasedWord(at: next))
        if hasEnding { next += 2 }
        guard text[next] == " " else { return nil }
        next += 1
        if hasEnding, text.matches("of ", at: next) { next += 3 }
        guard text.isUpper(next), let month = month(in: text, at: next) else { return nil }
        let year = trailingYear(in: text, at: month.end)
        let article = text.wordBefore(start).lowercased() == "the" ? "" : "the "
        let head = "\(article)\(spokenOrdinal(day)) of \(months[month.number - 1])"
        guard let year else {
            // The dot of "5 Nov." may end a sentence, too.
            let dot = month.end - 1
            let ends = text[dot] == "." && SentenceBoundary.isLikely(text, before: month.end)
            return .init(end: ends ? dot : month.end, spoken: head)
        }
        return .init(end: year.end, spoken: head + " " + spokenYear(year.value))
    }

    /// "March 1", "Mar. 1st, 2024", "March 2024".
    private static func monthFirstDate(in text: RuleText, at start: Int) -> RewriteRule.Match? {
        guard text.isUpper(start), let month = month(in: text, at: start), text[month.end] == " " else { return nil }
        let name = months[month.number - 1]
        let dayStart = month.end + 1
        let dayEnd = text.endOfDigits(dayStart)
        if let day = text.smallNumber(dayStart..<dayEnd), (1...31).contains(day) {
            var end = dayEnd
            if ["st", "nd", "rd", "th"].contains(text.lowercasedWord(at: end)) { end += 2 }
            guard !text.isWord(end), text[end] != ":",
                !("-./".unicodeScalars.contains(text[end]) && text.isDigit(end + 1))
            else { return nil }
            let head = "\(name) \(spokenOrdinal(day))"
            guard let year = trailingYear(in: text, at: end) else { return .init(end: end, spoken: head) }
            return .init(end: year.end, spoken: head + ", " + spokenYear(year.value))
        }
        guard let year = trailingYear(in: text, at: month.end) else { return nil }
        return .init(end: year.end, spoken: name + " " + spokenYear(year.value))
    }

    private static func month(in text: RuleText, at start: Int) -> (number: Int, end: Int)? {
        let word = text.lowercasedWord(at: start)
        let end = text.endOfLetters(start)
        if let index = months.firstIndex(of: word) { return (index + 1, end) }
        guard let number = shortMonths[word] else { return nil }
        return (number, text[end] == "." ? end + 1 : end)
    }

    /// ", 2024" or " 2024" after a date.
    private static func trailingYear(in text: RuleText, at position: Int) -> (value: Int, end: Int)? {
        let start = text.skippingBlank(text[position] == "," ? position + 1 : position)
        let end = text.endOfDigits(start)
        guard start > position, end - start == 4, !text.isWord(end), let year = Int(text.string(start..<end)),
            year >= 1000,
            !(text[end] == ":" || (",.".unicodeScalars.contains(text[end]) && text.isDigit(end + 1)))
        else { return nil }
        return (year, end)
    }
}
