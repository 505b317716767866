import ArgumentParser
import TortoiseCommandLine

/// The trainer and the tools around it.
@main
struct Train: Program {
    static let configuration = CommandConfiguration(
        commandName: "tortoise-train", abstract: "Prepare data and train TorToiSe models.", version: "0.1.0",
        subcommands: [
            Run.self, Prepare.self, Check.self, Eval.self, Export.self, Plot.self, Tell.self, Tokenizer.self,
        ], defaultSubcommand: Run.self)
}
