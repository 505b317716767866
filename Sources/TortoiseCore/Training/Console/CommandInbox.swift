import Foundation
import Synchronization

/// Where a command came from, which decides how much is said in answer.
public enum CommandOrigin: String, Sendable {
    case console, controlFile = "run.ctl", signal
}

/// Something that asks the trainer to act at the next step boundary.
public enum TrainerRequest: Sendable {
    /// A line to be read as a command.
    case line(String, CommandOrigin)
    /// A signal: what to do, and the exit code when it makes the run end.
    case signal(name: String, ConsoleCommand, exitCode: Int32?)
    /// Something to tell the user once, such as the end of standard input.
    case note(String)
}

/// The requests of all sources in the order of their arrival; the trainer takes them at step boundaries.
///
/// `@unchecked Sendable`: everything mutable is guarded by the condition.
public final class CommandInbox: @unchecked Sendable {
    private let condition = NSCondition()
    private var waiting: [TrainerRequest] = []
    /// Lines of a file on standard input, of which one is obeyed at each boundary.
    private var script: [String] = []
    private var acknowledge: (@Sendable (String) -> Void)?

    public init() {}

    /// Hears of every line as it arrives, on the thread that read it.
    public var onLine: (@Sendable (String) -> Void)? {
        get { condition.withLock { acknowledge } }
        set { condition.withLock { acknowledge = newValue } }
    }

    public func post(_ request: TrainerRequest) {
        condition.withLock {
            waiting.append(request)
            condition.signal()
        }
        if case .line(let line, _) = request { onLine?(line) }
    }

    /// Adds lines of which one is to be obeyed at each step boundary.
    func post(script lines: [String]) {
        condition.withLock {
            script += lines
            condition.signal()
        }
    }

    /// Everything that arrived, and the next line of a script.
    func take() -> [TrainerRequest] {
        condition.withLock {
            var taken = waiting
            waiting = []
            if !script.isEmpty { taken.append(.line(script.removeFirst(), .console)) }
            return taken
        }
    }

    /// Waits until something arrives or the time is over.
    func wait(seconds: Double) {
        condition.withLock {
            let limit = Date(timeIntervalSinceNow: seconds)
            while waiting.isEmpty, script.isEmpty, condition.wait(until: limit) {}
        }
    }
}

/// Turns bytes as they arrive into lines; a last line needs no newline.
struct LineAssembler {
    /// Longer lines are no commands; what is beyond this is dropped.
    static let limit = 4_096
    private var pending: [UInt8] = []

    /// The lines that these bytes complete.
    mutating func append(_ bytes: some Sequence<UInt8>) -> [String] {
        var lines: [String] = []
        for byte in bytes {
            if byte == UInt8(ascii: "\n") {
                lines.append(String(decoding: pending, as: UTF8.self))
                pending.removeAll(keepingCapacity: true)
            } else if pending.count < Self.limit {
                pending.append(byte)
            }
        }
        return lines
    }

    /// What came after the last newline.
    mutating func finish() -> String? {
        defer { pending = [] }
        return pending.isEmpty ? nil : String(decoding: pending, as: UTF8.self)
    }
}
