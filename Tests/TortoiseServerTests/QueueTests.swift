import Foundation
import Testing
import TortoiseCore

@testable import TortoiseServer

@Suite struct QueueTests {
    @Test func clientsTakeTurns() {
        var queue = FairQueue<String>(capacity: 6)
        var added = ["a1", "a2", "a3"].map { queue.append($0, client: "a") }
        added += [queue.append("b1", client: "b"), queue.append("c1", client: "c")]
        #expect(added == [true, true, true, true, true])
        #expect(queue.inOrder == ["a1", "b1", "c1", "a2", "a3"])
        let first = queue.popFirst()
        #expect(first == "a1")
        // A newcomer is served before the second of who asked more.
        _ = queue.append("b2", client: "b")
        let rest = (0..<6).map { _ in queue.popFirst() }
        #expect(rest == ["b1", "c1", "a2", "b2", "a3", nil])
        #expect(queue.count == 0)
    }

    @Test func aFullQueueTakesNoMore() {
        var queue = FairQueue<Int>(capacity: 2)
        let added = [("a", 1), ("b", 2), ("c", 3)].map { queue.append($0.1, client: $0.0) }
        #expect(added == [true, true, false])
        let removed = queue.remove { $0 == 1 }
        #expect(removed == [1] && queue.count == 1)
        let again = queue.append(3, client: "c")
        #expect(again)
    }

    private func worker(_ capacity: Int) -> Worker<Void> {
        Worker("test", capacity: capacity, metrics: ServerMetrics(), log: { _ in }, make: {})
    }

    private func job(_ limit: Double = 3_600) -> Job { Job(.fetch, client: "a", limit: .seconds(limit)) }

    @Test func workIsDoneInOrderAndCanBeWatched() async throws {
        let worker = worker(4)
        let jobs = [job(), job()]
        for job in jobs {
            try worker.submit(job) { _, job in
                job.report("fetch", 1, 2)
                return .value(.string(job.id))
            }
        }
        var heard: [String] = []
        for await event in jobs[1].events() {
            switch event {
            case .queued: heard.append("queued")
            case .progress(let progress): heard.append("\(progress.done)/\(progress.total)")
            case .audio: heard.append("audio")
            case .ended(let status): heard.append(status.rawValue)
            }
        }
        #expect(heard.last == "done")
        #expect(jobs[0].status == .done)
        guard case .value(let value)? = jobs[1].outcome else { Issue.record("no outcome"); return }
        #expect(value.stringValue == jobs[1].id)
        worker.stop(grace: 0)
    }

    @Test func whatWaitsAndWhatRunsCanBeCancelled() async throws {
        let worker = worker(4)
        let (running, waiting) = (job(), job())
        try worker.submit(running) { _, job in
            while true {
                try job.checkWanted()
                Thread.sleep(forTimeInterval: 0.005)
            }
        }
        try worker.submit(waiting) { _, _ in .value(.null) }
        worker.cancel(waiting)
        await waiting.ended()
        #expect(waiting.status == .cancelled && running.age == nil)
        worker.cancel(running)
        await running.ended()
        #expect(running.status == .cancelled && running.error?.status == 499)
        worker.stop(grace: 0)
    }

    @Test func aFullQueueSaysWhenToComeBack() async throws {
        let worker = worker(1)
        let first = job()
        try worker.submit(first) { _, job in
            while true {
                try job.checkWanted()
                Thread.sleep(forTimeInterval: 0.005)
            }
        }
        // The thread takes the first one out of the queue.
        while worker.load.waiting > 0 { try await Task.sleep(for: .milliseconds(2)) }
        try worker.submit(job()) { _, _ in .value(.null) }
        let error = #expect(throws: ServerError.self) { try worker.submit(self.job()) { _, _ in .value(.null) } }
        #expect(error?.status == 429 && (error?.retryAfter ?? 0) > 0)
        worker.cancel(first)
        worker.stop(grace: 0)
        let late = #expect(throws: ServerError.self) { try worker.submit(self.job()) { _, _ in .value(.null) } }
        #expect(late?.status == 503)
    }

    @Test func whatTakesTooLongEnds() async throws {
        let worker = worker(1)
        let slow = job(0.05)
        try worker.submit(slow) { _, job in
            while true {
                try job.checkWanted()
                Thread.sleep(forTimeInterval: 0.01)
            }
        }
        await slow.ended()
        #expect(slow.status == .failed && slow.error?.status == 504)
        worker.stop(grace: 0)
    }

    @Test func stoppingGivesWhatRunsItsGraceTime() async throws {
        let worker = worker(4)
        let (running, waiting) = (job(), job())
        try worker.submit(running) { _, job in
            while true {
                try job.checkWanted()
                Thread.sleep(forTimeInterval: 0.005)
            }
        }
        while worker.load.waiting > 0 { try await Task.sleep(for: .milliseconds(2)) }
        try worker.submit(waiting) { _, _ in .value(.null) }
        worker.stop(grace: 0.1)
        await waiting.ended()
        #expect(waiting.error?.status == 503 && running.age == nil)
        await running.ended()
        #expect(running.status == .cancelled)
    }

    @Test func weightsAreLetGoOfWhenNobodyAsks() async throws {
        let fake = FakeSpeech()
        let worker = Worker<any SpeechSynthesizer>(
            "test", capacity: 4, idle: 0.05, metrics: ServerMetrics(), log: { _ in },
            make: { FakeSynthesizer(fake) }, rest: { $0.unload() })
        try worker.submit(job()) { _, _ in .value(.null) }
        #expect(await fake.wait { $0.unloads == 1 })
        try await Task.sleep(for: .milliseconds(150))
        #expect(fake.seen.unloads == 1)
        worker.stop(grace: 0)
    }
}

@Suite struct JobBoardTests {
    @Test func oldResultsGoAndNewOnesStay() throws {
        let board = JobBoard()
        let jobs = (0..<40).map { _ in Job(.fetch, client: "a", limit: .seconds(1)) }
        for job in jobs {
            job.finish(.success(.value(.null)))
            board.add(job)
        }
        #expect(board.all.count == 32)
        #expect(throws: ServerError.self) { try board.job(jobs[0].id) }
        #expect(try board.job(jobs[39].id) === jobs[39])
    }
}
