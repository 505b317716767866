/// Some utterances that a loss is computed on: plain values, so that another thread can read them ahead.
public protocol TrainingBatch: Sendable {
    /// Utterances.
    var sampleCount: Int { get }
    /// What speed is measured in: text tokens and codes, or frames.
    var tokenCount: Int { get }
    /// `speaker/name` of each utterance, for messages about spoiled losses.
    var names: [String] { get }
}

/// One loss, what it is made of, and how large each part is.
public struct TaskLoss {
    /// What gradients are taken of: a tracked scalar.
    public let total: Tensor
    /// The parts by their names in the log, such as "text" and "mel".
    public let parts: [(name: String, value: Float)]

    public init(_ total: Tensor, parts: [(name: String, value: Float)]) {
        self.total = total
        self.parts = parts
    }
}

/// The parameters that are trained together by one loss and one optimizer: most tasks have one, adversarial ones two.
public struct TrainingPhase {
    /// A prefix in the log where a task has several phases: "generator", "discriminator".
    public let name: String
    /// In the order in which the model made them.
    public let parameters: [Parameter]
    /// Multiplies the configured learning rate.
    public let learningRateScale: Double

    public init(_ name: String, _ parameters: [Parameter], learningRateScale: Double = 1) {
        self.name = name
        self.parameters = parameters
        self.learningRateScale = learningRateScale
    }
}

/// What is trained. Tasks differ in their losses; everything else is the trainer's.
///
/// A loss is a pure function of the batch, the parameters and the context's randomness: that is what makes a continued run
/// the same run.
public protocol TrainingTask<Batch>: AnyObject {
    associatedtype Batch: TrainingBatch

    /// The model's name, which is also its folder's under `ckpt`.
    var name: String { get }
    /// In the order in which they are trained within a step; never empty.
    var phases: [TrainingPhase] { get }
    /// Every parameter of the model, trained or frozen.
    var parameters: [Parameter] { get }

    /// Called before the losses of a step; the step before may have been skipped.
    func willStep()
    /// The loss of one phase on a batch.
    func loss(_ batch: Batch, phase: Int, _ run: RunContext) -> TaskLoss
    /// What an evaluation measures on a batch, by name; nothing is random then.
    func evaluate(_ batch: Batch) -> [(name: String, value: Float)]
    /// Called once per step after all phases made theirs, such as for a codebook's moving average.
    func didStep(_ step: Int, _ run: RunContext)

    /// What a checkpoint needs besides parameters; nil for nothing.
    func extraState() -> StateDictionary?
    /// Continues from what `extraState` gave.
    ///
    /// - Throws: `InputError.model` when it does not fit.
    func restoreExtraState(_ state: StateDictionary) throws

    /// The tensors that inference loads, under the keys of published files, and what describes them.
    func exportedWeights(dtype: WeightDType) throws -> ExportedWeights
}

extension TrainingTask {
    public func evaluate(_ batch: Batch) -> [(name: String, value: Float)] { loss(batch, phase: 0, .inference).parts }
    public func willStep() {}
    public func didStep(_ step: Int, _ run: RunContext) {}
    public func extraState() -> StateDictionary? { nil }
    public func restoreExtraState(_ state: StateDictionary) throws {}
}
