/// Cuts long text where people pause: at sentences, in long sentences at clauses, in long clauses at words, in endless
/// words anywhere; or, for speaking in one breath, at clauses and before the words that begin a phrase, and nowhere else.
/// A dot after an abbreviation or an initial ("Dr. James T. Kirk", "e.g. this") ends nothing.
public struct SentenceSplitter: Sendable {
    /// The length that a piece is filled up to.
    public let desired: Int
    /// The length that no piece passes.
    public let limit: Int
    /// What stays whole even if it is longer than the limit.
    public let smallest: Smallest
    private let length: @Sendable (Substring.UnicodeScalarView) -> Int

    public enum Smallest: Sendable {
        case character
        /// What speakers say without a pause: "behind the house", "that she had planted".
        case phrase
    }

    /// - Parameter length: How long a text is; by default its number of Unicode scalars. A front end gives the length
    ///   of the spoken form here.
    /// - Throws: `InputError` unless both lengths are positive.
    public init(
        desired: Int = 200, limit: Int = 300, smallest: Smallest = .character,
        length: @escaping @Sendable (Substring.UnicodeScalarView) -> Int = { $0.count }
    ) throws {
        guard desired > 0, limit > 0 else {
            throw InputError.usage("expected positive lengths to split text by, found \(desired) and \(limit)")
        }
        self.desired = min(desired, limit)
        self.limit = limit
        self.smallest = smallest
        self.length = length
    }

    /// The pieces in order, trimmed. Together they hold every word of the text.
    public func split(_ text: String) -> [String] {
        let text = RuleText(scalars: Array(text.unicodeScalars))
        var parts: [Part] = []
        for sentence in Self.cut(text, 0..<text.count, after: Self.isSentenceEnd) {
            append(text, sentence, cutters: [Self.isClauseEnd] + finerCutters, to: &parts)
        }
        return recombined(text, parts)
    }

    // MARK: - Cutting

    /// A stretch of text no longer than the limit, and its length.
    private struct Part {
        var range: Range<Int>
        var length: Int
    }

    /// Whether a part may end behind a position.
    private typealias Cutter = @Sendable (RuleText, Int) -> Bool

    /// What cuts a clause.
    private var finerCutters: [Cutter] {
        switch smallest {
        case .character: [Self.isWordEnd]
        case .phrase: [Self.isBeforeConjunction, Self.isBeforePreposition]
        }
    }

    /// Adds a stretch, cut by the first cutter that can if it is too long.
    private func append(_ text: RuleText, _ range: Range<Int>, cutters: [Cutter], to parts: inout [Part]) {
        let measured = measure(text, range)
        guard measured > limit else {
            if measured > 0 { parts.append(Part(range: range, length: measured)) }
            return
        }
        guard let cutter = cutters.first else {
            // An endless word, or a word whose spoken form is long: halves of it, down to single characters.
            guard smallest == .character, range.count > 1 else {
                return parts.append(Part(range: range, length: measured))
            }
            let middle = range.lowerBound + range.count / 2
            append(text, range.lowerBound..<middle, cutters: [], to: &parts)
            append(text, middle..<range.upperBound, cutters: [], to: &parts)
            return
        }
        for piece in Self.cut(text, range, after: cutter) {
            append(text, piece, cutters: Array(cutters.dropFirst()), to: &parts)
        }
    }

    private static func cut(_ text: RuleText, _ range: Range<Int>, after isEnd: Cutter) -> [Range<Int>] {
        var pieces: [Range<Int>] = []
        var start = range.lowerBound
        for position in range where isEnd(text, position) {
            pieces.append(start..<position + 1)
            start = position + 1
        }
        if start < range.upperBound { pieces.append(start..<range.upperBound) }
        return pieces
    }

    /// Fills pieces up to the desired length; a short rest joins the piece before it when it fits.
    private func recombined(_ text: RuleText, _ parts: [Part]) -> [String] {
        var pieces: [Part] = []
        for part in parts {
            guard let joined = joined(text, pieces.last, part) else {
                pieces.append(part)
                continue
            }
            pieces[pieces.count - 1] = joined
        }
        return pieces.compactMap { trimmed(text, $0.range) }
    }

    /// Two neighbours as one; nil when that would be too long, or longer than desired without need.
    private func joined(_ text: RuleText, _ first: Part?, _ second: Part) -> Part? {
        guard let first else { return nil }
        let estimate = first.length + 1 + second.length
        guard estimate <= limit, estimate <= desired || first.length < desired / 2 || second.length < desired / 4 else {
            return nil
        }
        // Line feeds between the two, or a number and its unit that meet, make it another length than the sum.
        let range = first.range.lowerBound..<second.range.upperBound
        let length = measure(text, range)
        return length <= limit ? Part(range: range, length: length) : nil
    }

