import ArgumentParser
import TortoiseCommandLine

/// Speech from text in a reference voice.
@main
struct Infer: Program {
    static let configuration = CommandConfiguration(
        commandName: "tortoise-infer", abstract: "TorToiSe text to speech.", subcommands: [Text.self, Probe.self, Doctor.self])
}
