extension ExtendedNormalizer {
    /// Words before a numeral that counts: "Chapter IV", "World War II".
    static let countedWords: Set<String> = [
        "chapter", "part", "volume", "vol", "act", "scene", "section", "book", "article", "appendix", "phase", "type",
        "stage", "class", "level", "episode", "grade", "war", "bowl", "apollo", "title", "figure", "table", "season",
        "round", "mark", "page", "lesson", "unit", "step", "verse", "canto", "symphony", "opus", "no", "number", "day",
        "week", "group", "tier",
    ]
    /// Counted words that stand before the pronoun "I" more often than before a one ("the day I left", "No I won't").
    private static let everydayWords: Set<String> = [
        "no", "day", "week", "war", "figure", "mark", "page", "number", "table", "round", "group", "unit", "step",
    ]
    /// What follows "type I" and the like in small letters; before other words the "I" is a person.
    private static let gradedNouns: Set<String> = [
        "diabetes", "error", "errors", "trial", "trials", "study", "studies", "collagen", "clinical", "disease",
        "cancer", "hypersensitivity", "interferon", "supernova", "supernovae", "fracture", "listed",
    ]
    /// Verbs in the form that "I" takes and a name or a chapter does not.
    private static let firstPersonVerbs: Set<String> = [
        "am", "have", "do", "don", "think", "know", "want", "need", "love", "like", "feel", "believe", "agree", "guess",
        "hope", "wish", "mean", "see", "say", "go", "get", "hate", "miss", "remember", "understand", "suppose", "swear",
        "promise", "trust", "doubt", "figure", "wonder", "play", "speak", "ask", "beg", "really", "just", "never",
        "haven", "ve", "ll",
    ]
    /// Verbs that "I" shares with others; behind a bare first name they point to a person speaking.
    private static let sharedVerbs: Set<String> = [
        "was", "had", "will", "would", "did", "can", "could", "must", "should", "may", "might", "said", "told", "saw",
        "thought", "knew", "wanted", "wasn", "couldn", "wouldn", "didn", "won",
    ]
    private static let rulerTitles: Set<String> = [
        "king", "queen", "pope", "emperor", "empress", "tsar", "czar", "prince", "duke", "kaiser", "saint", "sultan",
    ]
    /// Words that are capitalised only because they begin a sentence: "The IV drip" has no number.
    private static let determiners: Set<String> = [
        "the", "a", "an", "my", "your", "his", "her", "our", "their", "this", "that", "an", "and", "or", "of", "in",
        "on", "with", "no", "by", "for",
    ]
    /// Names that rulers and popes bore: the numeral is read as an ordinal, and a single letter counts.
    static let regnalNames: Set<String> = [
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
        // "I'm" and "V'ger" are no numerals, "II's" is.
        let isPossessiveOrPlain = text[end] != "'" || text.lowercasedWord(at: end + 1) == "s"
        // A lone C, D, L or M is a letter: "Part D", "Group C".
        let isLone = end - start == 1
        guard isPossessiveOrPlain, !isLone || "IVX".unicodeScalars.contains(text[start]), let first = before.first
        else { return nil }
        if countedWords.contains(name) {
            let counts =
                isLone
                ? isLoneNumeral(text, start, after: name, isCapitalized: first.isUppercase)
                : value < 400 && (value < 100 || end - start > 2)
            return counts ? .init(end: end, spoken: spokenCardinal(value)) : nil
        }
        guard first.isUppercase else { return nil }
        if regnalNames.contains(name) {
            // "James I am" is a person speaking, "King James I was" a king.
            let next = text[end] == " " ? text.lowercasedWord(at: end + 1) : ""
            let hasTitle = rulerTitles.contains(text.wordBefore(start - 1 - before.unicodeScalars.count).lowercased())
            let isPerson = firstPersonVerbs.contains(next) || (sharedVerbs.contains(next) && !hasTitle)
            guard !isLone || text[start] != "I" || !isPerson else { return nil }
            return .init(end: end, spoken: "the " + spokenOrdinal(value))
        }
        // After other names only numerals that can hardly be initials.
        let isShouted = before.allSatisfy(\.isUppercase)
        guard !isLone, !isShouted, (2...39).contains(value), !determiners.contains(name) else { return nil }
        return .init(end: end, spoken: spokenCardinal(value))
    }

    /// Whether the I, V or X behind a counted word is a number and not a person or a label.
    private static func isLoneNumeral(
        _ text: RuleText, _ start: Int, after word: String, isCapitalized: Bool
    ) -> Bool {
        let next = text[start + 1] == " " ? text.lowercasedWord(at: start + 2) : ""
        guard isCapitalized else { return gradedNouns.contains(next) && word != "no" }
        guard word != "no" else { return false }
        guard text[start] == "I" else { return true }
        if firstPersonVerbs.contains(next) { return false }
        let isWorldWar = word == "war" && text.wordBefore(start - 1 - word.count).lowercased() == "world"
        return isWorldWar || !everydayWords.contains(word)
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
}