    private func measure(_ text: RuleText, _ range: Range<Int>) -> Int {
        trimmed(text, range).map { length(Substring($0).unicodeScalars) } ?? 0
    }

    private func trimmed(_ text: RuleText, _ range: Range<Int>) -> String? {
        guard let first = range.first(where: { !text.isSpace($0) }), let last = range.last(where: { !text.isSpace($0) })
        else {
            return nil
        }
        return text.string(first..<last + 1)
    }

    // MARK: - Boundaries

    private static let closers = Set("\"')]}”’»」』".unicodeScalars)
    private static let terminators = Set(".!?…。！？".unicodeScalars)

    /// Words whose dot never ends a sentence before a capital.
    private static let neverFinal: Set<String> = [
        "mr", "mrs", "ms", "dr", "prof", "rev", "gen", "col", "capt", "lt", "sgt", "cmdr", "maj", "gov", "sen", "rep",
        "pres", "hon",
        "messrs", "drs", "mt", "st", "ft", "vs", "eg", "ie", "cf", "viz", "fig", "vol", "approx",
    ]
    /// Words whose dot ends a sentence only before a word that begins one.
    private static let seldomFinal: Set<String> = [
        "jr", "sr", "inc", "co", "corp", "ltd", "dept", "univ", "ed", "eds", "ca", "al", "pp", "jan", "feb", "mar",
        "apr", "jun",
        "jul", "aug", "sep", "sept", "oct", "nov", "dec", "ave", "blvd", "rd", "esq", "est",
    ]

    /// Behind a paragraph's line feeds, or the last of a sentence's terminators and closing marks that blanks follow.
    private static let isSentenceEnd: Cutter = { text, position in
        if text[position] == "\n" { return text[position + 1] == "\n" || text[position - 1] == "\n" }
        guard terminators.contains(text[position]) || closers.contains(text[position]) else { return false }
        let isWide = text[position].value >= 0x3000
        guard text.isSpace(position + 1) || isWide, !closers.contains(text[position + 1]) else { return false }
        var mark = position
        while position - mark < 8, closers.contains(text[mark]) { mark -= 1 }
        guard terminators.contains(text[mark]) else { return false }
        var next = position + 1
        while next < text.count, next - position < 64, text.isSpace(next) { next += 1 }
        // A small letter goes on with the sentence: '"Really?" she said', "e.g. this", "... and so on".
        if text.isLetter(next), text[next].properties.isLowercase { return false }
        return text[mark] != "." || !isAbbreviation(text, dot: mark)
    }

    private static func isAbbreviation(_ text: RuleText, dot: Int) -> Bool {
        var start = dot
        while text.isLetter(start - 1), dot - start < 12 { start -= 1 }
        guard start < dot else { return false }
        let word = text.string(start..<dot).lowercased()
        if neverFinal.contains(word) { return true }
        // A capital is an initial, alone or in "U.S.", unless a word follows that begins sentences.
        let isInitial = dot - start == 1 && (text[start - 1] == "." || ExtendedNormalizer.isInitial(text, at: start))
        return (isInitial || seldomFinal.contains(word))
            && !SentenceBoundary.isLikely(text, before: dot + 1, needsOpener: true)
    }

    private static let isClauseEnd: Cutter = { text, position in
        ";:,—–)、，；：".unicodeScalars.contains(text[position])
            && (text.isSpace(position + 1) || text[position].value >= 0x2013)
            || (text[position] == "-" && text[position - 1] == " " && text[position + 1] == " ")
            || text[position] == "\n"
    }

    private static let isWordEnd: Cutter = { text, position in text.isSpace(position) }

    private static let conjunctions: Set<String> = [
        "after", "although", "and", "as", "because", "before", "but", "if", "nor", "or", "since", "so", "than", "that",
        "though", "unless", "until", "when", "where", "whether", "which", "while", "who", "whom", "whose", "yet",
    ]
    private static let prepositions: Set<String> = [
        "about", "above", "across", "against", "along", "among", "around", "at", "behind", "below", "beneath", "beside",
        "between", "beyond", "by", "during", "for", "from", "in", "inside", "into", "near", "on", "onto", "outside",
        "over", "past", "through", "throughout", "to", "toward", "towards", "under", "with", "within", "without",
    ]

    private static let isBeforeConjunction: Cutter = { text, position in isBefore(conjunctions, text, position) }
    private static let isBeforePreposition: Cutter = { text, position in isBefore(prepositions, text, position) }

    private static func isBefore(_ words: Set<String>, _ text: RuleText, _ position: Int) -> Bool {
        guard text.isSpace(position) else { return false }
        var end = position + 1
        while text.isLetter(end), end - position <= 12 { end += 1 }
        return text.isSpace(end) && words.contains(text.string(position + 1..<end).lowercased())
    }
}
