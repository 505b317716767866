import Foundation

/// A bar on a terminal, a line every few seconds elsewhere; on standard error.
public final class ProgressLine {
    private let label: String
    private let isTerminal = isatty(STDERR_FILENO) == 1
    private let start = Date()
    private var last = Date.distantPast
    private var isShown = false

    public init(_ label: String) { self.label = label }

    /// Shows how far the work is; cheap to call often.
    ///
    /// - Parameter total: nil where it is not known.
    public func update(_ done: Int, _ total: Int?) {
        let interval = isTerminal ? 0.1 : 5.0
        guard -last.timeIntervalSinceNow >= interval || done == total else { return }
        last = Date()
        let elapsed = -start.timeIntervalSinceNow
        guard let total else { return show("\(label) \(done), \(Int(elapsed)) s", bar: "") }
        let share = total > 0 ? Double(done) / Double(total) : 1
        let left = done > 0 ? elapsed / Double(done) * Double(total - done) : 0
        let bar =
            String(repeating: "█", count: Int(share * 24)) + String(repeating: "░", count: 24 - Int(share * 24)) + " "
        show("\(label) \(done)/\(total) \(Int(elapsed)) s, \(Int(left)) s left", bar: bar)
    }

    private func show(_ text: String, bar: String) {
        guard isTerminal else { return write(text + "\n") }
        write("\r\u{1B}[K\(bar)\(text)")
        isShown = true
    }

    /// Leaves the line.
    public func finish() {
        if isShown { write("\n") }
        isShown = false
    }

    private func write(_ text: String) { try? FileHandle.standardError.write(contentsOf: Data(text.utf8)) }
}
