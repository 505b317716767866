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
        for note in loaded.notes { print(note) }
        let progress = ProgressLine("checking")
        let lines = try loaded.datasetReport(limit: limit) { progress.update($0, $1) }
        progress.finish()
        for line in lines { print(line) }
    }
}
