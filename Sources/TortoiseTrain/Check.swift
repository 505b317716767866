import ArgumentParser
import Foundation
import TortoiseCommandLine
import TortoiseCore

/// Looks at configuration and data without training.
struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Check a configuration and its dataset, or a dataset alone, without training.",
        discussion: "Leaves with 3 when there is nothing that could be trained on.")

    @Argument(
        help: ArgumentHelp(
            "A dataset in place of a configuration: of 'tortoise-train prepare' or of the Python trainer.",
            valueName: "file"))
    var dataset: String?

    @OptionGroup var source: ConfigurationOptions

    @Option(help: "How many names are listed of each kind.")
    var limit = 20

    func validate() throws {
        guard dataset == nil || source.yaml == nil && source.model == nil && source.lora == nil else {
            throw ValidationError("give either a dataset's file or a configuration")
        }
        guard limit >= 0 else { throw ValidationError("--limit takes a number from 0 up") }
    }

    func run() throws {
        let progress = ProgressLine("checking")
        if let dataset {
            let (lines, obstacle) = try DatasetCheck.report(ofFile: dataset, limit: limit) { progress.update($0, $1) }
            progress.finish()
            for line in lines { print(line) }
            if let obstacle { throw obstacle }
            return
        }
        let loaded = try source.load()
        for note in loaded.notes { print(note) }
        let lines = try loaded.datasetReport(limit: limit) { progress.update($0, $1) }
        progress.finish()
        for line in lines { print(line) }
    }
}
