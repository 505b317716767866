/// What happens in a training run, for whoever shows it: the console, the log, a page, a test.
public enum TrainingEvent: Sendable {
    case started(TrainingOverview)
    case step(StepReport)
    /// A command was understood; what it does comes at the next step boundary.
    case answer(String)
    /// A line was no command.
    case refused(String)
    /// Something that nobody asked about is not as it should be.
    case warning(String)
    case saved(step: Int, path: String, bytes: Int, seconds: Double)
    case saveFailed(step: Int, reason: String)
    case pruned([String])
    case evaluating(step: Int)
    case evaluated(EvaluationReport)
    case evaluationFailed(step: Int, reason: String)
    case exported(path: String)
    /// An update was skipped because a loss or a gradient was not finite.
    case badUpdate(step: Int, what: String, names: [String])
    case wentBack(toStep: Int, path: String, learningRate: Double)
    case paused(step: Int)
    case resumed
    case finished(TrainingOutcome)
}

/// What is known when a run starts.
public struct TrainingOverview: Sendable {
    public var model: String
    public var trainableParameters: Int
    public var frozenParameters: Int
    public var firstStep: Int
    public var iterations: Int
    public var stepsPerEpoch: Int
    /// The checkpoint that the run continues; nil for a fresh start.
    public var continuedFrom: String?
    /// Bytes for weights, gradients, optimizer state and averages.
    public var stateBytes: Int
    /// Bytes of memory that this machine has free.
    public var availableBytes: Int
    public var logs: String
}

/// One step in numbers.
public struct StepReport: Sendable {
    public var step: Int
    public var iterations: Int
    /// Passes over the data, in fractions.
    public var epoch: Double
    /// By name, means over the micro-batches.
    public var losses: [(name: String, value: Double)]
    /// By phase, before clipping.
    public var gradientNorms: [(name: String, value: Double)]
    public var learningRate: Double
    public var seconds: Double
    public var samples: Int
    public var tokens: Int
    public var totalSamples: Int
    public var totalTokens: Int
    /// The share of the time spent waiting for data.
    public var waitingShare: Double
    /// Resident memory, in bytes.
    public var memoryBytes: Int
    /// To the end of the run at the smoothed pace.
    public var secondsLeft: Double
}

/// What an evaluation found.
public struct EvaluationReport: Sendable {
    public var step: Int
    /// By set ("subtrain", "val") and name, such as "val.mel" or "val.mel_stft".
    public var metrics: [(name: String, value: Double)]
    /// Where its audio lies; nil when there is none.
    public var folder: String?
    public var seconds: Double

    public init(step: Int, metrics: [(name: String, value: Double)], folder: String? = nil, seconds: Double) {
        (self.step, self.metrics, self.folder, self.seconds) = (step, metrics, folder, seconds)
    }
}

/// How a run ended.
public enum TrainingOutcome: Sendable, Equatable {
    /// All steps are done; not complete is what was not saved, exported or evaluated after them.
    case finished(step: Int, isComplete: Bool = true)
    /// Somebody asked: the exit code is 0 for a command, and the signal's for a signal.
    case quit(step: Int, exitCode: Int32)
    /// Losses stayed spoiled.
    case diverged(step: Int)

    /// What the program leaves with.
    public var exitCode: Int32 {
        switch self {
        case .finished(_, let isComplete): isComplete ? 0 : 3
        case .quit(_, let code): code
        case .diverged: 4
        }
    }
}
