import ArgumentParser
import Foundation
import TortoiseCommandLine
import TortoiseCore

/// Tells a running trainer what to do.
struct Tell: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Write a command to the control file of a running trainer.")

    @Argument(help: ArgumentHelp("The folder of the run's configuration.", valueName: "folder"))
    var folder: String

    @Argument(help: "A console word, such as save, quit, eval or 'lr 1e-4'.")
    var command: [String]

    func run() throws {
        guard FileManager.default.fileExists(atPath: folder) else {
            throw InputError.usage("there is no such folder", at: folder)
        }
        try ControlFile(folder: folder).write(command.joined(separator: " "))
        let isHeard = RunLock.isHeld(root: folder)
        let answer =
            isHeard
            ? "the trainer obeys at its next step boundary"
            : "no trainer runs there now; one that starts will not obey old commands"
        StandardError.say(answer)
    }
}
