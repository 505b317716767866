import Foundation

/// `run.ctl` in a run folder: the same words as the console, for runs that nobody sits in front of.
///
/// The trainer renames the file away before it reads it, so that a writer's next line starts a new file.
public struct ControlFile: Sendable {
    public let path: String
    private var takenPath: String { path + ".taken" }

    public init(folder: String) { path = folder + "/run.ctl" }

    /// Appends a command; the trainer obeys it at its next step boundary.
    ///
    /// - Throws: `InputError.usage` when the line is no command or the file cannot be written.
    public func write(_ line: String) throws {
        guard try ConsoleCommand(line: line) != nil else {
            throw InputError.usage("expected a command", try: "such as save; help lists all")
        }
        let descriptor = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw Self.failure("cannot be written", path) }
        defer { close(descriptor) }
        let bytes = Array((line + "\n").utf8)
        guard Foundation.write(descriptor, bytes, bytes.count) == bytes.count else {
            throw Self.failure("cannot be written", path)
        }
    }

    /// Forgets what was written for an earlier run.
    ///
    /// - Returns: Whether there was anything.
    @discardableResult
    public func discard() -> Bool {
        unlink(takenPath)
        return unlink(path) == 0
    }

    /// The lines written since the last call.
    func take() -> [String] {
        guard rename(path, takenPath) == 0 else { return [] }
        // Whoever opened the file by its old name a moment ago gets the time to write.
        usleep(20_000)
        defer { unlink(takenPath) }
        guard let data = FileManager.default.contents(atPath: takenPath) else { return [] }
        var lines = LineAssembler()
        let complete = lines.append(data)
        return complete + [lines.finish()].compactMap { $0 }
    }

    /// Posts what is written to the file from now on, looking for it four times a second, on a thread of its own.
    public func watch(into inbox: CommandInbox) {
        let thread = Thread {
            while true {
                for line in take() { inbox.post(.line(line, .controlFile)) }
                usleep(250_000)
            }
        }
        thread.name = "control file"
        thread.stackSize = 1 << 19
        thread.start()
    }

    private static func failure(_ what: String, _ path: String) -> InputError {
        .usage("\(what): \(String(cString: strerror(errno)))", at: path)
    }
}
