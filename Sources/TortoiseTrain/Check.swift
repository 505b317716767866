import ArgumentParser
import Foundation
import TortoiseCommandLine
import TortoiseCore

/// Looks at configuration and data without training.
struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Check a configuration and its dataset without training.",
        discussion: "Leaves with 3 when there is nothing that could be trained on.")

    @OptionGroup var source: ConfigurationOptions

    @Option(help: "How many names are listed of each kind.")
    var limit = 20

    func run() throws {
        let loaded = try source.load()
        let configuration = loaded.configuration
        for note in loaded.notes { print(note) }
        let file = try DatasetFile(path: loaded.paths.resolve(configuration.dataset.hdf5Name))
        let text = configuration.text
        let frontEnd = TextFrontEnd(
            cleaners: text.cleaners, tokenizer: try BPETokenizer(path: DataFolder.path(of: "tokenizer.json")),
            dictionary: try text.dictionary.map { try PronunciationDictionary(path: $0) } ?? PronunciationDictionary())
        let progress = ProgressLine("checking")
        let check = try DatasetCheck(file, frontEnd) { progress.update($0, $1) }
        progress.finish()
        for line in check.lines(limit: limit) { print(line) }
        for line in try TrainingSession(loaded).selectionSummary() { print(line) }
    }
}
