import Foundation
import Testing

@testable import TortoiseCore

/// Appends; with a second file, goes on after each of the first commits only when the reader has written their count there.
private func appendMadeUp(to path: String, upTo end: Int, committingEach step: Int, awaiting seen: String? = nil) throws
{
    let writer = try DatasetWriter(appendingTo: path)
    for index in writer.count..<end {
        try writer.append(madeUpUtterance(index))
        guard index % step == step - 1 else { continue }
        try writer.commit()
        while let seen, index < 5 * step, (try? String(contentsOfFile: seen, encoding: .utf8)) != "\(index + 1)" {
            usleep(500)
        }
    }
    try writer.commit()
}

/// What holds between two processes: one appends, the other reads, and either may die.
@Suite struct DatasetProcessTests {
    private func temporaryDataset() throws -> String {
        let path = FileManager.default.temporaryDirectory.appending(path: "tortoise-\(UUID().uuidString).h5").path
        _ = try DatasetWriter.create(path: path, schema: smallSchema)
        return path
    }

    @Test(.timeLimit(.minutes(2))) func aReaderFollowsAWriterOfAnotherProcess() async throws {
        let path = try temporaryDataset()
        defer {
            try? FileManager.default.removeItem(atPath: path)
            try? FileManager.default.removeItem(atPath: path + ".seen")
        }
        func write() async {
            await #expect(processExitsWith: .success) { [path = path as String] in
                try appendMadeUp(to: path, upTo: 600, committingEach: 20, awaiting: path + ".seen")
            }
        }
        async let writing: Void = write()
        let file = try DatasetFile(path: path)
        var random = SeededGenerator(seed: 3)
        var seen: Set<Int> = []
        while try file.refresh() < 600 {
            let count = file.count
            seen.insert(count)
            #expect(count % 20 == 0)
            guard count > 0 else {
                try await Task.sleep(for: .milliseconds(2))
                continue
            }
            for index in [count - 1, Int.random(in: 0..<count, using: &random)] {
                #expect(try file.utterance(at: index, verifying: true) == madeUpUtterance(index))
            }
            try "\(count)".write(toFile: path + ".seen", atomically: true, encoding: .utf8)
            // A file opened meanwhile sees a complete dataset too.
            if seen.count % 7 == 0 { #expect(try DatasetFile(path: path).count >= count) }
        }
        await writing
        #expect(seen.isSuperset(of: [20, 40, 60, 80, 100]))
        #expect(try file.utterances(in: 0..<600, verifying: true) == (0..<600).map(madeUpUtterance))
    }

    @Test(.timeLimit(.minutes(2))) func aKilledWriterLeavesWhatItCommitted() async throws {
        let path = try temporaryDataset()
        defer { try? FileManager.default.removeItem(atPath: path) }
        var random = SeededGenerator(seed: 9)
        var last = 0
        for _ in 0..<6 {
            let delay = UInt32.random(in: 5_000..<60_000, using: &random)
            await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String, delay = delay as UInt32] in
                // The first commit opens the file and is let through, so that every round adds something.
                let writer = try DatasetWriter(appendingTo: path)
                try writer.append(madeUpUtterance(writer.count))
                try writer.commit()
                Thread.detachNewThread {
                    usleep(delay)
                    kill(getpid(), SIGKILL)
                }
                while true {
                    for _ in 0..<3 { try writer.append(madeUpUtterance(writer.count)) }
                    try writer.commit()
                }
            }
            // A reader needs no repair; the next round's writer continues the same file.
            let file = try DatasetFile(path: path)
            #expect(file.count > last)
            last = file.count
            #expect(try file.utterances(in: 0..<last, verifying: true) == (0..<last).map(madeUpUtterance))
        }
        try appendMadeUp(to: path, upTo: last + 10, committingEach: 3)
        #expect(
            try DatasetFile(path: path).utterances(in: 0..<last + 10, verifying: true)
                == (0..<last + 10).map(madeUpUtterance))
    }

    @Test func aWriterOfAnotherProcessIsRespected() async throws {
        let path = try temporaryDataset()
        defer { try? FileManager.default.removeItem(atPath: path) }
        let writer = try DatasetWriter(appendingTo: path)
        await #expect(processExitsWith: .success) { [path = path as String] in
            let error = #expect(throws: InputError.self) { try DatasetWriter(appendingTo: path) }
            try #require(error?.problem == "another process is writing to this dataset")
        }
        try withExtendedLifetime(writer) { try writer.commit() }
    }
}
