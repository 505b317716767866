/// How text is prepared for the tokenizer: `text.cleaners` in a configuration.
public enum TextCleaners: String, Sendable, CaseIterable {
    /// The original's `english_cleaners`, for the published models and whatever was finetuned from them.
    case english
    /// Our normaliser, for new models in English.
    case extended
    /// Lower case and single blanks, for vocabularies of other languages.
    case basic

    /// - Throws: `InputError` that names the known cleaners.
    public init(named name: String, at place: String? = nil) throws {
        guard let cleaners = TextCleaners(rawValue: name) else {
            let known = TextCleaners.allCases.map(\.rawValue)
            throw InputError.usage(
                "expected the text cleaners \(known.joined(separator: ", ")), found \"\(name)\"", at: place,
                try: nearestNames(to: name, among: known).first.map { "did you mean \($0)?" })
        }
        self = cleaners
    }
}
