import Synchronization
import TortoiseCore

/// The jobs that can be asked about: those that run, and the last ones that are over.
final class JobBoard: Sendable {
    /// Results that are kept at most: so many, so many bytes, for so many seconds.
    private static let mostEnded = 32
    private static let mostBytes = 128 << 20
    private static let mostSeconds = 900.0

    private let jobs = Mutex<[Job]>([])

    func add(_ job: Job) {
        jobs.withLock { jobs in
            jobs.append(job)
            Self.tidy(&jobs)
        }
    }

    func remove(_ job: Job) { jobs.withLock { $0.removeAll { $0 === job } } }

    /// - Throws: 404 for ids that nobody has, or that are too old.
    func job(_ id: String) throws -> Job {
        guard let job = jobs.withLock({ $0.first { $0.id == id } }) else {
            throw ServerError.notFound("there is no job '\(id.prefix(60))'; results are kept for a quarter of an hour")
        }
        return job
    }

    var all: [Job] {
        jobs.withLock { jobs in
            Self.tidy(&jobs)
            return jobs
        }
    }

    private static func tidy(_ jobs: inout [Job]) {
        jobs.removeAll { ($0.age ?? 0) > mostSeconds }
        var ended = jobs.filter { $0.age != nil }
        var bytes = ended.reduce(0) { $0 + $1.size }
        // The newest stays, however large it is.
        while ended.count > mostEnded || (bytes > mostBytes && ended.count > 1) {
            let oldest = ended.removeFirst()
            bytes -= oldest.size
            jobs.removeAll { $0 === oldest }
        }
    }
}
