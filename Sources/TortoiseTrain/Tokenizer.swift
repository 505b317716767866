import ArgumentParser
import Foundation
import TortoiseCommandLine
import TortoiseCore

/// Learns a vocabulary for another language from text.
struct Tokenizer: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Learn a vocabulary of word pieces from text.",
        discussion: """
            The text is prepared by the basic cleaners (lower case, single blanks), or by those that --cleaners names. \
            The result loads here and in Hugging Face's tokenizers.
            """)

    @Option(help: ArgumentHelp("Text, one utterance a line.", valueName: "file"))
    var input: String

    @Option(help: "Entries of the vocabulary, special tokens and single characters among them.")
    var size = 255

    @Option(help: ArgumentHelp("Where to write the vocabulary.", valueName: "file"))
    var output = "tokenizer.json"

    @Option(help: "basic, english or extended: what the model's text will go through.")
    var cleaners = "basic"

    func run() throws {
        let clean = Self.function(of: try TextCleaners(named: cleaners, at: "--cleaners"))
        var trainer = try BPETrainer(size: size)
        guard let data = FileManager.default.contents(atPath: input) else {
            throw InputError.data("cannot read the file", at: input, try: "give --input a text file")
        }
        guard let text = String(data: data, encoding: .utf8) else {
            throw InputError.data("the text is not UTF-8", at: input, try: "convert it, with iconv for example")
        }
        for line in text.split(whereSeparator: \.isNewline) { trainer.add(clean(String(line))) }
        let vocabulary = try trainer.train()
        try vocabulary.write(to: output)
        StandardError.say("wrote \(output)")
    }

    private static func function(of cleaners: TextCleaners) -> (String) -> String {
        switch cleaners {
        case .basic: BasicCleaners.clean
        case .english: EnglishCleaners.clean
        case .extended: ExtendedNormalizer().normalize
        }
    }
}
