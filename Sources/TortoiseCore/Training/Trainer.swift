import Foundation

/// Settings of the loop that come from the configuration.
public struct TrainerOptions: Sendable {
    public var hyperparameters: Hyperparameters
    public var trainer: TrainerSettings
    public var evaluation: EvaluationSettings
    public var schedule: LearningRateSchedule
    /// The file of exported weights, such as `fp32.sft` or `lora.sft`.
    public var exportName: String

    public init(_ configuration: Configuration, schedule: LearningRateSchedule, exportName: String) {
        self.exportName = exportName
        hyperparameters = configuration.hyperparameters
        trainer = configuration.trainer
        evaluation = configuration.evaluation
        self.schedule = schedule
    }
}

/// The training loop: obey, evaluate, save, micro-steps, clip, step, log. Tasks differ only in their losses.
public final class Trainer<Task: TrainingTask, Source: BatchSource> where Task.Batch == Source.Batch {
    let options: TrainerOptions
    let state: TrainingState<Task>
    let source: Source
    let folder: RunFolder
    let checkpoints: CheckpointFolder
    let inbox: CommandInbox
    let metrics: MetricsLog
    let report: (TrainingEvent) -> Void
    /// Evaluates; nil when the run has nothing to evaluate with.
    let evaluation: ((_ step: Int) throws -> EvaluationReport)?

    var schedule = CommandSchedule()
    var isPaused = false
    /// The step and path of the newest checkpoint of this run.
    var lastSave: (step: Int, path: String)?
    private var lastEvaluation: Int?
    private var pace = SmoothedPace()
    private let random: RandomSource

    /// - Parameters:
    ///   - optimizers: One per phase of the task.
    ///   - evaluation: Must leave the run as it was; averages are swapped in around it.
    ///   - report: Hears of everything, on the trainer's thread.
    public init(
        _ task: Task, _ source: Source, optimizers: [any Optimizer], options: TrainerOptions, folder: RunFolder,
        inbox: CommandInbox, metrics: MetricsLog, evaluation: ((_ step: Int) throws -> EvaluationReport)? = nil,
        report: @escaping (TrainingEvent) -> Void
    ) {
        self.options = options
        let ema = options.trainer.ema
        let trained = task.phases.flatMap(\.parameters)
        state = TrainingState(
            task, optimizers,
            average: ema.decay > 0 ? ExponentialMovingAverage(trained, decay: ema.decay, start: ema.start) : nil)
        self.source = source
        self.folder = folder
        checkpoints = CheckpointFolder(path: folder.checkpoints)
        self.inbox = inbox
        self.metrics = metrics
        self.evaluation = evaluation
        self.report = report
        random = RandomSource(seed: UInt64(bitPattern: Int64(options.trainer.seed)))["training"]
        state.stats.identity = Dictionary(source.identity.map { ($0.name, $0.value) }) { $1 }
    }

    /// Trains until all steps are done or somebody asks to stop.
    ///
    /// - Throws: `InputError` when the data cannot be read any more; what was learned is saved then.
    public func run() throws -> TrainingOutcome {
        let outcome = try loop()
        report(.finished(outcome))
        return outcome
    }

    private func loop() throws -> TrainingOutcome {
        while true {
            if let outcome = obeyRequests() { return outcome }
            let step = state.stats.step
            if step >= options.trainer.iterations {
                return .finished(step: step, isComplete: options.trainer.iterations == 0 || save())
            }
            let seconds = ContinuousClock.now
            let waited = source.secondsWaiting
            let batches = try nextBatches()
            let update = makeUpdate(batches, step: step)
            state.stats.step += 1
            state.stats.position = source.position
            let elapsed = seconds.duration(to: .now).seconds
            log(update, batches, seconds: elapsed, waited: source.secondsWaiting - waited)
            if let outcome = settleBadUpdate(update, batches) { return outcome }
            if isDue(options.evaluation.frequency), options.evaluation.size > 0 { evaluate() }
            let saveFrequency =
                options.trainer.saveFrequency > 0 ? options.trainer.saveFrequency : options.evaluation.frequency
            if isDue(saveFrequency), update.fault == nil { save() }
        }
    }

    private func nextBatches() throws -> [Task.Batch] {
        do {
            return try (0..<options.hyperparameters.gradientAccumulationSteps).map { _ in try source.next() }
        } catch {
            // What was learned so far is not to be lost with the data.
            save()
            throw error
        }
    }

    private func isDue(_ frequency: Int) -> Bool { frequency > 0 && state.stats.step % frequency == 0 }

    // MARK: - One update

    /// What an update found.
    struct Update {
        var losses: [(name: String, value: Double)] = []
        var gradientNorms: [(name: String, value: Double)] = []
        /// Why it was skipped; nil when it was made.
        var fault: String?
        /// The micro-batches whose loss was spoiled.
        var faultyBatches: [Int] = []
    }

