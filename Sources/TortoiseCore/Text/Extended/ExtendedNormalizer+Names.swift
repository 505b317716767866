extension ExtendedNormalizer {
    // MARK: - Roman numerals

    /// Words before a numeral that counts: "Chapter IV", "World War II".
    private static let countedWords: Set<String> = [
        "chapter", "part", "volume", "vol", "act", "scene", "section", "book", "article", "appendix", "phase", "type",
        "stage",
        "class", "level", "episode", "grade", "war", "bowl", "apollo", "title", "figure", "table", "season", "round",
        "mark",
        "page", "lesson", "unit", "step", "verse", "canto", "symphony", "opus", "no", "number", "day", "week", "group",
        "tier",
    ]
    /// Names that rulers and popes bore: the numeral is read as an ordinal, and a single letter counts.
    private static let regnalNames: Set<String> = [
        "henry", "louis", "elizabeth", "charles", "george", "edward", "william", "richard", "james", "mary", "philip",
        "peter",
        "catherine", "nicholas", "alexander", "frederick", "ferdinand", "francis", "leopold", "napoleon", "otto",
        "john", "paul",
        "pius", "benedict", "gregory", "innocent", "clement", "leo", "urban", "julius", "boniface", "sixtus", "adrian",
        "ivan",
        "gustav", "christian", "victoria", "robert", "david", "ramses", "ramesses", "ptolemy", "darius", "xerxes",
        "constantine",
        "theodosius", "justinian", "haakon", "harald", "olaf", "albert", "baldwin", "umberto", "wilhelm", "maximilian",
        "rama",
    ]

    static let romanNumerals = RewriteRule("roman numerals", starts: { "IVXLCDM".unicodeScalars.contains($0) }) {
        text, start in
        guard text.isStart(start), text[start - 1] == " ", text.isLetter(start - 2) else { return nil }
        let end = text.endOfLetters(start)
        guard end - start <= 12, !text.isDigit(end), let value = romanValue(text.string(start..<end)) else {
            return nil
        }
        let before = text.wordBefore(start)
        let name = before.lowercased()
        let isPossessiveOrPlain = text[end] != "'" || text.lowercasedWord(at: end + 1) == "s"
        guard isPossessiveOrPlain, let first = before.first, first.isUppercase || countedWords.contains(name) else {
            return nil
        }
        if countedWords.contains(name) { return .init(end: end, spoken: spokenCardinal(value)) }
        if regnalNames.contains(name) {
            // "James I am" is a person speaking.
            if end - start == 1, text[start] == "I", text[end] == " ", text.isLetter(end + 1), !text.isUpper(end + 1),
                ["am", "was", "have", "had", "will", "would", "do", "did", "think", "know", "can", "could", "must"]
                    .contains(text.lowercasedWord(at: end + 1))
            {
                return nil
            }
            return .init(end: end, spoken: "the " + spokenOrdinal(value))
        }
        // After other names only numerals that can hardly be initials.
        let isShouted = before.allSatisfy(\.isUppercase)
        guard end - start > 1, !isShouted, (2...39).contains(value) else { return nil }
        return .init(end: end, spoken: spokenCardinal(value))
    }

    /// The value of a well-formed Roman numeral in capitals.
    static func romanValue(_ numeral: String) -> Int? {
        let steps = [
            (1000, "M"), (900, "CM"), (500, "D"), (400, "CD"), (100, "C"), (90, "XC"), (50, "L"), (40, "XL"), (10, "X"),
            (9, "IX"), (5, "V"), (4, "IV"), (1, "I"),
        ]
        var rest = Substring(numeral)
        var value = 0
        for (amount, letters) in steps {
            var repeats = 0
            while rest.hasPrefix(letters), repeats < (letters.count == 2 || "DLV".contains(letters) ? 1 : 3) {
                rest = rest.dropFirst(letters.count)
                value += amount
                repeats += 1
            }
        }
        return rest.isEmpty && value > 0 ? value : nil
    }

    // MARK: - Abbreviations

    /// Titles: the dot never ends a sentence.
    private static let titles: [String: String] = [
        "mr": "mister", "mrs": "missus", "ms": "miz", "dr": "doctor", "prof": "professor", "rev": "reverend",
        "gen": "general",
        "col": "colonel", "capt": "captain", "lt": "lieutenant", "sgt": "sergeant", "cmdr": "commander", "maj": "major",
        "gov": "governor", "sen": "senator", "rep": "representative", "pres": "president", "hon": "honorable",
        "messrs": "messieurs",
        "drs": "doctors", "mt": "mount", "ft": "fort",
    ]
    /// Other abbreviations: the dot is kept where a sentence may end.
    private static let shortForms: [String: String] = [
        "jr": "junior", "sr": "senior", "esq": "esquire", "co": "company", "corp": "corporation", "inc": "incorporated",
        "ltd": "limited", "dept": "department", "est": "established", "approx": "approximately", "vs": "versus",
        "etc": "et cetera", "vol": "volume", "fig": "figure", "ave": "avenue", "blvd": "boulevard", "rd": "road",
        "apt": "apartment",
        "jan": "january", "feb": "february", "aug": "august", "sept": "september", "oct": "october", "nov": "november",
        "dec": "december", "mon": "monday", "tue": "tuesday", "wed": "wednesday", "thu": "thursday", "fri": "friday",
        "tel": "telephone", "temp": "temperature", "min": "minutes", "max": "maximum", "misc": "miscellaneous",
        "al": "al",
    ]
    /// Without a dot, and only in this case.
    private static let exactForms: [String: String] = [
        "PhD": "p h d", "BSc": "b s c", "MSc": "m s c", "OK": "okay", "Mr": "mister", "Mrs": "missus", "Ms": "miz",
        "Dr": "doctor",
        "vs": "versus", "Ltd": "limited", "WWI": "world war one", "WWII": "world war two",
    ]

    static let abbreviations = RewriteRule("abbreviations", starts: StartsWith.letter) { text, start in
        guard text.isStart(start), text[start - 1] != "'" else { return nil }
        if let found = dottedInitials(in: text, at: start) { return found }
        let end = text.endOfLetters(start)
        guard end - start <= 8 else { return nil }
        let written = text.string(start..<end)
        guard text[end] == "." else {
            return exactForms[written].map { .init(end: end, spoken: $0) }
        }
        let word = written.lowercased()
        let next = text.skippingBlank(end + 1)
        switch word {
        case "st":
            // Before a name it is a saint, after one a street.
            let isSaint = text[end + 1] == " " && text.isUpper(next) && !text.isUpper(firstLetterBefore(text, start))
            return isSaint ? .init(end: end + 1, spoken: "saint") : closing("street", text, end)
        case "dr" where !text.isUpper(next) && text.isUpper(firstLetterBefore(text, start)):
            return closing("drive", text, end)
        case "no":
            return text.isDigit(next) ? .init(end: end + 1, spoken: "number") : nil
        case "pp", "p":
            return text.isDigit(next) ? .init(end: end + 1, spoken: word == "p" ? "page" : "pages") : nil
        case "ft" where !(text.isUpper(next) && text.isUpper(start)), "gen" where !text.isUpper(next): return nil
        default: break
        }
        if let title = titles[word], text.isUpper(start) || word.count > 3 || text.isUpper(next) {
            return text[end + 1] == " " || text.isLetter(end + 1) ? .init(end: end + 1, spoken: title) : nil
        }
        // Short words that are also ordinary words need to be inside a sentence to count.
        let isAmbiguous = ["al", "co", "fig", "max", "min", "mon", "temp", "est", "dec", "oct", "wed", "inc", "rd"]
            .contains(word)
        guard let form = shortForms[word], !isAmbiguous || text.isUpper(start) || text[end + 1] == "," else {
            return nil
        }
        return closing(form, text, end)
    }

    /// The first letter of the word before a position.
    private static func firstLetterBefore(_ text: RuleText, _ position: Int) -> Int {
        guard text[position - 1] == " " else { return -1 }
        var start = position - 1
        while text.isLetter(start - 1), position - start < 24 { start -= 1 }
        return start < position - 1 ? start : -1
    }

    /// A word for an abbreviation whose dot stands at `dot`; the dot stays where it ends a sentence too.
    private static func closing(_ word: String, _ text: RuleText, _ dot: Int) -> RewriteRule.Match {
        let ends = SentenceBoundary.isLikely(text, before: dot + 1, needsOpener: word != "et cetera")
        return .init(end: ends ? dot : dot + 1, spoken: word)
    }

    /// Words before a letter that is a label, not an initial: "vitamin C."
    private static let labelledWords: Set<String> = [
        "vitamin", "plan", "hepatitis", "option", "exhibit", "team", "route", "gate", "size", "school", "generation",
        "type",
    ]

    /// "e.g.", "i.e.", "U.S.A.", and a single initial as in "James T. Kirk".
    private static func dottedInitials(in text: RuleText, at start: Int) -> RewriteRule.Match? {
        if text.matches("Ph.D.", at: start) { return closing("p h d", text, start + 4) }
        var letters: [Int] = []
        var position = start
        while letters.count < 12, text.isLetter(position), !text.isWord(position + 1), text[position + 1] == "." {
            letters.append(position)
            position += 2
        }
        guard let last = letters.last else { return nil }
        let word = letters.map { text.string($0..<$0 + 1) }.joined()
        switch word.lowercased() {
        case "eg": return .init(end: last + 2, spoken: "for example")
        case "ie": return .init(end: last + 2, spoken: "that is")
        case _ where letters.count > 1: return closing(spelled(word), text, last + 1)
        default: break
        }
        // A lone capital is an initial when a name follows; otherwise its dot ends a sentence.
        let before = text.wordBefore(start).lowercased()
        guard isInitial(text, at: start), !(regnalNames.contains(before) && "IVX".contains(word)) else { return nil }
        return .init(end: last + 2, spoken: word)
    }

    /// Whether the capital and dot at a position stand for a given name.
    static func isInitial(_ text: RuleText, at start: Int) -> Bool {
        guard text.isUpper(start), text[start] != "I" || text[start - 2] == ".", text[start + 1] == ".",
            text.isSpace(start - 1) || "(\"'".unicodeScalars.contains(text[start - 1]), text[start + 2] == " ",
            text.isUpper(start + 3)
        else { return false }
        let before = text.wordBefore(start).lowercased()
        return !labelledWords.contains(before) && !countedWords.contains(before)
            && !SentenceBoundary.isLikely(text, before: start + 2, needsOpener: true)
    }

    // MARK: - Initialisms

    /// Acronyms that are said as words.
    private static let spokenAcronyms: Set<String> = [
        "NASA", "NATO", "UNESCO", "UNICEF", "OPEC", "AIDS", "LASER", "RADAR", "SONAR", "SCUBA", "NAFTA", "ASAP", "RAM",
        "ROM",
        "PIN", "SIM", "GIF", "LAN", "SWAT", "FIFA", "UEFA", "COVID", "POTUS", "SCOTUS", "BIOS", "CAPTCHA", "JSON",
        "LEGO", "IKEA",
        "MIDI", "WASP", "YOLO", "ZIP", "WAV", "SAT", "CAD", "NATO", "ISIS", "BAFTA", "OSHA", "FEMA", "INTERPOL", "CUDA",
        "LORA",
    ]
    /// Common words that people set in capitals for stress.
    private static let stressedWords: Set<String> = [
        "A", "I", "NO", "NOT", "YES", "SO", "GO", "AND", "OR", "THE", "ALL", "ANY", "NOW", "NEVER", "EVER", "STOP",
        "HELP", "YOU",
        "ME", "MY", "WE", "HE", "SHE", "IS", "ARE", "WAS", "DO", "DID", "DON", "CAN", "WILL", "MUST", "VERY", "ONLY",
        "ONE", "TWO",
        "BE", "TO", "OF", "IN", "ON", "AT", "BY", "IF", "BUT", "FOR", "WITH", "WHAT", "WHO", "WHY", "HOW", "THIS",
        "THAT", "OH",
        "HEY", "WOW", "NEW", "OLD", "BIG", "BAD", "GOOD", "END", "RUN", "OUT", "UP", "OFF", "HIM", "HER", "HIS", "OUR",
        "HAS", "HAD",
        "GET", "GOT", "LET", "SAY", "SAID", "SEE", "TOO", "AM", "AN", "AS", "FREE", "SALE", "OPEN", "FIRE", "LOVE",
        "HATE", "WAR",
    ]

    /// Words in capitals: spelled out when they are initials ("GPT" is "g p t", "GPTs" "g p t's"), left as words when
    /// they are said as words, are known words, are long, or stand among other words in capitals.
    static let initialisms = RewriteRule("initialisms", starts: StartsWith.capital) { text, start in
        guard text.isStart(start) else { return nil }
        let end = text.endOfLetters(start)
        var capitals = start
        while text.isUpper(capitals) { capitals += 1 }
        let isPlural = capitals == end - 1 && text[capitals] == "s"
        guard capitals - start >= 2, capitals == end || isPlural, capitals - start <= 12 else { return nil }
        let word = text.string(start..<capitals)
        guard !spokenAcronyms.contains(word), !stressedWords.contains(word) || isPlural else { return nil }
        let vowels = word.filter { "AEIOUY".contains($0) }.count
        guard vowels == 0 || (capitals - start <= 5 && !isAmongCapitals(text, start, end)) else { return nil }
        // A contraction in capitals ("DON'T") is a word.
        if text[end] == "'", text.isUpper(end + 1), text[end + 1] != "S" || text.isUpper(end + 2) { return nil }
        return .init(end: end, spoken: spelled(word) + (isPlural ? "'s" : ""))
    }

    /// Whether one of the two neighbouring words is a plain word in capitals: a headline, or shouting.
    private static func isAmongCapitals(_ text: RuleText, _ start: Int, _ end: Int) -> Bool {
        func isShouted(_ range: Range<Int>) -> Bool {
            range.count >= 2 && range.allSatisfy { text.isUpper($0) } && !spokenAcronyms.contains(text.string(range))
                && (range.count > 3 || stressedWords.contains(text.string(range)))
                && range.contains { "AEIOUY".unicodeScalars.contains(text[$0]) }
        }
        var before = start - 1
        while text.isLetter(before - 1), start - before < 16 { before -= 1 }
        let after = end + 1
        return (text[start - 1] == " " && isShouted(before..<start - 1))
            || (text[end] == " " && isShouted(after..<max(after, min(text.endOfLetters(after), after + 16))))
    }

    /// Letters and digits in one word: "MP3" is "m p three", "GPT-4" "g p t four", "H2O" "h two o".
    static let lettersWithDigits = RewriteRule("letters with digits", starts: StartsWith.wordCharacter) { text, start in
        guard text.isStart(start) else { return nil }
        var end = start
        while text.isWord(end), end - start <= 24 { end += 1 }
        let hasDigit = (start..<end).contains { text.isDigit($0) }
        let hasLetter = (start..<end).contains { text.isLetter($0) }
        // A hyphen before digits belongs to the word ("t-4" out of "GPT-4").
        if hasLetter, !hasDigit, text[end] == "-", text.isDigit(end + 1), text.endOfDigits(end + 1) - end <= 5 {
            return .init(end: end + 1, spoken: text.string(start..<end) + " ")
        }
        guard hasDigit, hasLetter, end - start <= 24 else { return nil }
        var parts: [String] = []
        var position = start
        while position < end {
            if text.isDigit(position) {
                let next = text.endOfDigits(position)
                let digits = text.scalars[position..<next].map { UInt8(truncatingIfNeeded: $0.value) }
                parts.append(
                    next - position <= 3 && text[position] != "0"
                        ? spokenCardinal(digits) : NumberWords.spelledOut(digits))
                position = next
            } else {
                let next = min(end, text.endOfLetters(position))
                let letters = text.string(position..<next)
                let isInitials = next - position <= 3 && letters == letters.uppercased() || next - position == 1
                parts.append(isInitials ? spelled(letters) : letters)
                position = next
            }
        }
        return .init(end: end, spoken: parts.joined(separator: " "))
    }
}
