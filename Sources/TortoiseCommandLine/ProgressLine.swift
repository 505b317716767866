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
    public func update(_ done: Int, _ total: Int) {
        let interval = isTerminal ? 0.1 : 5.0
        guard -last.timeIntervalSinceNow >= interval || done == total else { return }
        last = Date()
        let share = total > 0 ? Double(done) / Double(total) : 1
        let elapsed = -start.timeIntervalSinceNow
        let left = done > 0 ? elapsed / Double(done) * Double(total - done) : 0
        let text = "\(label) \(done)/\(total) \(Int(elapsed)) s, \(Int(left)) s left"
        if isTerminal {
            let bar =
                String(repeating: "█", count: Int(share * 24)) + String(repeating: "░", count: 24 - Int(share * 24))
            write("\r\u{1B}[K\(bar) \(text)")
            isShown = true
        } else {
            write(text + "\n")
        }
    }

    /// Leaves the line.
    public func finish() {
        if isShown { write("\n") }
        isShown = false
    }

    private func write(_ text: String) { try? FileHandle.standardError.write(contentsOf: Data(text.utf8)) }
}
