import ArgumentParser
import Foundation
import TortoiseCommandLine
import TortoiseCore

/// Where a configuration is.
struct ConfigurationOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The run's configuration.", valueName: "file"))
    var yaml: String?

    @Option(help: ArgumentHelp("Weights to train, in place of a configuration.", valueName: "file"))
    var model: String?

    @Option(help: ArgumentHelp("An adapter to train on.", valueName: "file"))
    var lora: String?

    func load() throws -> LoadedConfiguration {
        guard
            yaml != nil || model != nil || ProcessInfo.processInfo.environment["TORTOISE_YAML"] != nil
                || ProcessInfo.processInfo.environment["TORTOISE_MODEL"] != nil
        else { throw InputError.usage("a configuration is missing", try: "give --yaml training/finetune/config.yaml") }
        return try Configuration.load(ConfigurationSource(yaml: yaml, model: model, lora: lora))
    }
}

/// Trains.
struct Run: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Train what a configuration marks, and go on where its folder stopped.",
        discussion: """
            While it runs, type a word and press return: save, quit, eval, status, help and others. The same words are obeyed \
            from 'tortoise-train tell FOLDER WORD'.
            """)

    @OptionGroup var source: ConfigurationOptions

    @Flag(help: "Evaluate once and leave.")
    var eval = false

    @Flag(help: "Continue although data or settings have changed since the checkpoint.")
    var force = false

    @Flag(help: "Report steps as JSON lines on standard output.")
    var json = false

    @Option(help: ArgumentHelp("Show the run as a web page there.", valueName: "host:port"))
    var serve: String?

    @OptionGroup var access: AccessOptions

    func run() throws {
        try TrainingProgram(
            source: source, evaluatesOnly: eval, isForced: force, isJSON: json,
            page: try serve.map { try TrainingPage(address: $0, access) }
        ).run()
    }
}

/// Evaluates once.
struct Eval: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Evaluate the newest checkpoint once.")

    @OptionGroup var source: ConfigurationOptions

    @Flag(help: "Evaluate although data or settings have changed since the checkpoint.")
    var force = false

    @Flag(help: "Report as JSON lines on standard output.")
    var json = false

    func run() throws {
        try TrainingProgram(source: source, evaluatesOnly: true, isForced: force, isJSON: json, page: nil).run()
    }
}

/// Writes weights for inference.
struct Export: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Write the newest checkpoint's weights for inference: the model's, or the adapter's that is trained.")

    @OptionGroup var source: ConfigurationOptions

    @Option(help: "sft, safetensors, pth or pt; the configuration's by default.")
    var format: String?

    @Option(help: "float32, float16, bfloat16 or int8; the configuration's by default.")
    var dtype: String?

    func run() throws {
        var loaded = try source.load()
        if let format {
            guard let known = WeightsFormat(rawValue: format.lowercased()) else {
                throw InputError.usage("expected sft, safetensors, pth or pt, found '\(format)'", at: "--format")
            }
            loaded.configuration.weightsFormat = known
        }
        if let dtype {
            guard let known = WeightDType(rawValue: dtype.lowercased()) else {
                throw InputError.usage("expected float32, float16, bfloat16 or int8, found '\(dtype)'", at: "--dtype")
            }
            loaded.configuration.trainer.weightDType = known
        }
        var options = TrainingSession.Options()
        (options.exportsOnly, options.isForced) = (true, true)
        (options.commandLine, options.version) = (CommandLine.arguments, Train.configuration.version)
        let display = TrainingDisplay(isJSON: false)
        let outcome = try TrainingSession(loaded).run(options, inbox: CommandInbox()) { display.show($0) }
        display.close()
        throw ExitCode(outcome.exitCode)
    }
}

/// A session with everything around it: signals, standard input, the control file and the display.
struct TrainingProgram {
    let source: ConfigurationOptions
    let evaluatesOnly: Bool
    let isForced: Bool
    let isJSON: Bool
    let page: TrainingPage?

    func run() throws {
        let inbox = CommandInbox()
        let display = TrainingDisplay(isJSON: isJSON)
        defer { display.close() }
        // An evaluation has nothing to save.
        if evaluatesOnly {
            Interruption.leaveCleanly()
        } else {
            SignalMonitor.start(inbox: inbox, onSecondInterrupt: { display.close() })
        }
        let session = try TrainingSession(try source.load())
        // Before anything that a trainer which runs there already would notice.
        try session.takeFolder()
        let reader = StandardInputReader(inbox: inbox, keys: display.keys) { display.showTyped($0) }
        var options = TrainingSession.Options()
        (options.isForced, options.evaluatesOnly) = (isForced, evaluatesOnly)
        (options.commandLine, options.version) = (CommandLine.arguments, Train.configuration.version)
        inbox.onLine = { display.acknowledge($0) }
        if !evaluatesOnly {
            reader.start()
            ControlFile(folder: session.root).watch(into: inbox)
        }
        try page?.start(folder: session.root, display)
        let outcome = try session.run(options, inbox: inbox) { display.show($0) }
        throw ExitCode(outcome.exitCode)
    }
}
