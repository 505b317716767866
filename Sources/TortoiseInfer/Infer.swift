import ArgumentParser
import TortoiseCommandLine

/// Speech from text in a reference voice.
@main
struct Infer: Program {
    static let configuration = CommandConfiguration(
        commandName: "tortoise-infer", abstract: "TorToiSe text to speech.", version: "0.1.0",
        subcommands: [
            Speak.self, Read.self, VoiceCommand.self, ModelsCommand.self, Text.self, Probe.self, BenchCommand.self,
            Serve.self, Doctor.self,
        ],
        defaultSubcommand: Speak.self)
}
