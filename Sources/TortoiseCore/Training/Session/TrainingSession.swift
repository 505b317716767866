import Foundation

/// A training run from its configuration to its end: what `tortoise-train run` is.
public final class TrainingSession {
    /// How it is started.
    public struct Options: Sendable {
        /// Continue although data or settings are not those of the checkpoint.
        public var isForced = false
        /// Evaluate once and leave.
        public var evaluatesOnly = false
        /// Write the newest checkpoint's weights for inference and leave.
        public var exportsOnly = false
        public var commandLine: [String] = []
        public var version = ""

        public init() {}
    }

    private let loaded: LoadedConfiguration
    private let configuration: Configuration
    private let paths: RunPaths
    private let entry: ModelEntry
    private let lora: LoRAEntry?
    private let notes: [String]
    private var lock: RunLock?

    /// The folder that checkpoints, logs and the control file are in.
    public var root: String { paths.root }

    /// - Throws: `InputError.usage` when the configuration does not say clearly what is to be trained.
    public init(_ loaded: LoadedConfiguration) throws {
        self.loaded = loaded
        (configuration, paths) = (loaded.configuration, loaded.paths)
        notes = loaded.notes.map { "\($0)" }
        let trained = configuration.trainedModels
        guard let first = trained.first, trained.count == 1 else {
            let names = trained.map(\.name).joined(separator: ", ")
            throw InputError.usage(
                trained.isEmpty
                    ? "no model is marked for training" : "several models are marked for training: \(names)",
                at: "models",
                try: "set 'training: True' for one of them; stages are trained one after another")
        }
        entry = first
        lora = configuration.lora.flatMap { $0.training ? $0 : nil }
    }

    /// What a run would train on and leave out, for people.
    ///
    /// - Throws: `InputError` as `run` would before its first step.
    public func selectionSummary() throws -> [String] {
        let data = try DatasetFile(path: paths.resolve(configuration.dataset.hdf5Name))
        let prepared = try TaskFactory(
            configuration: configuration, paths: paths, entry: entry, lora: lora, note: { _ in }
        ).make()
        for content in prepared.needs { try content.check(in: data.schema, data.path) }
        return try selection(of: data, prepared).summary(
            try data.utteranceNames(), try data.speakers(), try data.speakerOfEach())
    }

    private func selection(of data: DatasetFile, _ prepared: PreparedTask) throws -> DatasetSelection {
        try DatasetSelection(
            data, configuration.dataset, paths: paths, limits: prepared.limits, isSilent: configuration.silentErrors)
    }

    /// Keeps other trainers out of the folder; `run` does so where it was not done.
    ///
    /// - Throws: `InputError.usage` when one runs there.
    public func takeFolder() throws {
        guard lock == nil else { return }
        guard FileManager.default.fileExists(atPath: paths.root) else {
            throw InputError.usage("the folder of the configuration is missing", at: paths.root)
        }
        lock = try RunLock(root: paths.root)
        ControlFile(folder: paths.root).discard()
    }

    /// Trains until the end or until somebody asks to stop.
    ///
    /// - Parameters:
    ///   - inbox: Where commands and signals arrive.
    ///   - report: Hears of everything.
    /// - Throws: `InputError` for settings, files and data that do not allow to start or to go on.
    public func run(
        _ options: Options, inbox: CommandInbox, report: @escaping (TrainingEvent) -> Void
    ) throws -> TrainingOutcome {
        try takeFolder()
        let (threads, isMixed) = (configuration.trainer.threads, configuration.trainer.usesMixedPrecision)
        let products = ProductPrecision.mixed(isMixed)
        if isMixed, products == .float32 {
            report(.answer("trainer.amp: \(ProductPrecision.whyNotMixed), so training is in float32"))
        }
        return try Execution.with(threads: threads > 0 ? threads : nil, products: products) {
            try self.runLocked(options, inbox, report)
        }
    }

    private func runLocked(
        _ options: Options, _ inbox: CommandInbox, _ report: @escaping (TrainingEvent) -> Void
    ) throws -> TrainingOutcome {
        for note in notes { report(.answer(note)) }
        let prepared = try TaskFactory(configuration: configuration, paths: paths, entry: entry, lora: lora) {
            report(.answer($0))
        }.make()
        guard !options.exportsOnly else { return try export(prepared.task, width: prepared.width, options, report) }
        let data = try DatasetFile(path: paths.resolve(configuration.dataset.hdf5Name))
        for content in prepared.needs { try content.check(in: data.schema, data.path) }
        if prepared.startedFrom == nil {
            report(.answer("training starts from random weights: no path was given, and none were exported before"))
        }
        let selection = try selection(of: data, prepared)
        for line in selection.summary(try data.utteranceNames(), try data.speakers(), try data.speakerOfEach()) {
            report(.answer(line))
        }
        return try start(prepared.task, prepared, data, selection, options, inbox, report)
    }

    /// Needs no dataset: the newest checkpoint has all that is exported, wherever its training began.
    private func export<Task: TrainingTask>(
        _ task: Task, width: Int, _ options: Options, _ report: @escaping (TrainingEvent) -> Void
    ) throws -> TrainingOutcome {
        let folder = try prepareFolder(task.name, options, report)
        let trainer = try makeTrainer(task, NoBatches(), width: width, folder, CommandInbox(), nil, report)
        guard try trainer.resume(isForced: true) != nil else {
            throw InputError.model("there is no checkpoint to export", at: folder.checkpoints, try: "train first")
        }
        return .finished(step: trainer.state.stats.step, isComplete: trainer.export())
    }

