/// Trainings as a server sees them: to look at, to start and to talk to. Calls may come from any thread.
public protocol TrainingMonitor: Sendable {
    /// The runs that there are, by folder.
    func runs() -> [TrainingRunListing]
    /// Where a run stands.
    ///
    /// - Parameters:
    ///   - since: Points of curves up to this step are left out.
    ///   - offset: Bytes of the log that were seen before.
    /// - Throws: `InputError` when there is no such run.
    func state(of run: String, since: Double, logOffset offset: Int) throws -> TrainingRunState
    /// The configuration of a run, as written.
    func configuration(of run: String) throws -> String
    /// What is wrong with a configuration, and what is odd about it.
    func validate(_ yaml: String) -> (errors: [String], notes: [String])
    /// What a run's dataset holds and what is odd about it; blocks.
    ///
    /// - Parameter progress: What it throws ends the work.
    func check(_ run: String, progress: (_ done: Int, _ total: Int) throws -> Void) throws -> [String]
    /// Starts a trainer in a run's folder.
    ///
    /// - Parameter yaml: Replaces the run's configuration, or makes a new run; nil leaves it as it is.
    func start(_ run: String, yaml: String?) throws
    /// Tells a running trainer a console word.
    func tell(_ run: String, _ line: String) throws
    /// What evaluations said, newest first.
    func samples(of run: String) throws -> [EvaluationSample]
    /// The audio of a sample: its own, or that of the recording beside it.
    func audio(of run: String, sample: String, isReference: Bool) throws -> String
}

/// A run in a list.
public struct TrainingRunListing: Sendable, Equatable {
    /// The path of its folder from the folder of trainings.
    public var id: String
    public var isRunning: Bool

    public init(id: String, isRunning: Bool) { (self.id, self.isRunning) = (id, isRunning) }
}

/// Where a run stands.
public struct TrainingRunState: Sendable {
    public var isRunning = false
    public var step = 0
    /// Steps in all; 0 when it is not known.
    public var iterations = 0
    public var secondsPerStep: Double?
    public var memoryBytes: Int?
    /// The share of the time spent waiting for data.
    public var waitingShare: Double?
    public var curves: [RunHistory.Curve] = []
    /// What the trainer said since the offset, and the next offset.
    public var log = ""
    public var logOffset = 0

    public init() {}
}

/// Speech of an evaluation, beside what the codes of the recording sound like.
public struct EvaluationSample: Sendable, Equatable {
    public var id: String
    public var step: Int
    public var name: String
    /// "subtrain" or "val".
    public var set: String
    public var hasReference: Bool
}
