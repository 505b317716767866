import Foundation
import Testing

@testable import TortoiseCore

@Suite struct TrainingFoldersTests {
    private func withRun(_ body: (TrainingFolders, String) throws -> Void) throws {
        let root = FileManager.default.temporaryDirectory.appending(path: "runs-\(UUID().uuidString)").path
        let run = root + "/small/dvae"
        try FileManager.default.createDirectory(atPath: run + "/logs/100/7/dvae/val", withIntermediateDirectories: true)
        try FileManager.default.createDirectory(atPath: run + "/logs/100/7/ref", withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: root) }
        try write("trainer: {iterations: 50}\nmodels:\n- {name: dvae, training: True}\n", run + "/config.yaml")
        for path in ["7/dvae/val/a.wav", "7/ref/a.wav", "7/dvae/val/b.wav"] {
            try write("x", "\(run)/logs/100/\(path)")
        }
        try body(TrainingFolders(root: root, program: nil), run)
    }

    private func write(_ text: String, _ path: String) throws { try Data(text.utf8).write(to: URL(filePath: path)) }

    private func append(_ text: String, _ path: String) throws {
        if !FileManager.default.fileExists(atPath: path) { return try write(text, path) }
        let file = try #require(FileHandle(forWritingAtPath: path))
        try file.seekToEnd()
        try file.write(contentsOf: Data(text.utf8))
        try file.close()
    }

    @Test func stateGrowsWithItsLogs() throws {
        try withRun { folders, run in
            #expect(folders.runs() == [TrainingRunListing(id: "small/dvae", isRunning: false)])
            let metrics = run + "/logs/100/metrics.jsonl"
            for step in 1...10 {
                try append(
                    "{\"it\":\(step),\"loss.mel\":\(1.0 / Double(step)),\"elapsed_time\":0.5,\"memory_bytes\":9}\n",
                    metrics)
            }
            // A line that is being written.
            try append("{\"it\":11,\"loss.m", metrics)
            try write("hello\n", run + "/console.log")
            let first = try folders.state(of: "small/dvae", since: -1, logOffset: 0)
            #expect(first.step == 10 && first.iterations == 50 && first.secondsPerStep == 0.5 && first.memoryBytes == 9)
            #expect(first.curves.map(\.name) == ["loss.mel"] && first.curves[0].points.count == 10)
            #expect(first.log == "hello\n" && first.logOffset == 6)
            try append("el\":0.05}\n", metrics)
            try append("more\n", run + "/console.log")
            let second = try folders.state(of: "small/dvae", since: 10, logOffset: first.logOffset)
            #expect(second.curves[0].points.map(\.step) == [11] && second.log == "more\n")
            // The run went back, in a log of its own.
            try FileManager.default.createDirectory(atPath: run + "/logs/200", withIntermediateDirectories: true)
            try append("{\"it\":6,\"loss.mel\":0.9}\n", run + "/logs/200/metrics.jsonl")
            let third = try folders.state(of: "small/dvae", since: -1, logOffset: 0)
            #expect(third.curves[0].points.map(\.step) == [1, 2, 3, 4, 5, 6])
        }
    }

    @Test func samplesAreFoundAndNothingElseIsRead() throws {
        try withRun { folders, run in
            let samples = try folders.samples(of: "small/dvae")
            #expect(samples.map(\.id) == ["100/7/dvae/val/a.wav", "100/7/dvae/val/b.wav"])
            #expect(samples.map(\.hasReference) == [true, false])
            let path = try folders.audio(of: "small/dvae", sample: samples[0].id, isReference: true)
            #expect(path.hasSuffix("logs/100/7/ref/a.wav"))
            for (run, sample) in [
                ("small/dvae", "../../config.yaml"), ("..", samples[0].id), ("small/../small/dvae", samples[0].id),
                ("small/dvae", "/etc/passwd"),
            ] {
                #expect(throws: InputError.self) { try folders.audio(of: run, sample: sample, isReference: false) }
            }
            #expect(throws: InputError.self) {
                try folders.audio(of: "small/dvae", sample: samples[1].id, isReference: true)
            }
        }
    }

    @Test func configurationsAreChecked() throws {
        try withRun { folders, _ in
            #expect(folders.validate("models:\n- {name: dvae, training: True}").errors == [])
            #expect(!folders.validate("trainer: {iterations: many}").errors.isEmpty)
            #expect(!folders.validate("a: [").errors.isEmpty)
            #expect(folders.validate("trainer: {iterationz: 3}").notes.contains { $0.contains("iterations") })
            #expect(throws: InputError.self) { try folders.start("small/dvae", yaml: nil) }
            #expect(throws: InputError.self) { try folders.tell("small/dvae", "save") }
        }
    }

    @Test(arguments: ["", "..", "../x", "/x", "a//b", ".a", "a/.b", "a/b/c/d", "a b", "a\u{0}", "a\n"])
    func runsHaveNamesOfFolders(name: String) throws {
        try withRun { folders, run in
            let starting = TrainingFolders(root: (run as NSString).deletingLastPathComponent, program: "/bin/true")
            #expect(throws: InputError.self) {
                try starting.start(name, yaml: "models:\n- {name: dvae, training: True}")
            }
        }
    }
}