    private func makeUpdate(_ batches: [Task.Batch], step: Int) -> Update {
        var update = Update()
        state.task.willStep()
        let run = RunContext(isTraining: true, random: random[step])
        for (phase, description) in state.task.phases.enumerated() {
            var gradients = Gradients()
            for (index, batch) in batches.enumerated() {
                let loss = state.task.loss(batch, phase: phase, run[phase][index])
                let isFinite = loss.total.item.isFinite
                update.add(loss, share: 1 / Double(batches.count))
                if isFinite {
                    gradients.add(loss.total.gradients(scale: 1 / Float(batches.count)))
                } else {
                    update.faultyBatches.append(index)
                    update.fault = "the loss is \(loss.total.item)"
                }
            }
            let norm = gradients.norm(of: description.parameters, clippingAt: options.hyperparameters.gradientClipping)
            update.gradientNorms.append((description.name, norm.value))
            if update.fault == nil, !norm.isFinite {
                update.fault = "the gradient is not finite at \(norm.nonFinite.prefix(5).joined(separator: ", "))"
            }
            guard update.fault == nil else { return update }
            applyLearningRate(step)
            state.optimizers[phase].step(gradients, gradientScale: norm.scale)
        }
        state.task.didStep(step, run)
        state.average?.update()
        return update
    }

    /// The rate of a step before an optimizer's own estimate.
    func learningRate(at step: Int) -> Double {
        (state.stats.learningRate ?? options.hyperparameters.learningRate) * state.stats.learningRateFactor
            * options.schedule.factor(at: step)
    }

    private func applyLearningRate(_ step: Int) {
        let configured = options.hyperparameters.learningRate
        let byHand = state.stats.learningRate.map { $0 / configured } ?? 1
        for optimizer in state.optimizers {
            optimizer.learningRateFactor = options.schedule.factor(at: step) * state.stats.learningRateFactor * byHand
        }
    }

    private func log(_ update: Update, _ batches: [Task.Batch], seconds: Double, waited: Double) {
        let (samples, tokens) = batches.reduce((0, 0)) { ($0.0 + $1.sampleCount, $0.1 + $1.tokenCount) }
        state.stats.samples += samples
        state.stats.tokens += tokens
        pace.add(seconds)
        let step = state.stats.step
        let epoch =
            Double(source.position.epoch) + Double(source.position.batch) / Double(max(1, source.batchesPerEpoch))
        let line = StepReport(
            step: step, iterations: options.trainer.iterations, epoch: epoch, losses: update.losses,
            gradientNorms: update.gradientNorms, learningRate: learningRate(at: step - 1), seconds: seconds,
            samples: samples,
            tokens: tokens, totalSamples: state.stats.samples, totalTokens: state.stats.tokens,
            waitingShare: seconds > 0 ? min(1, waited / seconds) : 0, memoryBytes: ProcessMemory.resident,
            secondsLeft: pace.seconds * Double(max(0, options.trainer.iterations - step)))
        metrics.write(line)
        report(.step(line))
    }

    /// Seconds to reach a step at the present pace.
    func secondsLeft(to step: Int) -> Double { pace.seconds * Double(max(0, step - state.stats.step)) }

    // MARK: - Evaluation

    /// Evaluates at this step unless that was done; the run is the same afterwards, bit for bit.
    ///
    /// - Returns: Whether there is an evaluation of this step now.
    @discardableResult
    func evaluate() -> Bool {
        let step = state.stats.step
        guard let evaluation else {
            report(.answer("there is nothing to evaluate with: evaluation.size is 0 or the validation set is empty"))
            return false
        }
        guard lastEvaluation != step else {
            report(.answer("already evaluated at step \(step)"))
            return true
        }
        report(.evaluating(step: step))
        do {
            let found = try state.average.map { try $0.withAverages { try evaluation(step) } } ?? evaluation(step)
            lastEvaluation = step
            metrics.write(found)
            report(.evaluated(found))
            return true
        } catch {
            metrics.write(event: "eval failed", step: step, "\(error)")
            report(.evaluationFailed(step: step, reason: "\(error)"))
            return false
        }
    }
}

extension Trainer.Update {
    fileprivate mutating func add(_ loss: TaskLoss, share: Double) {
        for (name, value) in loss.parts {
            if let index = losses.firstIndex(where: { $0.name == name }) {
                losses[index].value += Double(value) * share
            } else {
                losses.append((name, Double(value) * share))
            }
        }
    }
}

/// Seconds per step, smoothed over about twenty steps.
private struct SmoothedPace {
    private(set) var seconds = 0.0
    private var count = 0.0

    mutating func add(_ value: Double) {
        count = min(count + 1, 20)
        seconds += (value - seconds) / count
    }
}
