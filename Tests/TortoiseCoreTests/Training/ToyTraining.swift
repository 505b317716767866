import Foundation
import Testing

@testable import TortoiseCore

/// Numbers to regress on.
struct ToyBatch: TrainingBatch {
    let inputs, targets: [Float]
    var sampleCount: Int { targets.count }
    var tokenCount: Int { inputs.count }
    let names: [String]
}

/// Batches that are a pure function of seed, epoch and number; some can be spoiled.
final class ToySource: BatchSource {
    private(set) var position = SamplerPosition()
    let batchesPerEpoch = 7
    let secondsWaiting = 0.0
    var identity: [(name: String, value: String)]
    var spoils: (SamplerPosition) -> Bool = { _ in false }
    /// Where reading fails.
    var fails: (SamplerPosition) -> Bool = { _ in false }

    init(identity: String = "toy") { self.identity = [("dataset", identity)] }

    func next() throws -> ToyBatch {
        if fails(position) { throw InputError.data("the disk is gone") }
        let numbers = RandomSource(seed: 5)["toy"][position.epoch][position.batch].stream.normals(12)
        let inputs = numbers.map { spoils(position) ? Float.nan : $0 }
        let targets: [Float] = (0..<3).map { row in 2 * inputs[4 * row] - inputs[4 * row + 1] }
        let batch = ToyBatch(inputs: inputs, targets: targets, names: ["toy/\(position.epoch)-\(position.batch)"])
        position.batch += 1
        if position.batch == batchesPerEpoch { position = SamplerPosition(epoch: position.epoch + 1) }
        return batch
    }

    func seek(to position: SamplerPosition) { self.position = position }
}

/// A small network with dropout, trained in one phase or two.
final class ToyTask: TrainingTask {
    let name = "toy"
    private let first, second: Linear
    private let store: ParameterStore
    private let hasTwoPhases: Bool
    private var stepsSeen = 0

    init(seed: UInt64 = 1, hasTwoPhases: Bool = false) {
        self.hasTwoPhases = hasTwoPhases
        let made = ParameterStore.initialize(seed: seed) { scope in
            (Linear(4, 8, at: scope["first"]), Linear(8, 1, at: scope["second"]))
        }
        ((first, second), store) = made
        store.setTrainable()
    }

    var parameters: [Parameter] { store.parameters }
    var phases: [TrainingPhase] {
        guard hasTwoPhases else { return [TrainingPhase("", parameters)] }
        return [TrainingPhase("a", Array(parameters[..<2])), TrainingPhase("b", Array(parameters[2...]))]
    }

    func loss(_ batch: ToyBatch, phase: Int, _ run: RunContext) -> TaskLoss {
        let x = Tensor(batch.inputs, shape: [batch.targets.count, 4])
        let y = second(run.dropout(first(x).tanh, 0.1)).reshaped(batch.targets.count)
        let loss = meanSquaredError(y, Tensor(batch.targets))
        return TaskLoss(loss, parts: [("mse", loss.item)])
    }

    func didStep(_ step: Int, _ run: RunContext) { stepsSeen += 1 }

    func extraState() -> StateDictionary? {
        var state = StateDictionary(kind: "toy")
        state.append("steps", Double(stepsSeen))
        return state
    }

    func restoreExtraState(_ state: StateDictionary) throws {
        var reader = try StateReader(state, kind: "toy")
        stepsSeen = reader.count("steps")
        try reader.finish()
    }

    func exportedWeights(dtype: WeightDType) -> ExportedWeights {
        ExportedWeights(parameters.map { ($0.name, TensorSource($0.value.detached)) })
    }

    var bits: [[UInt32]] { parameters.map { $0.value.values.map(\.bitPattern) } }
    var extraSteps: Int { stepsSeen }
}

/// A run in a folder of its own, and everything that it said.
final class ToyRun {
    let root: String
    let task: ToyTask
    let source: ToySource
    let inbox = CommandInbox()
    private(set) var events: [TrainingEvent] = []
    private(set) var trainer: Trainer<ToyTask, ToySource>?

    var evaluation: ((Int) throws -> EvaluationReport)?
    /// Called for every event, to type commands at the right time.
    var onEvent: (TrainingEvent) -> Void = { _ in }

    init(root: String, task: ToyTask = ToyTask(), source: ToySource = ToySource()) {
        (self.root, self.task, self.source) = (root, task, source)
    }

    @discardableResult
    func run(
        steps: Int, optimizer: OptimizerName = .adamw, force: Bool = false,
        _ change: (inout Configuration) -> Void = { _ in }
    ) throws -> TrainingOutcome {
        var configuration = Configuration()
        configuration.hyperparameters.optimizer = optimizer
        configuration.hyperparameters.learningRate = optimizer == .prodigy ? 1 : 0.02
        configuration.hyperparameters.gradientAccumulationSteps = 2
        configuration.trainer.iterations = steps
        configuration.trainer.saveFrequency = 0
        configuration.evaluation.frequency = 0
        change(&configuration)
        let folder = RunFolder(RunPaths(root: root, startTime: 1), name: "toy")
        _ = try folder.prepare(configuration: "", commandLine: [], version: "test")
        let schedule = try OptimizerFactory.makeSchedule(configuration.hyperparameters, iterations: steps, width: 8)
        let optimizers = try task.phases.map { try OptimizerFactory.makeOptimizer(configuration.hyperparameters, $0) }
        let trainer = Trainer(
            task, source, optimizers: optimizers,
            options: TrainerOptions(configuration, schedule: schedule, exportName: "fp32.sft"), folder: folder,
            inbox: inbox,
            metrics: try MetricsLog(folder: folder.logs), evaluation: evaluation
        ) { [unowned self] event in
            events.append(event)
            onEvent(event)
        }
        self.trainer = trainer
        _ = try trainer.resume(isForced: force)
        return try trainer.run()
    }

    var answers: [String] { events.compactMap { if case .answer(let text) = $0 { text } else { nil } } }
    var refusals: [String] { events.compactMap { if case .refused(let text) = $0 { text } else { nil } } }
    var warnings: [String] { events.compactMap { if case .warning(let text) = $0 { text } else { nil } } }
    var savedSteps: [Int] { events.compactMap { if case .saved(let step, _, _, _) = $0 { step } else { nil } } }
    var steps: [StepReport] { events.compactMap { if case .step(let report) = $0 { report } else { nil } } }
}
