import ArgumentParser
import Foundation
import TortoiseCommandLine
import TortoiseCore

/// Speaks a text.
struct Speak: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Speak a text in the voice of a recording.",
        discussion: """
            Each line of the text is an utterance; they are joined in order. The voice is a recording, several ("a.wav;b.wav"), \
            a folder, a .voice file, a name in data/voices, a mix ("heart:0.7+george:0.3") or "random".
            """)

    @Argument(help: "The text, or \"-\" for standard input.")
    var text: String

    @Argument(help: "The voice; --voice says the same.")
    var reference: String?

    @Option(help: ArgumentHelp("The voice.", valueName: "voice"))
    var voice: String?

    @Option(
        name: [.customShort("o"), .customLong("out-path")],
        help: ArgumentHelp("Where to write; \"-\" is standard output.", valueName: "file"))
    var outPath: String?

    @Option(help: "How latents are made of recordings: whole, average (the original) or joined (e-c-k-e-r).")
    var latents = "whole"

    @Flag(help: "Write sound as soon as it is settled: in pieces through HiFi-GAN, else each line when it is done.")
    var stream = false

    @OptionGroup var modelOptions: ModelOptions
    @OptionGroup var samplingOptions: SamplingOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        Interruption.leaveCleanly()
        let settings = try samplingOptions.settings(isStreamed: stream)
        let mode = try LatentMode(named: latents)
        let contents = try Self.contents(text)
        let path = outPath ?? Self.defaultPath()
        let format = try path == "-" ? AudioFormat(named: "wav") : AudioFormat(path: path)
        try checkOutput(path, settings)
        let parts = try modelOptions.parts()
        let frontEnd = parts.frontEnd
        let first = SpeechPipeline.lines(of: contents)
        guard !first.isEmpty else { throw InputError.data("the text is empty", try: "give something to say") }
        let isLong = try first.count > 1 || frontEnd.phrases(of: first[0], longest: settings.longestPhrase).count > 1
        let models = parts.models(keepsLoaded: isLong || settings.kept > 1)
        let start = ContinuousClock.now
        let voice = try VoiceLibrary(models, mode: mode, seed: settings.seed, cache: .standard()).voice(
            voice ?? reference ?? DefaultVoice.name())
        let voiceSeconds = start.duration(to: .now).seconds
        let remarks = try models.remark(on: voice).map { [$0] } ?? []
        let pipeline = SpeechPipeline(models, frontEnd)
        let lines = try pipeline.utterances(of: contents, longestPhrase: settings.longestPhrase)
        guard !stream else {
            return try streamLines(
                lines, pipeline, voice, settings, to: path, format, since: start, voiceSeconds: voiceSeconds, remarks)
        }
        let display = StageDisplay(isQuiet: output.quiet || output.json)
        var versions: [[SpokenUtterance]] = []
        for (index, line) in lines.enumerated() {
            versions.append(
                try pipeline.speak(line, voice: voice, settings, utterance: index) {
                    display.show($0, index, lines.count)
                })
        }
        display.finish()
        let kept = versions.map(\.count).min() ?? 0
        var written: [String] = []
        for version in 0..<kept {
            let name = Self.numbered(path, version, of: kept)
            let samples = SpeechJoin.joined(versions.map { $0[version].samples })
            try write(samples, to: name, format, settings)
            written.append(name)
        }
        try report(versions, pipeline.timings, voiceSeconds: voiceSeconds, written, settings, remarks)
    }

    /// What cannot be written is said before anything is spoken.
    private func checkOutput(_ path: String, _ settings: SpeechSettings) throws {
        guard !stream || settings.kept == 1 else {
            throw InputError.usage("a stream has one version", at: "--keep", try: "leave out --stream or --keep")
        }
        guard path == "-" else {
            // Opened and let go: nothing is left of it.
            _ = try AtomicFile(path: path)
            return
        }
        guard settings.kept == 1 else {
            throw InputError.usage("standard output takes one version", at: "--keep", try: "name a file with -o")
        }
        guard !output.json else {
            throw InputError.usage(
                "standard output takes the sound or the report", at: "--json", try: "name a file with -o")
        }
    }

    private func streamLines(
        _ lines: [String], _ pipeline: SpeechPipeline, _ voice: Voice, _ settings: SpeechSettings, to path: String,
        _ format: AudioFormat, since start: ContinuousClock.Instant, voiceSeconds: Double, _ remarks: [String]
    ) throws {
        let sink = try SpeechSink(path: path, format: format, title: text, settings: settings)
        var firstSound: Double?
        var spokenLines: [SpokenUtterance] = []
        for (index, line) in lines.enumerated() {
            if index > 0 {
                try sink.write(SpeechJoin.silence(SpeechJoin.pause))
            }
            spokenLines.append(
                try pipeline.stream(line, voice: voice, settings, utterance: index) { samples in
                    try sink.write(samples)
                    firstSound = firstSound ?? start.duration(to: .now).seconds
                })
        }
        try sink.finish()
        guard !output.json else {
            return try report([spokenLines], pipeline.timings, voiceSeconds: voiceSeconds, [path], settings, remarks)
        }
        guard !output.quiet else { return }
        let (spent, spoken) = (start.duration(to: .now).seconds, sink.seconds)
        let line = String(
            format: "first sound after %.2f s; %.2f s for %.2f s of speech, real-time factor %.2f; seed %llu",
            firstSound ?? spent,
            spent, spoken, spent / max(spoken, 1e-3), settings.seed)
        (remarks + [line]).forEach(StandardError.say)
    }

    private func write(_ samples: [Float], to path: String, _ format: AudioFormat, _ settings: SpeechSettings) throws {
        let clip = AudioClip(mono: samples, sampleRate: SpokenUtterance.sampleRate)
        let metadata = AudioMetadata(title: String(text.prefix(200)), comment: SpeechReport.settingsJSON(settings))
        guard path == "-" else { return try AudioFile.write(clip, to: path, format: format, metadata: metadata) }
        try StandardOutput.write(AudioFile.encode(clip, as: format, metadata: metadata))
    }

    private func report(
        _ versions: [[SpokenUtterance]], _ timings: SpeechTimings, voiceSeconds: Double, _ written: [String],
        _ settings: SpeechSettings, _ remarks: [String]
    ) throws {
        let spoken = versions.flatMap { $0 }
        let report = SpeechReport(
            spoken, timings, voiceSeconds: voiceSeconds, files: written, settings: settings, remarks: remarks)
        if output.json {
            try StandardOutput.write(report.json + "\n")
        } else if !output.quiet {
            report.lines.forEach(StandardError.say)
        }
    }

    private static func contents(_ text: String) throws -> String {
        guard text == "-" else { return text }
        guard let read = try FileHandle.standardInput.readToEnd() else { return "" }
        guard let decoded = String(data: read, encoding: .utf8) else {
            throw InputError.data("the text is not UTF-8", at: "standard input")
        }
        return decoded
    }

    private static func defaultPath() -> String {
        try? FileManager.default.createDirectory(atPath: "data/results", withIntermediateDirectories: true)
        return "data/results/\(Int(Date().timeIntervalSince1970)).wav"
    }

    private static func numbered(_ path: String, _ version: Int, of count: Int) -> String {
        guard count > 1, path != "-" else { return path }
        let suffix = (path as NSString).pathExtension
        return (path as NSString).deletingPathExtension + "-\(version + 1)." + suffix
    }
}

