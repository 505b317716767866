import Foundation
import Testing

/// A dataset and a configuration of a tiny DVAE, whose steps take milliseconds.
struct TinyRun {
    let root: URL
    var yaml: String { root.path + "/run/config.yaml" }
    var folder: URL { root.appending(path: "run") }
    var checkpoints: URL { folder.appending(path: "ckpt/dvae") }

    init(_ root: URL, iterations: Int, more: String = "", saveFrequency: Int = 0) throws {
        self.root = root
        if !FileManager.default.fileExists(atPath: root.path + "/data.h5") {
            try MadeUpRecordings.write(to: root)
            let result = try run(
                "tortoise-train",
                [
                    "prepare", "--input", root.path + "/voices", "--metadata", root.path + "/metadata", "--for", "dvae",
                    "--output", root.path + "/data.h5",
                ])
            #expect(result.status == 0, "\(result.errors)")
        }
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let text = """
            models:
            - {name: dvae, training: True, kwargs: {num_tokens: 16, codebook_dim: 8, num_resnet_blocks: 0, hidden_dim: 4}, task: {crop_frames: 16, unquantized_steps: 4}}
            hyperparameters: {batch_size: 2, gradient_accumulation_steps: 1, optimizer: AdamW, learning_rate: 1.0e-3\(more)}
            evaluation: {batch_size: 2, frequency: 0, size: 2}
            trainer: {iterations: \(iterations), save_frequency: \(saveFrequency), weight_dtype: float32, threads: 1}
            dataset: {hdf5_name: ../data.h5, min_utterances: 1, validation_fraction: 0.2, sample_order: random}

            """
        try Data(text.utf8).write(to: URL(filePath: yaml))
    }

    /// The bytes of a checkpoint.
    func checkpoint(_ tag: Int) throws -> [Data] {
        try ["state.sft", "optimizer.sft"].map { try Data(contentsOf: checkpoints.appending(path: "\(tag)/\($0)")) }
    }

    var latest: Int? {
        (try? String(contentsOf: checkpoints.appending(path: "latest"), encoding: .utf8)).flatMap {
            Int($0.trimmingCharacters(in: .whitespacesAndNewlines))
        }
    }
}

/// A program that runs beside the test.
///
/// What it says goes into a file: watching a pipe until its other end closes has libdispatch on Linux free the watch while another of
/// its threads still walks it (swift-corelibs-libdispatch, issue 949), which breaks the heap of the whole test process.
final class RunningProgram {
    let process = Process()
    private let errors: URL

    /// - Parameters:
    ///   - input: What its standard input is: a pipe, a file, or /dev/null.
    ///   - folder: Its working folder; the test's unless given.
    init(_ program: String, _ arguments: [String], input: Any = FileHandle.nullDevice, folder: URL? = nil) throws {
        errors = FileManager.default.temporaryDirectory.appending(path: "said-\(UUID().uuidString).txt")
        try Data().write(to: errors)
        process.executableURL = programURL(program)
        process.arguments = arguments
        if let folder { process.currentDirectoryURL = folder }
        process.standardInput = input
        process.standardError = try FileHandle(forWritingTo: errors)
        process.standardOutput = FileHandle.nullDevice
        try process.run()
    }

    deinit {
        if process.isRunning { signal(SIGKILL) }
        try? FileManager.default.removeItem(at: errors)
    }

    var said: String { (try? Data(contentsOf: errors)).map { String(decoding: $0, as: UTF8.self) } ?? "" }

    /// Waits until something was said.
    func wait(for what: String, seconds: Double = 20) -> Bool {
        let limit = Date(timeIntervalSinceNow: seconds)
        while !said.contains(what) {
            guard Date() < limit else { return false }
            if !process.isRunning { return said.contains(what) }
            usleep(5_000)
        }
        return true
    }

    func signal(_ number: Int32) { kill(process.processIdentifier, number) }

    /// Waits for its end; stops it when that takes too long.
    func finish(seconds: Double = 20) -> Int32 {
        let limit = Date(timeIntervalSinceNow: seconds)
        while process.isRunning, Date() < limit { usleep(5_000) }
        if process.isRunning {
            Issue.record("the program did not leave: \(said.suffix(500))")
            signal(SIGKILL)
        }
        process.waitUntilExit()
        // A program that left by itself with 128 + n was not killed by signal n.
        return process.terminationReason == .uncaughtSignal ? -process.terminationStatus : process.terminationStatus
    }
}
