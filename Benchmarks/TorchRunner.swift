import Foundation
import TortoiseCore

/// A Python process that times the same cases with PyTorch, one at a time between ours.
final class TorchRunner {
    private let process = Process()
    private let input = Pipe()
    private let output = Pipe()
    private var pending = Data()

    init(python: String, threads: Int) throws {
        let script = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "torch_cases.py")
        process.executableURL = URL(filePath: python)
        process.arguments = [script.path, String(threads)]
        process.standardInput = input
        process.standardOutput = output
        do {
            try process.run()
        } catch {
            throw InputError.usage(
                "cannot run \(python): \(error)", at: "--torch", try: "name a Python that has PyTorch")
        }
        // Starting takes seconds of both cores, which the first case would share.
        _ = try measure(["kind": "start", "name": "the start"])
    }

    /// PyTorch's median seconds and peak memory in bytes for a case; nil where it has nothing to compare.
    func measure(_ description: [String: Any]) throws -> (seconds: Double, memory: Double)? {
        var line = try JSONSerialization.data(withJSONObject: description)
        line.append(10)
        try input.fileHandleForWriting.write(contentsOf: line)
        guard let answer = readLine(), let object = try? JSONSerialization.jsonObject(with: answer) as? [String: Double]
        else {
            throw InputError.data(
                "the Python process gave no answer for \(description["name"] ?? "")", at: "torch_cases.py")
        }
        guard let seconds = object["seconds"], let memory = object["memory"] else { return nil }
        return (seconds, memory)
    }

    func finish() {
        try? input.fileHandleForWriting.close()
        process.waitUntilExit()
    }

    private func readLine() -> Data? {
        while true {
            if let end = pending.firstIndex(of: 10) {
                defer { pending = Data(pending[(end + 1)...]) }
                return Data(pending[..<end])
            }
            let more = output.fileHandleForReading.availableData
            guard !more.isEmpty else { return nil }
            pending.append(more)
        }
    }
}
