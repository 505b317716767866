import ArgumentParser
import Foundation
import TortoiseCommandLine
import TortoiseCore

/// Reads a long text.
struct Read: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Read a long text in one voice.",
        discussion: """
            The text is cut where people pause, and every part is kept until all are done: stopped at any time, the same command \
            goes on where it was.
            """)

    @Argument(help: ArgumentHelp("A text file, or \"-\" for standard input.", valueName: "file"))
    var text: String

    @Option(help: ArgumentHelp("The voice, as 'speak' takes it.", valueName: "voice"))
    var voice: String?

    @Option(
        name: [.customShort("o"), .customLong("out-path")], help: ArgumentHelp("Where to write.", valueName: "file"))
    var outPath = "reading.wav"

    @Option(help: ArgumentHelp("Also write subtitles; the suffix says which: .srt or .vtt.", valueName: "file"))
    var subtitles: String?

    @Option(help: "Characters that a part is filled up to.")
    var partLength = 150

    @Option(help: "Seconds of silence between parts.")
    var pause = 0.3

    @Option(help: "Seconds of silence between paragraphs.")
    var paragraphPause = 0.8

    @Flag(help: "Keep the parts as files when all are done.")
    var keepParts = false

    @OptionGroup var modelOptions: ModelOptions
    @OptionGroup var samplingOptions: SamplingOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        Interruption.leaveCleanly()
        let settings = try samplingOptions.settings()
        // A reading that is taken up again has to go on as it began.
        _ = try AudioFormat(path: outPath)
        let kind = try subtitleKind()
        guard outPath != "-" else {
            throw InputError.usage(
                "a reading is joined in a file", at: "-o", try: "name one, or stream with 'speak --stream'")
        }
        guard (1...10_000).contains(partLength) else {
            throw InputError.usage("expected 1 to 10000 characters, found \(partLength)", at: "--part-length")
        }
        guard (0...60).contains(pause), (0...60).contains(paragraphPause) else {
            throw InputError.usage("expected pauses of 0 to 60 seconds", at: "--pause")
        }
        let content = try contents()
        let (models, frontEnd) = try modelOptions.load()
        let voice = try VoiceLibrary(models, seed: settings.seed, cache: .standard()).voice(
            voice ?? DefaultVoice.name())
        if !output.quiet, !output.json, let remark = try models.remark(on: voice) { StandardError.say(remark) }
        let identity =
            "\(SpeechReport.settingsJSON(settings)) \(voice.autoregressive) \(voice.diffusion) \(models.identity)"
        var reading = try LongReading(
            content, frontEnd: frontEnd, desired: partLength, limit: partLength * 3 / 2, folder: outPath + ".parts",
            identity: identity)
        (reading.pause, reading.paragraphPause) = (pause, paragraphPause)
        let pipeline = SpeechPipeline(models, frontEnd)
        let progress = ProgressLine("reading")
        for part in reading.parts where !reading.isDone(part) {
            if !output.quiet, !output.json { progress.update(part.index, reading.parts.count) }
            let spoken = try pipeline.speak(part.text, voice: voice, settings, utterance: part.index)
            try reading.store(spoken[0].samples, of: part)
        }
        if !output.quiet, !output.json { progress.update(reading.parts.count, reading.parts.count) }
        progress.finish()
        let timings = try reading.join(
            to: outPath,
            metadata: AudioMetadata(
                title: (outPath as NSString).lastPathComponent, comment: SpeechReport.settingsJSON(settings)))
        if let subtitles, let kind {
            try AtomicFile.write(to: subtitles) { try $0.write(Array(kind.text(timings).utf8)) }
        }
        if !keepParts { reading.removeParts() }
        if output.json {
            try StandardOutput.write(report(timings).serialized + "\n")
        } else if !output.quiet {
            StandardError.say("wrote \(outPath): \(reading.parts.count) parts")
        }
    }

    private func report(_ timings: [LongReading.Timing]) -> JSONValue {
        [
            "files": .array([.string(outPath)] + (subtitles.map { [.string($0)] } ?? [])),
            "parts": .array(
                timings.map { ["text": .string($0.text), "start": .number($0.start), "end": .number($0.end)] }),
        ]
    }

    private func subtitleKind() throws -> Subtitles? {
        try subtitles.map { path in
            guard let kind = Subtitles(rawValue: (path as NSString).pathExtension.lowercased()) else {
                throw InputError.usage("expected a name that ends in .srt or .vtt", at: "--subtitles")
            }
            return kind
        }
    }

    private func contents() throws -> String {
        let data = text == "-" ? try FileHandle.standardInput.readToEnd() : FileManager.default.contents(atPath: text)
        guard let data else { throw InputError.data("cannot be read", at: text, try: "give a text file") }
        guard let decoded = String(data: data, encoding: .utf8) else {
            throw InputError.data("the text is not UTF-8", at: text)
        }
        return decoded
    }
}
