import ArgumentParser
import TortoiseCommandLine

/// The trainer and the tools around it.
@main
struct Train: Program {
    static let configuration = CommandConfiguration(
        commandName: "tortoise-train", abstract: "Prepare data and train TorToiSe models.", subcommands: [Tokenizer.self])
}
