import CKernels
import Foundation
import Synchronization

/// Fixed workers that share the chunks of one loop at a time.
///
/// The calling thread takes chunks too. Workers wait a little by spinning, since the next loop usually follows within
/// microseconds, and then sleep. A loop that starts while the pool is busy (from inside a chunk, or from another
/// thread) runs on its own thread, so nothing ever waits for a nested loop.
///
/// `@unchecked Sendable`: `job` is written only by the thread that owns `isBusy`, before the ticket that publishes it.
final class ThreadPool: @unchecked Sendable {
    static let maximumThreads = 256

    let threadCount: Int
    private let isBusy = Atomic<Bool>(false)
    /// Loop number in the high bits, then one bit "open to joiners", then the count of workers inside the loop.
    private let ticket = Atomic<UInt64>(0)
    private let nextChunk = Atomic<Int>(0)
    private let sleepers = Atomic<Int>(0)
    private let gate = Gate()
    private var job = Job()

    private struct Job {
        var count = 0
        var chunk = 1
        var body: ((Range<Int>) -> Void)?
    }

    private static let openBit: UInt64 = 1 << 16
    private static let insideMask: UInt64 = openBit - 1
    private static let loopStep: UInt64 = 1 << 17
    /// About 50 microseconds of waiting before a worker sleeps.
    private static let spins = 2_000

    private static let pools = Mutex<[Int: ThreadPool]>([:])

    /// The pool with this many threads; made on first use and kept.
    static func shared(threads: Int) -> ThreadPool {
        pools.withLock { pools in
            if let pool = pools[threads] { return pool }
            let pool = ThreadPool(threadCount: threads)
            pools[threads] = pool
            return pool
        }
    }

    private init(threadCount: Int) {
        precondition((1...Self.maximumThreads).contains(threadCount), "a pool has 1 to \(Self.maximumThreads) threads")
        self.threadCount = threadCount
        for number in 1..<max(threadCount, 1) {
            let thread = Thread { self.work() }
            thread.name = "tortoise-\(number)"
            // As much as the main thread has: without optimisation a kernel's frame takes 2 MB. Only what is used is real.
            thread.stackSize = 8 << 20
            thread.start()
        }
    }

    /// Calls `body` with ranges that cover `0..<count` once, on several threads when that pays.
    ///
    /// What `body` computes for an index must not depend on how the indices are split.
    ///
    /// - Parameters:
    ///   - count: The number of indices.
    ///   - grain: The fewest indices worth a chunk of their own: about 20 microseconds of work.
    ///   - body: Computes a range of indices; called concurrently.
    func forEachChunk(_ count: Int, grain: Int, _ body: (Range<Int>) -> Void) {
        // Denormals are as slow as a cache miss, and no model needs them; the caller's own mode comes back afterwards.
        let mode = tk_flush_denormals()
        defer { tk_restore_denormals(mode) }
        guard count > 0 else { return }
        guard threadCount > 1, count > grain, acquire() else {
            body(0..<count)
            return
        }
        // A few chunks per thread even out uneven progress; equal chunks keep the last one from being late.
        let wanted = min((count + grain - 1) / grain, threadCount * 4)
        withoutActuallyEscaping(body) { body in
            run(Job(count: count, chunk: (count + wanted - 1) / wanted, body: body))
        }
        isBusy.store(false, ordering: .releasing)
    }

    private func acquire() -> Bool {
        isBusy.compareExchange(expected: false, desired: true, ordering: .acquiring).exchanged
    }

    private func run(_ newJob: Job) {
        job = newJob
        nextChunk.store(0, ordering: .relaxed)
        let loop = (ticket.load(ordering: .relaxed) & ~(Self.loopStep - 1)) &+ Self.loopStep
        ticket.store(loop | Self.openBit, ordering: .sequentiallyConsistent)
        if sleepers.load(ordering: .sequentiallyConsistent) > 0 { gate.openForAll() }

        takeChunks(of: newJob)

        // Nobody may join any more; those inside finish the chunks they took.
        var waited = 0
        var state = ticket.bitwiseAnd(~Self.openBit, ordering: .acquiringAndReleasing).newValue
        while state & Self.insideMask != 0 {
            waited += 1
            if waited > 10_000 { sched_yield() } else { tk_pause() }
            state = ticket.load(ordering: .acquiring)
        }
        job.body = nil
    }

    private func takeChunks(of job: Job) {
        guard let body = job.body else { return }
        while true {
            let start = nextChunk.wrappingAdd(job.chunk, ordering: .relaxed).oldValue
            guard start < job.count else { return }
            body(start..<min(start + job.chunk, job.count))
        }
    }

    private func work() {
        _ = tk_flush_denormals()
        var finished: UInt64 = 0
        while true {
            let seen = waitForLoop(after: finished)
            guard join(seen) else { continue }
            takeChunks(of: job)
            ticket.wrappingSubtract(1, ordering: .releasing)
            finished = seen / Self.loopStep
        }
    }

    /// Counts the calling worker in, unless the ticket changed since it was seen.
    private func join(_ seen: UInt64) -> Bool {
        ticket.compareExchange(expected: seen, desired: seen + 1, ordering: .acquiringAndReleasing).exchanged
    }

    /// Spins, then sleeps, until a loop other than `finished` is open; returns the ticket that was seen.
    private func waitForLoop(after finished: UInt64) -> UInt64 {
        for _ in 0..<Self.spins {
            if let seen = openTicket(after: finished) { return seen }
            tk_pause()
        }
        sleepers.wrappingAdd(1, ordering: .sequentiallyConsistent)
        defer { sleepers.wrappingSubtract(1, ordering: .sequentiallyConsistent) }
        return gate.wait { openTicket(after: finished) }
    }

    private func openTicket(after finished: UInt64) -> UInt64? {
        let seen = ticket.load(ordering: .sequentiallyConsistent)
        return seen & Self.openBit != 0 && seen / Self.loopStep != finished ? seen : nil
    }
}

/// A place where threads sleep until a condition holds.
private final class Gate: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    init() {
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(changed, nil)
    }

    deinit {
        pthread_cond_destroy(changed)
        pthread_mutex_destroy(mutex)
        changed.deallocate()
        mutex.deallocate()
    }

    /// Sleeps until `condition` gives a value; it is asked again after each `openForAll`.
    func wait<Value>(until condition: () -> Value?) -> Value {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while true {
            if let value = condition() { return value }
            pthread_cond_wait(changed, mutex)
        }
    }

    func openForAll() {
        pthread_mutex_lock(mutex)
        pthread_cond_broadcast(changed)
        pthread_mutex_unlock(mutex)
    }
}
