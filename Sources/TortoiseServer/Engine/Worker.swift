import Foundation
import TortoiseCore

/// A thread that does one job after another: speech blocks for seconds, and the server's own threads must stay free.
///
/// `@unchecked Sendable`: everything mutable is guarded by the condition, and the resource is used on the thread only.
final class Worker<Resource>: @unchecked Sendable {
    private typealias Item = (job: Job, work: @Sendable (Resource, Job) throws -> Job.Outcome)

    private let condition = NSCondition()
    private var queue: FairQueue<Item>
    private var running: Job?
    private var isStopping = false
    /// Seconds that a job takes, smoothed: what a client that is turned away is told to wait.
    private var pace = 5.0
    private var doneJobs = 0

    private let idle: TimeInterval
    private let metrics: ServerMetrics
    private let log: @Sendable (String) -> Void

    /// - Parameters:
    ///   - capacity: Jobs that may wait.
    ///   - idle: Seconds without a job after which `rest` is called; 0 for never.
    ///   - make: Makes the resource, on the thread, when the first job comes.
    ///   - rest: Lets go of what the resource can make again.
    init(
        _ name: String, capacity: Int, idle: TimeInterval = 0, metrics: ServerMetrics,
        log: @escaping @Sendable (String) -> Void, make: @escaping @Sendable () throws -> Resource,
        rest: @escaping @Sendable (Resource) -> Void = { _ in }
    ) {
        queue = FairQueue(capacity: capacity)
        (self.idle, self.metrics, self.log) = (idle, metrics, log)
        let thread = Thread { [self] in work(make, rest) }
        thread.name = name
        thread.stackSize = 8 << 20
        thread.start()
    }

    /// Jobs that wait, and whether one runs.
    var load: (waiting: Int, isRunning: Bool) { condition.withLock { (queue.count, running != nil) } }

    /// Puts a job into the queue.
    ///
    /// - Throws: 429 when it is full, 503 when the server is stopping.
    func submit(_ job: Job, _ work: @escaping @Sendable (Resource, Job) throws -> Job.Outcome) throws {
        try condition.withLock {
            guard !isStopping else { throw Self.stopping }
            let ahead = queue.count + (running == nil ? 0 : 1)
            guard queue.append((job, work), client: job.client) else {
                metrics.count(.turnedAway)
                throw ServerError(
                    429, "the queue is full: \(ahead) requests are ahead", code: "queue_full",
                    retryAfter: min(600, max(1, Int(pace.rounded(.up)))))
            }
            tellPlaces()
            condition.signal()
        }
    }

    private static var stopping: ServerError {
        ServerError(503, "the server is stopping", code: "stopping", retryAfter: 10)
    }

    /// Cancels a job, whether it waits or runs.
    func cancel(_ job: Job) {
        job.cancel()
        let waiting = condition.withLock {
            let waiting = queue.remove { $0.job === job }
            if !waiting.isEmpty { tellPlaces() }
            return waiting
        }
        for item in waiting { item.job.finish(.failure(CancellationError())) }
    }

    /// Takes no more jobs; what waits is turned away, what runs may go on for so many seconds.
    func stop(grace: TimeInterval) {
        let (waiting, current) = condition.withLock {
            isStopping = true
            condition.signal()
            return (queue.remove { _ in true }, running)
        }
        for item in waiting { item.job.finish(.failure(Self.stopping)) }
        guard let current else { return }
        let thread = Thread {
            Thread.sleep(forTimeInterval: grace)
            current.cancel()
        }
        thread.start()
    }

    /// Under the lock.
    private func tellPlaces() {
        let first = running == nil ? 0 : 1
        for (index, item) in queue.inOrder.enumerated() { item.job.moved(ahead: first + index) }
    }

    // MARK: - The thread

    private func work(_ make: () throws -> Resource, _ rest: (Resource) -> Void) {
        var resource: Resource?
        var isResting = true
        while true {
            let item: Item? = condition.withLock {
                running = nil
                while queue.count == 0, !isStopping {
                    if isResting || idle == 0 {
                        condition.wait()
                    } else if !condition.wait(until: Date(timeIntervalSinceNow: idle)), queue.count == 0 {
                        return nil
                    }
                }
                let next = queue.popFirst()
                running = next?.job
                tellPlaces()
                return next
            }
            guard let item else {
                if condition.withLock({ isStopping }) { return }
                if let resource { rest(resource) }
                isResting = true
                continue
            }
            isResting = false
            guard item.job.begin() else {
                item.job.finish(.failure(CancellationError()))
                continue
            }
            let start = ContinuousClock.now
            let result = Result { () throws -> Job.Outcome in
                let ready = try resource ?? make()
                resource = ready
                return try item.work(ready, item.job)
            }
            note(result, item.job, seconds: start.duration(to: .now).seconds)
            item.job.finish(result)
        }
    }

    private func note(_ result: Result<Job.Outcome, any Error>, _ job: Job, seconds: Double) {
        condition.withLock {
            doneJobs = min(doneJobs + 1, 10)
            pace += (seconds - pace) / Double(doneJobs)
        }
        guard case .failure(let error) = result, !(error is CancellationError) else { return }
        if ServerError(error).status == 500 { log("\(job.kind.rawValue): \(error)") }
    }
}
