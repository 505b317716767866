import ArgumentParser
import Foundation
import Synchronization
import TortoiseCommandLine
import TortoiseCore

/// Recordings and transcripts become a dataset.
struct Prepare: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Turn recordings and transcripts into a dataset to train on.",
        discussion: """
            Takes voices/<group>/<speaker>/*.wav with metadata/<group>/<speaker>/whisper.json (openai-whisper, whisperX or \
            whisper.cpp), an LJSpeech metadata.csv, or a folder of recordings with text files of the same names. What the Python \
            trainer prepared, <group>/<speaker>/*.mel, is taken over as it is, without models. Stopped at any time, it goes on where \
            it was.
            """)

    @Option(help: ArgumentHelp("The folder of recordings, or an LJSpeech metadata.csv.", valueName: "path"))
    var input = "voices"

    @Option(help: ArgumentHelp("The folder of transcripts.", valueName: "folder"))
    var metadata = "metadata"

    @Option(help: ArgumentHelp("The transcripts' file name.", valueName: "name"))
    var transcripts = "whisper.json"

    @Option(help: ArgumentHelp("The dataset to write.", valueName: "file"))
    var output = "training/data.h5"

    @Option(help: ArgumentHelp("Settings under 'text' and 'prepare'; flags win.", valueName: "file"))
    var yaml: String?

    @Option(
        name: .customLong("for"),
        help: "What it will train, by commas: autoregressive, conditioning, dvae, diffusion, vocoder, vocoder-tuning.")
    var purpose = "autoregressive"

    @Option(help: ArgumentHelp("Weights of the DVAE, which makes the codes.", valueName: "file"))
    var dvae: String?

    @Option(
        help: ArgumentHelp(
            "Weights of the autoregressive model, which makes its conditioning latents.", valueName: "file"))
    var autoregressive: String?

    @Option(
        help: ArgumentHelp("Weights of the diffusion decoder, which makes its conditioning latents.", valueName: "file")
    )
    var diffusion: String?

    @Flag(
        help:
            "Make latents of whole utterances instead of stretches of a fixed length: for models trained from scratch.")
    var wholeClips = false

    @Option(help: "Speakers to take, by commas; * and ? match.")
    var voices = ""

    @Option(help: "The speaker's name where folders do not tell it, as group/speaker.")
    var speaker = "own/voice"

    @Option(help: "Cut recordings along their transcripts' segments: auto, true or false.")
    var slice: String?

    @Option(help: "The longest utterance that is kept, in seconds.")
    var maxDuration: Double?

    @Option(help: "Take a random choice of this many utterances.")
    var limit: Int?

    @Option(help: "Take a random choice of this many utterances of each speaker first, for an even mix.")
    var limitPerSpeaker: Int?

    @Option(
        help: ArgumentHelp("The vocabulary; the configuration's or the published one by default.", valueName: "file"))
    var tokenizer: String?

    private static let purposes = [
        "autoregressive", "conditioning", "dvae", "diffusion", "vocoder", "vocoder-tuning",
    ]

    func run() throws {
        let loaded = try yaml.map { try Configuration.load(ConfigurationSource(yaml: $0)) }
        let configuration = loaded?.configuration ?? Configuration()
        let settings = try settings(configuration.prepare)
        if MelImport.applies(to: input) { return try takeOver(loaded) }
        let needsCodes =
            settings.storeDiffusedMels
            || wanted.contains { ["autoregressive", "conditioning", "diffusion"].contains($0) }
        if needsCodes, dvae == nil {
            throw InputError.usage(
                "codes are needed for \(purpose), and --dvae is missing", try: "give the DVAE's weights")
        }
        let plan = try RecordingPlan(
            source, slice: settings.slice, voices: voices.split(separator: ",").map(String.init),
            minimumUtterances: settings.minimumUtterances, limit: limit, speakerLimit: limitPerSpeaker)
        let vocabulary = try tokenizer ?? TextFrontEnd.vocabulary(of: loaded)
        let frontEnd = try TextFrontEnd(tokenizer: vocabulary, of: loaded)
        let encoder = try ModelEncoder(
            dvae: needsCodes ? dvae : nil, autoregressive: autoregressive, diffusion: diffusion,
            hearsWholeClips: wholeClips, makesDiffusedMels: settings.storeDiffusedMels)
        let preparation = DatasetPreparation(
            plan, frontEnd: frontEnd, encoder: encoder, settings: settings, language: configuration.text.language,
            tokenizerHash: try SHA256.hex(ofFile: vocabulary), path: output)
        let report = try stoppable { try preparation.run($0) }
        if let code = encoder.silenceCode {
            print("silence is code \(code): calm_token of a model trained on these codes")
        }
        try requireSome(report)
    }

    /// What the Python trainer prepared needs no models.
    private func takeOver(_ loaded: LoadedConfiguration?) throws {
        guard wanted == ["autoregressive"] else {
            throw InputError.usage(
                ".mel files hold codes, text and latents, which train the autoregressive model only", at: "--for",
                try: "prepare the recordings for \(purpose)")
        }
        let vocabulary = try tokenizer ?? TextFrontEnd.vocabulary(of: loaded)
        let artifacts = try MelImport(
            input, output: output, tokenizerHash: SHA256.hex(ofFile: vocabulary),
            language: (loaded?.configuration ?? Configuration()).text.language)
        try requireSome(try stoppable { try artifacts.run($0) })
    }

    /// Shows the progress and the report of a preparation, which SIGINT and SIGTERM end between two utterances, so that what was made
    /// is kept.
    private func stoppable(
        _ prepare: ((_ done: Int, _ total: Int) throws -> Void) throws -> PreparationReport
    ) throws -> PreparationReport {
        let progress = ProgressLine("preparing")
        let interruption = Mutex<Int32?>(nil)
        SignalWatch.start([SIGINT, SIGTERM]) { number in interruption.withLock { $0 = number } }
        let report = try prepare { done, total in
            if let number = interruption.withLock({ $0 }) { throw ExitCode(128 + number) }
            progress.update(done, total)
        }
        progress.finish()
        for line in report.lines() { print(line) }
        return report
    }

    private func requireSome(_ report: PreparationReport) throws {
        guard report.kept + report.present > 0 else {
            throw InputError.data(
                "no utterance was kept", at: input, try: "the list above says why each was left out")
        }
    }

    private var wanted: [String] { purpose.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) } }

    private func settings(_ base: PrepareSettings) throws -> PrepareSettings {
        var settings = base
        for name in wanted where !Self.purposes.contains(name) {
            throw InputError.usage("expected \(Self.purposes.joined(separator: ", ")), found '\(name)'", at: "--for")
        }
        if wanted.contains("dvae") || wanted.contains("conditioning") { settings.storeDVAEMels = true }
        if wanted.contains("diffusion") { settings.storeDiffusionMels = true }
        if wanted.contains("vocoder") || wanted.contains("vocoder-tuning") { settings.storeWaveforms = true }
        if wanted.contains("vocoder-tuning") { settings.storeDiffusedMels = true }
        if let maxDuration { settings.maximumDuration = maxDuration }
        if let slice {
            guard let mode = SliceMode(rawValue: slice) else {
                throw InputError.usage("expected auto, true or false, found '\(slice)'", at: "--slice")
            }
            settings.slice = mode
        }
        return settings
    }

    private var source: RecordingPlan.Source {
        if input.hasSuffix(".csv") { return .ljSpeech(csv: input, speaker: speaker) }
        let names = (try? FileManager.default.contentsOfDirectory(atPath: input)) ?? []
        if names.contains(where: { $0.hasSuffix(".txt") }) { return .pairs(folder: input, speaker: speaker) }
        if names.contains("metadata.csv") { return .ljSpeech(csv: input + "/metadata.csv", speaker: speaker) }
        return .voices(folder: input, metadata: metadata, transcriptName: transcripts)
    }
}
