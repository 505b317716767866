import ArgumentParser
import Foundation
import TortoiseCommandLine
import TortoiseCore

/// Makes and looks after voices.
struct VoiceCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "voice", abstract: "Make, mix, check, convert and list voices.",
        subcommands: [Encode.self, Mix.self, Random.self, Check.self, Convert.self, List.self])

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
            let voice = try VoiceLibrary(models, mode: LatentMode(named: latents), seed: seed).voice(recordings)
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
            let models = try modelOptions.load().models
            try VoiceLibrary(models).voice(voices).write(to: outPath)
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
            let models = try modelOptions.load().models
            try VoiceLibrary(models, seed: seed).voice("random").write(to: outPath)
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
            guard !ranking.entries.isEmpty else {
                throw InputError.data("none of the recordings can be used", at: recordings)
            }
        }
    }

    struct Convert: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Say a recording again in another voice, word for word and in its rhythm.",
            discussion: """
                The recording's own mel codes are spoken. In the recording's own voice this is the best that the models can do after \
                the autoregressive one.
                """)

        @Argument(help: "The recording.")
        var recording: String

        @Argument(help: "What is said in it.")
        var text: String

        @Option(help: ArgumentHelp("The voice; the recording's own by default.", valueName: "voice"))
        var voice: String?

        @Option(
            name: [.customShort("o"), .customLong("out-path")], help: ArgumentHelp("Where to write.", valueName: "file")
        )
        var outPath = "converted.wav"

        @OptionGroup var modelOptions: ModelOptions
        @OptionGroup var samplingOptions: SamplingOptions

        func run() throws {
            let settings = try samplingOptions.settings()
            let (models, frontEnd) = try modelOptions.load()
            let target = try VoiceLibrary(models, seed: settings.seed).voice(voice ?? recording)
            let spoken = try SpeechPipeline(models, frontEnd).convert(
                recording: recording, text: text, to: target, settings)
            let clip = AudioClip(mono: spoken.samples, sampleRate: SpokenUtterance.sampleRate)
            try AudioFile.write(
                clip, to: outPath, format: AudioFormat(path: outPath),
                metadata: AudioMetadata(title: text, comment: SpeechReport.settingsJSON(settings)))
            if let remark = try models.remark(on: target) { StandardError.say(remark) }
            print("\(outPath): \(spoken.codes.count) codes")
        }
    }

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the voices that have names.")

        func run() { for name in VoiceLibrary.names { print(name) } }
    }
}
