import Foundation

extension TextFrontEnd {
    /// How text is read, where a flag, a configuration and the package may each say it: the first that does is heard.
    ///
    /// - Parameters:
    ///   - tokenizer: A vocabulary's file.
    ///   - dictionary: A file of words and their spoken forms.
    ///   - loaded: A configuration, whose files lie beside it.
    /// - Throws: `InputError` when a file is missing or damaged.
    public init(
        cleaners: TextCleaners? = nil, tokenizer: String? = nil, dictionary: String? = nil,
        of loaded: LoadedConfiguration?
    ) throws {
        let text = loaded?.configuration.text ?? TextSettings()
        let words = dictionary ?? text.dictionary.flatMap { loaded?.paths.resolve($0) }
        self.init(
            cleaners: cleaners ?? text.cleaners,
            tokenizer: try BPETokenizer(path: tokenizer ?? Self.vocabulary(of: loaded)),
            dictionary: try words.map { try PronunciationDictionary(path: $0) } ?? PronunciationDictionary())
    }

    /// The vocabulary's file that belongs to a configuration: the one that it names, or one beside it; else the published one.
    ///
    /// - Throws: `InputError` when it names one that is not there.
    public static func vocabulary(of loaded: LoadedConfiguration?) throws -> String {
        let published = try DataFolder.path(of: "tokenizer.json")
        guard let loaded else { return published }
        let path = loaded.paths.resolve(loaded.configuration.tokenizerPath)
        if FileManager.default.fileExists(atPath: path) { return path }
        guard loaded.configuration.tokenizerPath == Configuration().tokenizerPath else {
            throw InputError.usage("there is no such file", at: path, try: "correct tokenizer_path, or leave it out")
        }
        return published
    }
}
