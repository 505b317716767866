import Foundation
import Synchronization
import Testing

@testable import TortoiseCore

@Suite struct ThreadPoolTests {
    /// How often each index was covered.
    private func visits(_ pool: ThreadPool, _ count: Int, grain: Int) -> [Int32] {
        let visits = Visits(count)
        pool.forEachChunk(count, grain: grain) { range in for i in range { visits.add(i) } }
        return visits.counts
    }

    /// Counters that chunks raise concurrently.
    private final class Visits: Sendable {
        private let cells: [Cell]

        private final class Cell: Sendable { let count = Atomic<Int32>(0) }

        init(_ count: Int) { cells = (0..<count).map { _ in Cell() } }
        func add(_ i: Int) { cells[i].count.wrappingAdd(1, ordering: .relaxed) }
        var counts: [Int32] { cells.map { $0.count.load(ordering: .relaxed) } }
    }

    @Test(arguments: [1, 2, 3, 8])
    func everyIndexOnce(threads: Int) {
        let pool = ThreadPool.shared(threads: threads)
        #expect(pool.threadCount == threads)
        for count in [0, 1, 2, 3, 7, 8, 9, 31, 100, 1_001] {
            for grain in [1, 2, 5, 64, 5_000] {
                #expect(visits(pool, count, grain: grain).allSatisfy { $0 == 1 }, "\(count) by \(grain)")
            }
        }
    }

    @Test func poolsAreShared() {
        #expect(ThreadPool.shared(threads: 2) === ThreadPool.shared(threads: 2))
        #expect(ThreadPool.shared(threads: 2) !== ThreadPool.shared(threads: 3))
    }

    /// A worker does take part: the first chunk waits until somebody else has taken the second.
    @Test func loopsRunOnSeveralThreads() {
        let arrived = Atomic<Int>(0)
        let pool = ThreadPool.shared(threads: 5)
        pool.forEachChunk(2, grain: 1) { _ in
            arrived.wrappingAdd(1, ordering: .sequentiallyConsistent)
            let deadline = Date(timeIntervalSinceNow: 30)
            while arrived.load(ordering: .sequentiallyConsistent) < 2, Date() < deadline { usleep(100) }
        }
        #expect(arrived.load(ordering: .relaxed) == 2)
    }

    @Test func smallLoopsStayOnTheirThread() {
        let chunks = Atomic<Int>(0)
        ThreadPool.shared(threads: 3).forEachChunk(100, grain: 100) { _ in chunks.wrappingAdd(1, ordering: .relaxed) }
        #expect(chunks.load(ordering: .relaxed) == 1)
    }

    @Test func nestedLoops() {
        let pool = ThreadPool.shared(threads: 3)
        let inner = Visits(20 * 30)
        pool.forEachChunk(20, grain: 1) { outer in
            for i in outer { pool.forEachChunk(30, grain: 1) { range in for j in range { inner.add(i * 30 + j) } } }
        }
        #expect(inner.counts.allSatisfy { $0 == 1 })
    }

    @Test func concurrentCallers() async {
        await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<6 {
                group.addTask {
                    (0..<50).allSatisfy { round in
                        self.visits(.shared(threads: 3), 40 + round, grain: 1).allSatisfy { $0 == 1 }
                    }
                }
            }
            for await isRight in group { #expect(isRight) }
        }
    }

    /// Many short loops, some after pauses in which the workers go to sleep: no index is lost, and nothing hangs.
    @Test func manyShortLoops() {
        let pool = ThreadPool.shared(threads: 4)
        let sum = Atomic<Int>(0)
        for round in 0..<20_000 {
            pool.forEachChunk(8, grain: 1) { sum.wrappingAdd($0.count, ordering: .relaxed) }
            if round % 2_000 == 0 { usleep(3_000) }
        }
        #expect(sum.load(ordering: .relaxed) == 160_000)
    }

    @Test func impossibleSizesStop() async {
        await #expect(processExitsWith: .failure) { _ = ThreadPool.shared(threads: 0) }
        await #expect(processExitsWith: .failure) { _ = ThreadPool.shared(threads: ThreadPool.maximumThreads + 1) }
    }
}