    private func start<Task: TrainingTask>(
        _ task: Task, _ prepared: PreparedTask, _ data: DatasetFile, _ selection: DatasetSelection, _ options: Options,
        _ inbox: CommandInbox, _ report: @escaping (TrainingEvent) -> Void
    ) throws -> TrainingOutcome where Task.Batch == UtteranceBatch {
        let identity = [("vocabulary", data.schema.tokenizerHash), ("model", task.name)]
        let source = try DatasetBatchSource(
            data, selection.training, configuration.dataset, batchSize: configuration.hyperparameters.batchSize,
            seed: UInt64(bitPattern: Int64(configuration.trainer.seed)), identity: identity,
            limits: prepared.limits, promptSeconds: prepared.promptSeconds)
        let folder = try prepareFolder(task.name, options, report)
        let evaluation = try Evaluation(
            data, selection, configuration, prepared,
            speech: EvaluationSpeech(task, data.schema, loaded, folder: folder.logs) { report(.answer($0)) })
        let trainer = try makeTrainer(
            task, source, width: prepared.width, folder, inbox,
            evaluation.isEmpty ? nil : { try evaluation.evaluate(task, step: $0) }, report)
        // What is judged is what was trained, wherever that training began.
        let isFresh =
            configuration.trainer.loadStateDict && configuration.trainer.loadTag == nil && !options.evaluatesOnly
        let continued = isFresh ? nil : try trainer.resume(isForced: options.isForced)
        if continued == nil, !isFresh, let lora, case let others = folder.adapters(named: lora.name), !others.isEmpty {
            report(
                .answer(
                    "\(lora.fullName) is a new adapter; what was trained with another rank or alpha stays in \(others.joined(separator: ", "))"
                ))
        }
        report(.started(overview(task, trainer, source, continued ?? prepared.startedFrom, folder)))
        if options.evaluatesOnly {
            return .finished(step: trainer.state.stats.step, isComplete: trainer.evaluate())
        }
        return try trainer.run()
    }

    private func prepareFolder(
        _ name: String, _ options: Options, _ report: (TrainingEvent) -> Void
    ) throws -> RunFolder {
        let folder = RunFolder(paths, name: name)
        let leftovers = try folder.prepare(
            configuration: try configuration.serialized(), commandLine: options.commandLine, version: options.version)
        if !leftovers.isEmpty {
            report(.answer("removed what a killed run left: \(leftovers.joined(separator: ", "))"))
        }
        return folder
    }

    private func makeTrainer<Task: TrainingTask, Source: BatchSource>(
        _ task: Task, _ source: Source, width: Int, _ folder: RunFolder, _ inbox: CommandInbox,
        _ evaluation: ((Int) throws -> EvaluationReport)?, _ report: @escaping (TrainingEvent) -> Void
    ) throws -> Trainer<Task, Source> where Task.Batch == Source.Batch {
        let hyperparameters = configuration.hyperparameters
        let schedule = try OptimizerFactory.makeSchedule(
            hyperparameters, iterations: configuration.trainer.iterations, width: width)
        let name = (lora == nil ? configuration.weightsName : "lora") + "." + configuration.weightsFormat.rawValue
        return Trainer(
            task, source,
            optimizers: try task.phases.map { try OptimizerFactory.makeOptimizer(hyperparameters, $0) },
            options: TrainerOptions(configuration, schedule: schedule, exportName: name), folder: folder, inbox: inbox,
            metrics: try MetricsLog(folder: folder.logs), evaluation: evaluation, report: report)
    }

    private func overview<Task: TrainingTask, Source: BatchSource>(
        _ task: Task, _ trainer: Trainer<Task, Source>, _ source: Source, _ continued: String?, _ folder: RunFolder
    ) -> TrainingOverview {
        let trained = trainer.state.trained.reduce(0) { $0 + $1.shape.product }
        return TrainingOverview(
            model: task.name, trainableParameters: trained,
            frozenParameters: task.parameters.reduce(0) { $0 + $1.shape.product } - trained,
            firstStep: trainer.state.stats.step,
            iterations: configuration.trainer.iterations,
            stepsPerEpoch: max(1, source.batchesPerEpoch / configuration.hyperparameters.gradientAccumulationSteps),
            continuedFrom: continued,
            stateBytes: trainer.state.byteCount, availableBytes: ProcessMemory.available, logs: folder.logs)
    }
}

extension DatasetSelection {
    /// For people: how much is kept and dropped, and up to twenty names of what is dropped.
    func summary(_ names: [String], _ speakers: [String], _ speakerOfEach: [Int32]) -> [String] {
        let seconds = (training + validation).reduce(0) { $0 + $1.duration }
        var lines = [
            "dataset: \(training.count.counted("utterance")) to train on, \(validation.count) to validate with, \(seconds.asTime); \(dropped.count) dropped"
        ]
        for (index, reason) in dropped.prefix(20) {
            lines.append("  \(speakers[Int(speakerOfEach[index])])/\(names[index]): \(reason)")
        }
        if dropped.count > 20 {
            let counts = Dictionary(grouping: dropped, by: \.reason).mapValues(\.count).sorted { $0.key < $1.key }
            lines.append("  in all: " + counts.map { "\($0.value) × \($0.key)" }.joined(separator: ", "))
        }
        return lines
    }
}
