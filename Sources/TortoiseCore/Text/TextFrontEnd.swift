/// Text in, tokens out: cleaners, a user's dictionary and the tokenizer.
public struct TextFrontEnd: Sendable {
    public let cleaners: TextCleaners
    public let tokenizer: BPETokenizer
    private let dictionary: PronunciationDictionary
    private let normalizer: ExtendedNormalizer

    /// - Parameter dictionary: A user's words. With `extended` they are its first rule; with the other cleaners they
    ///   are replaced before anything else, so that without a dictionary the result stays the original's.
    public init(
        cleaners: TextCleaners = .english, tokenizer: BPETokenizer, dictionary: PronunciationDictionary = .init()
    ) {
        self.cleaners = cleaners
        self.tokenizer = tokenizer
        self.dictionary = dictionary
        normalizer = ExtendedNormalizer(alphabet: tokenizer.alphabet.subtracting([" "]), dictionary: dictionary)
    }

    /// The text as it is spoken.
    public func spoken(_ text: String) -> String {
        var log = CleaningLog(isRecording: false)
        return spoken(text, log: &log)
    }

    /// The ids of the spoken text.
    public func encode(_ text: String) -> [Int32] {
        tokenizer.encode(spoken(text))
    }

    /// The spoken text, its ids, and how they came about.
    public func explain(_ text: String) -> (spoken: String, tokens: [Int32], explanation: TextExplanation) {
        var log = CleaningLog(isRecording: true)
        let spoken = spoken(text, log: &log)
        let (ids, unknown) = tokenizer.encodeReportingUnknown(spoken)
        let tokens = ids.map { TextExplanation.Token(id: $0, text: tokenizer.token($0) ?? "") }
        let explanation = TextExplanation(original: text, log: log, spoken: spoken, tokens: tokens, unknown: unknown)
        return (spoken, ids, explanation)
    }

    /// Long text in pieces for one synthesis each: with `extended` by sentences, clauses and words, measured in spoken
    /// characters; with the other cleaners as the original splits.
    ///
    /// - Throws: `InputError` unless both lengths are positive.
    public func split(_ text: String, desired: Int = 200, limit: Int = 300) throws -> [String] {
        switch cleaners {
        case .extended:
            try SentenceSplitter(desired: desired, limit: limit) { self.spoken(String($0)).count }.split(text)
        case .english, .basic: try TextSplitter(desired: desired, limit: limit).split(text)
        }
    }

    /// A line in phrases that are said in one breath: cut after sentences, and in what is longer than `longest` spoken characters after
    /// clauses and before conjunctions and prepositions. Pieces of nothing but punctuation are none.
    ///
    /// - Throws: `InputError` unless `longest` is positive.
    public func phrases(of line: String, longest: Int?) throws -> [String] {
        guard let longest else { return [line] }
        let splitter = try SentenceSplitter(desired: longest, limit: longest, smallest: .phrase) {
            self.spoken(String($0)).count
        }
        let phrases = splitter.split(line).filter { !encode($0).isEmpty }
        return phrases.isEmpty ? [line] : phrases
    }

    private func spoken(_ text: String, log: inout CleaningLog) -> String {
        if cleaners == .extended { return normalizer.normalize(text, log: &log) }
        var text = text
        if dictionary.count > 0, let replaced = dictionary.rule.apply(to: Array(text.unicodeScalars)) {
            var view = String.UnicodeScalarView()
            view.append(contentsOf: replaced)
            log.record(dictionary.rule.name, before: text, after: String(view))
            text = String(view)
        }
        return cleaners == .english ? EnglishCleaners.clean(text, log: &log) : BasicCleaners.clean(text, log: &log)
    }
}
