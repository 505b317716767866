extension ExtendedNormalizer {
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
            // Without a dot only before a name that saints bear: "St John".
            if written == "St", text[end] == " ", saintNames.contains(text.lowercasedWord(at: end + 1)) {
                return isSaint(text, start, next: end) ? .init(end: end, spoken: "saint") : nil
            }
            return exactForms[written].map { .init(end: end, spoken: $0) }
        }
        let word = written.lowercased()
        let next = text.skippingBlank(end + 1)
        switch word {
        case "st":
            return isSaint(text, start, next: end + 1)
                ? .init(end: end + 1, spoken: "saint") : closing("street", text, end)
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
        // "8 A.M. EST." is a time zone, "Hello, Max." a man.
        if ["est", "max", "min", "temp", "mon", "al"].contains(word), end - start > 1, text.isUpper(start + 1) {
            return nil
        }
        if word == "max", text[end + 1] != " " || text.isUpper(next) { return nil }
        return closing(form, text, end)
    }

    /// Whether "St" before `next` is a saint ("St. Louis", "Mount St. Helens") and not a street ("Wall St.").
    private static func isSaint(_ text: RuleText, _ start: Int, next: Int) -> Bool {
        guard text[next] == " ", text.isUpper(next + 1) else { return false }
        let first = firstLetterBefore(text, start)
        guard first >= 0 else { return true }
        // "5th St. The shop"
        guard !text.isDigit(first - 1) else { return false }
        let isOpener = SentenceBoundary.isLikely(text, before: next, needsOpener: true)
        if !text.isUpper(first) || wordsBeforeSaints.contains(text.wordBefore(start).lowercased()) { return !isOpener }
        // Behind a house number and a name it is a street whatever follows.
        let hasHouseNumber = text[first - 1] == " " && text.isDigit(first - 2)
        return !hasHouseNumber && saintNames.contains(text.lowercasedWord(at: next + 1))
    }

    /// Capitalised words that name no street: "In St. Louis", "Port St. Lucie".
    private static let wordsBeforeSaints: Set<String> = [
        "in", "on", "at", "the", "of", "from", "to", "by", "near", "and", "for", "with", "through", "mount", "port",
        "fort", "lake", "cape", "east", "west", "north", "south", "de", "our", "visit", "via", "outside", "inside",
        "around", "into", "toward", "old", "new", "but", "as", "when", "while", "before", "after", "since", "pray",
    ]
    private static let saintNames: Set<String> = Set(
        """
        agnes alban albans albert ambrose andrew andrews ann anne anselm anthony augustine barnabas bartholomew barts
        basil benedict bernadette bernard boniface brendan bride brigid catharines catherine cecilia charles christopher
        clair claire clare clement cloud columba croix cuthbert cyril david denis dominic dunstan edmund edward
        elizabeth elmo emilion etienne eustace fergus florian francis gabriel genevieve george georges germain giles
        gregory helena helens helier hilda hubert ignatius ives james jerome joan john johns johnsbury joseph jude
        julian kilda kitts laurent lawrence leger leonard lo louis lucia lucie lucy luke magnus malo margaret maria mark
        marks martha martin mary marys matthew maurice michael michaels michel monica moritz nazaire neots nicholas nick
        olaf olave pancras patrick paul pauls peter peters petersburg philip pierre raphael rita rose sebastian simon
        stephen stephens swithin teresa theresa therese thomas tropez ursula valentine veronica victor vincent vitus
        xavier
        """.split { $0 == " " || $0 == "\n" }.map(String.init))

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
}
