import ArgumentParser
import Foundation
import TortoiseCommandLine
import TortoiseCore

/// Measures how fast this machine speaks.
struct BenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench", abstract: "Measure the time and real-time factor of every stage on this machine.",
        discussion: """
            The sentence is spoken once to load the models, then as often as asked; the middle one of the times counts. \
            'tortoise-bench' times single operations.
            """)

    @Option(help: "What is spoken.")
    var text = "The quick brown fox jumps over the lazy dog, and nobody in the village minds."

    @Option(help: ArgumentHelp("The voice, as 'speak' takes it.", valueName: "voice"))
    var voice: String?

    @Option(help: "How often it is spoken.")
    var repeats = 3

    @OptionGroup var modelOptions: ModelOptions
    @OptionGroup var samplingOptions: SamplingOptions

    @Flag(help: "Print a report as JSON on standard output.")
    var json = false

    func run() throws {
        Interruption.leaveCleanly()
        guard (1...1_000).contains(repeats) else {
            throw InputError.usage("expected 1 to 1000, found \(repeats)", at: "--repeats")
        }
        let settings = try samplingOptions.settings()
        let (models, frontEnd) = try modelOptions.load()
        let start = ContinuousClock.now
        let voice = try VoiceLibrary(models, seed: settings.seed).voice(try voice ?? DefaultVoice.name())
        let voiceSeconds = start.duration(to: .now).seconds
        var rounds: [SpeechTimings] = []
        var speech = 0.0
        let progress = ProgressLine("speaking")
        for round in 0...repeats {
            if !json { progress.update(round, repeats) }
            let pipeline = SpeechPipeline(models, frontEnd)
            speech = try pipeline.speak(text, voice: voice, settings).reduce(0) { $0 + $1.seconds }
            if round > 0 { rounds.append(pipeline.timings) }
        }
        progress.finish()
        let stages = SpeechStage.allCases.compactMap { stage -> (String, Double)? in
            let times = rounds.compactMap { $0.seconds[stage] }.sorted()
            return times.isEmpty ? nil : (stage.rawValue, times[times.count / 2])
        }
        let totals = rounds.map(\.total).sorted()
        report(
            stages + [("all", totals[totals.count / 2])], speech: speech, voiceSeconds: voiceSeconds,
            weights: models.precision)
    }

    private func report(
        _ stages: [(name: String, seconds: Double)], speech: Double, voiceSeconds: Double, weights: WeightPrecision?
    ) {
        let peak = ProcessMemory.peak >> 20
        let machine = "\(Execution.threadCount) threads, \(Execution.instructionSet.rawValue), \(BLASCore.name)"
        if json {
            let report: JSONValue = [
                "threads": .integer(Execution.threadCount),
                "instruction_set": .string(Execution.instructionSet.rawValue), "repeats": .integer(repeats),
                "speech_seconds": .number(speech), "voice_seconds": .number(voiceSeconds),
                "stages": .object(stages.map { .init(key: $0.name, value: .number($0.seconds)) }),
                "peak_megabytes": .integer(peak),
            ]
            print(report.serialized)
            return
        }
        print("\(machine); weights \(weights?.rawValue ?? "as stored"), peak memory \(peak) MB")
        print(String(format: "voice      %7.3f s, once", voiceSeconds))
        for (name, seconds) in stages {
            let padded = name + String(repeating: " ", count: max(1, 11 - name.count))
            print(padded + String(format: "%7.3f s   real-time factor %.3f", seconds, seconds / max(speech, 1e-3)))
        }
        print(String(format: "           for %.2f s of speech, the middle of %d", speech, repeats))
    }
}
