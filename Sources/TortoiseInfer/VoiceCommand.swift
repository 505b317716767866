import ArgumentParser
import Foundation
import TortoiseCommandLine
import TortoiseCore

/// Makes and looks after voices.
struct VoiceCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "voice", abstract: "Make, mix, check and list voices.",
        subcommands: [Encode.self, Mix.self, Random.self, Check.self, List.self])

    struct Encode: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Save the voice of recordings as a .voice file.")

        @Argument(help: "A recording, several with ; between, or a folder.")
        var recordings: String

        @Option(
            name: [.customShort("o"), .customLong("out-path")], help: ArgumentHelp("Where to write.", valueName: "file")
        )
        var outPath = "voice.voice"

        @Option(help: "whole, average (the original) or joined (e-c-k-e-r).")
        var latents = "whole"

        @Option(help: "For average: which stretches are cut out.")
        var seed: UInt64 = 0

        @OptionGroup var modelOptions: ModelOptions

        func run() throws {
            let models = try modelOptions.load().models
            var voice = try VoiceLibrary(models, mode: LatentMode(named: latents), seed: seed).voice(recordings)
            voice.modelHashes = try models.voiceHashes()
            try voice.write(to: outPath)
            print("\(outPath): \(voice.clips.count) clips")
        }
    }

    struct Mix: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Save a mix of voices, such as heart:0.7+george:0.3.")

        @Argument(help: "The voices with their weights.")
        var voices: String

        @Option(
            name: [.customShort("o"), .customLong("out-path")], help: ArgumentHelp("Where to write.", valueName: "file")
        )
        var outPath = "mix.voice"

        @OptionGroup var modelOptions: ModelOptions

        func run() throws {
            try VoiceLibrary(modelOptions.load().models).voice(voices).write(to: outPath)
            print(outPath)
        }
    }

    struct Random: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Save a voice that nobody has.")

        @Option(help: "Which one.")
        var seed: UInt64 = 0

        @Option(
            name: [.customShort("o"), .customLong("out-path")], help: ArgumentHelp("Where to write.", valueName: "file")
        )
        var outPath = "random.voice"

        @OptionGroup var modelOptions: ModelOptions

        func run() throws {
            try VoiceLibrary(modelOptions.load().models, seed: seed).voice("random").write(to: outPath)
            print(outPath)
        }
    }

    struct Check: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Rank recordings by how well they serve as a reference.",
            discussion:
                "Levels, noise, clipping and silence of each, and how much its latent is like that of the others.")

        @Argument(help: "A recording, several with ; between, or a folder.")
        var recordings: String

        @OptionGroup var modelOptions: ModelOptions

        func run() throws {
            let pieces = ReferenceClips.paths(in: recordings)
            let paths = try pieces.count == 1 ? VoiceLibrary.recordings(at: pieces[0]) : pieces
            let ranking = try VoiceRanking(paths, models: modelOptions.load().models)
            for line in ranking.lines { print(line) }
        }
    }

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the voices that have names.")

        func run() { for name in VoiceLibrary.names { print(name) } }
    }
}
