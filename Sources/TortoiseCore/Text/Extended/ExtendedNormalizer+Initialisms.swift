extension ExtendedNormalizer {
    /// Acronyms that are said as words.
    private static let spokenAcronyms: Set<String> = [
        "NASA", "NATO", "UNESCO", "UNICEF", "OPEC", "AIDS", "LASER", "RADAR", "SONAR", "SCUBA", "NAFTA", "ASAP", "RAM",
        "ROM",
        "PIN", "SIM", "GIF", "LAN", "SWAT", "FIFA", "UEFA", "COVID", "POTUS", "SCOTUS", "BIOS", "CAPTCHA", "JSON",
        "LEGO", "IKEA",
        "MIDI", "WASP", "YOLO", "ZIP", "WAV", "SAT", "CAD", "NATO", "ISIS", "BAFTA", "OSHA", "FEMA", "INTERPOL", "CUDA",
        "LORA", "ASCII", "AWOL", "FEDEX", "FOMO", "HIPAA", "MOMA", "NASDAQ", "PETA", "TASER", "TED",
        "UNIX",
    ]
    /// Initials with vowels that are spelled out among other words in capitals, too.
    private static let knownInitialisms: Set<String> = Set(
        """
        ABC ACLU ADHD AI AKA AMD AOL AP API ATM BCE CEO CFO CIA CIO COO COPD CPU CSI DEA DIY DNA DOA DOJ DUI EEG EKG EMT
        EPA ER ESP ESPN EST EDT ETA EU EV FAA FAQ FBI FDA GOP GPA GPU GUI HBO HIV HTML IBM ICBM ICU ID IDE IEEE IMF IO
        IOU IP IPA IPO IQ IRA IRS ISO ISP IV IVF LA LAPD MBA MRI MVP NAACP NBA NFL NSA NYC NYPD OCD OED OEM OS PA PDA
        PDF PR RNA ROI ROTC SAS SUV TBA UAE UCLA UFC UFO UI UK UN URL USA USAF USB USC USD USPS USSR UTC UTF UX VIP VOIP
        YMCA
        """.split { $0 == " " || $0 == "\n" }.map(String.init))

    /// Words in capitals: spelled out when they are initials ("GPT" is "g p t", "GPTs" "g p t's"), left as words when
    /// they are said as words, are known words, are long, or stand among other words in capitals.
    static let initialisms = RewriteRule("initialisms", starts: StartsWith.capital) { text, start in
        // "I'LL" and "WE'RE" are words.
        guard text.isStart(start), text[start - 1] != "'" || !text.isUpper(start - 2) else { return nil }
        let end = text.endOfLetters(start)
        var capitals = start
        while text.isUpper(capitals) { capitals += 1 }
        let isPlural = capitals == end - 1 && text[capitals] == "s"
        guard capitals - start >= 2, capitals == end || isPlural, capitals - start <= 12 else { return nil }
        let word = text.string(start..<capitals)
        let match = RewriteRule.Match(end: end, spoken: spelled(word) + (isPlural ? "'s" : ""))
        if knownInitialisms.contains(word) { return match }
        guard !spokenAcronyms.contains(word), isPlural || !isCommonWord(word) else { return nil }
        // A contraction or possessive in capitals ("DON'T", "IT'S") is a word.
        let hasVowel = word.contains { "AEIOUY".contains($0) }
        if text[end] == "'", text.isUpper(end + 1), hasVowel || text[end + 1] != "S" || text.isUpper(end + 2) {
            return nil
        }
        guard !hasVowel || (capitals - start <= 5 && !isAmongCapitals(text, start, end)) else { return nil }
        return match
    }

    /// Whether one of the two neighbouring words is a plain word in capitals: a headline, or shouting.
    private static func isAmongCapitals(_ text: RuleText, _ start: Int, _ end: Int) -> Bool {
        // "THE US ARMY", "THE IT MAN": not the pronouns.
        if end - start == 2, ["THE", "A", "FORMER"].contains(text.wordBefore(start)) { return false }
        var last = start - 1
        if text[last] == " ", ",;:".unicodeScalars.contains(text[last - 1]) { last -= 1 }
        let hasBefore = text[start - 1] == " "
        // The "'S" of "WHERE'S JOHN".
        if text[last - 1] == "S", text[last - 2] == "'" { last -= 2 }
        var before = last
        while text.isLetter(before - 1), last - before < 16 { before -= 1 }
        var after = end
        if ",;:".unicodeScalars.contains(text[after]) { after += 1 }
        let hasAfter = text[after] == " "
        after += 1
        let afterEnd = max(after, min(text.endOfLetters(after), after + 16))
        return (hasBefore && isShouted(text, before..<last)) || (hasAfter && isShouted(text, after..<afterEnd))
    }

    private static func isShouted(_ text: RuleText, _ range: Range<Int>) -> Bool {
        guard range.count >= 2, range.allSatisfy({ text.isUpper($0) }) else { return false }
        let word = text.string(range)
        return !spokenAcronyms.contains(word) && !knownInitialisms.contains(word)
            && (range.count > 3 || isCommonWord(word)) && word.contains { "AEIOUY".contains($0) }
    }

    // MARK: - Letters and digits

    /// Letters and digits in one word: "MP3" is "m p three", "GPT-4" "g p t four", "H2O" "h two o", "v2.1" "v two point
    /// one".
    static let lettersWithDigits = RewriteRule("letters with digits", starts: StartsWith.wordCharacter) { text, start in
        guard text.isStart(start) else { return nil }
        if let found = dottedLabel(in: text, at: start) { return found }
        var end = start
        var hasPoint = false
        while end - start <= 24 {
            let isPoint = text[end] == "." && end > start && text.isDigit(end - 1) && text.isDigit(end + 1)
            guard isPoint || text.isWord(end) else { break }
            hasPoint = hasPoint || isPoint
            end += 1
        }
        let hasDigit = (start..<end).contains { text.isDigit($0) }
        let hasLetter = (start..<end).contains { text.isLetter($0) }
        // A hyphen before digits belongs to the word ("t-4" out of "GPT-4").
        if hasLetter, !hasDigit, text[end] == "-", text[start - 1] != "-", text.isDigit(end + 1),
            text.endOfDigits(end + 1) - end <= 5
        {
            return .init(end: end + 1, spoken: text.string(start..<end) + " ")
        }
        guard hasDigit, hasLetter, end - start <= 24 else { return nil }
        var parts: [String] = []
        var position = start
        while position < end {
            if text.isDigit(position) {
                let next = text.endOfDigits(position)
                let digits = text.digits(position..<next)
                let isNumber = next - position <= 3 && text[position] != "0" && text[position - 1] != "."
                parts.append(isNumber || next - position == 1 ? spokenCardinal(digits) : NumberWords.spelledOut(digits))
                position = next
            } else if text[position] == "." {
                parts.append("point")
                position += 1
            } else {
                let next = max(position + 1, min(end, text.endOfLetters(position)))
                let letters = text.string(position..<next)
                // Initials, and the small letters of a standard ("802.11ac").
                let isInitials =
                    next - position <= 3 && letters == letters.uppercased() || next - position == 1
                    || (hasPoint && position > start && next - position == 2)
                parts.append(isInitials ? spelled(letters) : letters)
                position = next
            }
        }
        return .init(end: end, spoken: parts.joined(separator: " "))
    }

    /// "H.264" and "X.509": one capital, a dot and a number.
    private static func dottedLabel(in text: RuleText, at start: Int) -> RewriteRule.Match? {
        guard text.isUpper(start), text[start + 1] == ".", text[start - 1] != "." else { return nil }
        let end = text.endOfDigits(start + 2)
        guard (1...4).contains(end - start - 2), !text.isLetter(end), !(text[end] == "." && text.isDigit(end + 1))
        else { return nil }
        let digits = text.digits(start + 2..<end)
        let number =
            digits.count <= 2 && digits[0] != UInt8(ascii: "0")
            ? spokenCardinal(digits) : NumberWords.spelledOut(digits)
        return .init(end: end, spoken: spelled(text.string(start..<start + 1)) + " dot " + number)
    }
}