/// What a command prints.
struct OutputOptions: ParsableArguments {
    @Flag(help: "Say nothing but errors.")
    var quiet = false

    @Flag(help: "Print a report as JSON on standard output.")
    var json = false
}

/// The voice that speaks when none is named.
enum DefaultVoice {
    static func name() throws -> String {
        guard let first = VoiceLibrary.defaultName() else {
            throw InputError.usage(
                "a voice is missing",
                try: "give a recording of somebody speaking, 6 s or more: tortoise-infer \"text\" voice.wav")
        }
        return first
    }
}

/// One bar per stage on a terminal, a line per stage elsewhere.
final class StageDisplay {
    private let isQuiet: Bool
    private var current: (stage: SpeechStage, utterance: Int, line: ProgressLine)?

    init(isQuiet: Bool) { self.isQuiet = isQuiet }

    func show(_ progress: SpeechProgress, _ utterance: Int, _ count: Int) {
        guard !isQuiet else { return }
        if current?.stage != progress.stage || current?.utterance != utterance {
            finish()
            let label = count > 1 ? "\(progress.stage.rawValue) \(utterance + 1)/\(count)" : progress.stage.rawValue
            current = (progress.stage, utterance, ProgressLine(label))
        }
        current?.line.update(progress.done, progress.total)
    }

    func finish() {
        current?.line.finish()
        current = nil
    }
}

/// Where streamed speech goes: a file that appears when it is complete, or standard output as it comes.
final class SpeechSink {
    private let writer: AudioWriter?
    private let stream: AudioStream?
    private var count = 0
    private var readerIsThere = true

    init(path: String, format: AudioFormat, title: String, settings: SpeechSettings) throws {
        guard path == "-" else {
            stream = nil
            writer = try AudioWriter(
                path: path, format: format, sampleRate: SpokenUtterance.sampleRate,
                metadata: AudioMetadata(title: String(title.prefix(200)), comment: SpeechReport.settingsJSON(settings)))
            return
        }
        writer = nil
        let stream = AudioStream(wavAtSampleRate: SpokenUtterance.sampleRate)
        self.stream = stream
        readerIsThere = try AudioStream.write(stream.header, to: STDOUT_FILENO)
    }

    var seconds: Double { Double(count) / Double(SpokenUtterance.sampleRate) }

    /// - Throws: `InputError` when the disk is full; a reader that has gone ends the program quietly.
    func write(_ samples: [Float]) throws {
        count += samples.count
        try writer?.append(samples)
        guard let stream, readerIsThere else { return }
        readerIsThere = try AudioStream.write(
            stream.encode(AudioClip(mono: samples, sampleRate: SpokenUtterance.sampleRate)), to: STDOUT_FILENO)
        if !readerIsThere { throw ExitCode.success }
    }

    func finish() throws { try writer?.finish() }
}
