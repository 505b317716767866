import Foundation
import TortoiseCore

/// Shows a run on standard error: a line per event, and one per step that a terminal keeps overwriting.
///
/// `@unchecked Sendable`: everything is behind the lock.
final class TrainingDisplay: @unchecked Sendable {
    private let lock = NSLock()
    private let isJSON: Bool
    private let isTerminal = isatty(STDERR_FILENO) == 1
    /// What the last line of a terminal shows: the newest step, and what is being typed.
    private var status = ""
    private var typed = ""
    private var statusIsShown = false
    /// The terminal's keys where what is typed and what is shown share one screen; nil elsewhere.
    let keys: TerminalKeys? =
        isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1 ? TerminalKeys(descriptor: STDIN_FILENO) : nil
    private var smoothedLoss: Double?
    private var lastPlainLine = Date.distantPast
    /// A file that has every line, too.
    private var copy: FileHandle?
    private var lastCopiedStep = Date.distantPast

    /// Seconds between two lines about steps where there is no terminal; the log has every step.
    private static let plainInterval = 1.0

    init(isJSON: Bool) { self.isJSON = isJSON }

    /// Says at once that a typed command arrived; it is obeyed at the next step boundary.
    func acknowledge(_ line: String) {
        guard let command = try? ConsoleCommand(line: line) else { return }
        tell("\(command): at the next step boundary")
    }

    func show(_ event: TrainingEvent) {
        switch event {
        case .step(let report): show(report)
        case .evaluated(let report) where isJSON:
            writeJSON(report)
            fallthrough
        default: for line in Self.lines(for: event) { tell(line) }
        }
    }

    /// Also writes every line to a file from now on, which is begun anew.
    ///
    /// - Throws: `InputError.usage` when it cannot be written.
    func copyLines(to path: String) throws {
        guard FileManager.default.createFile(atPath: path, contents: nil),
            let file = FileHandle(forWritingAtPath: path)
        else { throw InputError.usage("cannot be written", at: path) }
        lock.withLock { copy = file }
    }

    /// Leaves the terminal as it was.
    func close() {
        lock.withLock {
            clearStatus()
            (status, typed) = ("", "")
        }
        keys?.giveBack()
    }

    /// Shows the line that is being typed, before the status.
    func showTyped(_ text: String) {
        lock.withLock {
            typed = text
            drawStatus()
        }
    }

    /// Shows a line.
    func tell(_ line: String) {
        lock.withLock {
            clearStatus()
            write(line + "\n")
            if isTerminal { drawStatus() }
            try? copy?.write(contentsOf: Data((line + "\n").utf8))
        }
    }

    /// The last line: the status alone, or what is typed with the cursor behind it and the status dimmed after it.
    private func drawStatus() {
        let width = terminalWidth - 1
        guard !typed.isEmpty else {
            write("\r\u{1B}[K" + String(status.prefix(width)))
            statusIsShown = !status.isEmpty
            return
        }
        let prompt = "> " + String(typed.suffix(max(1, width - 2)))
        let rest = String(status.prefix(max(0, width - prompt.count - 3)))
        write("\r\u{1B}[K\(prompt)   \u{1B}[2m\(rest)\u{1B}[0m\r\u{1B}[\(prompt.count)C")
        statusIsShown = true
    }

    private func show(_ report: StepReport) {
        lock.withLock {
            let loss = report.losses.first?.value ?? 0
            smoothedLoss = smoothedLoss.map { $0 + (loss - $0) / 20 } ?? loss
            if isJSON { writeJSON(report) }
            let line = text(of: report)
            if report.step == report.iterations || -lastCopiedStep.timeIntervalSinceNow >= Self.plainInterval {
                try? copy?.write(contentsOf: Data((line + "\n").utf8))
                lastCopiedStep = Date()
            }
            if isTerminal {
                status = line
                drawStatus()
            } else if !isJSON,
                report.step == report.iterations || -lastPlainLine.timeIntervalSinceNow >= Self.plainInterval
            {
                write(line + "\n")
                lastPlainLine = Date()
            }
        }
    }

    private func text(of report: StepReport) -> String {
        let losses = report.losses.map { "\($0.name) \(number($0.value))" }.joined(separator: " ")
        let norms = report.gradientNorms.map { number($0.value) }.joined(separator: "/")
        let tokens = report.seconds > 0 ? Double(report.tokens) / report.seconds : 0
        let samples = report.seconds > 0 ? Double(report.samples) / report.seconds : 0
        return
            "\(report.step)/\(report.iterations) epoch \(String(format: "%.2f", report.epoch)) \(losses) (smooth \(number(smoothedLoss ?? 0)))"
            + " norm \(norms) lr \(String(format: "%.2e", report.learningRate)) \(Int(tokens)) tokens/s \(String(format: "%.1f", samples)) samples/s"
            + " waiting \(Int(report.waitingShare * 100))% \(report.memoryBytes >> 20) MB left \(report.secondsLeft.asTime)"
    }

    private func writeJSON(_ report: StepReport) {
        let losses = report.losses.map { "\"\($0.name)\":\($0.value.isFinite ? "\($0.value)" : "null")" }.joined(
            separator: ",")
        let line =
            "{\"it\":\(report.step),\"epoch\":\(report.epoch),\"lr\":\(report.learningRate),\"loss\":{\(losses)}}\n"
        try? FileHandle.standardOutput.write(contentsOf: Data(line.utf8))
    }

    private func writeJSON(_ report: EvaluationReport) {
        let line: JSONValue = [
            "it": .integer(report.step),
            "evaluation": .object(report.metrics.map { .init(key: $0.name, value: .number($0.value)) }),
            "seconds": .number(report.seconds), "folder": JSONValue(report.folder),
        ]
        try? FileHandle.standardOutput.write(contentsOf: Data((line.serialized + "\n").utf8))
    }

    static func lines(for event: TrainingEvent) -> [String] {
        switch event {
        case .started(let overview): return lines(for: overview)
        case .step: return []
        case .answer(let text): return [text]
        case .refused(let text): return ["not understood: \(text)"]
        case .warning(let text): return [text]
        case .saved(let step, let path, let bytes, let seconds):
            return [
                "saved step \(step) to \(path): \(String(format: "%.1f", Double(bytes) / 1e6)) MB in \(String(format: "%.2f", seconds)) s"
            ]
        case .saveFailed(let step, let reason): return ["SAVE FAILED at step \(step): \(reason)"]
        case .pruned(let tags): return ["removed older checkpoints: \(tags.joined(separator: ", "))"]
        case .evaluating(let step): return ["evaluating at step \(step)"]
        case .evaluated(let report):
            let metrics = report.metrics.map { "\($0.name) \(String(format: "%.4f", $0.value))" }.joined(
                separator: ", ")
            return ["evaluated step \(report.step) in \(report.seconds.asTime): \(metrics)"]
                + (report.folder.map { ["audio is in \($0)"] } ?? [])
        case .evaluationFailed(let step, let reason): return ["evaluation failed at step \(step): \(reason)"]
        case .exported(let path): return ["exported \(path)"]
        case .badUpdate(let step, let what, let names):
            return ["step \(step) was skipped: \(what); batch: \(names.prefix(20).joined(separator: ", "))"]
        case .wentBack(let step, let path, let rate):
            return ["went back to step \(step) (\(path)) with a learning rate of \(rate)"]
        case .paused(let step): return ["paused at step \(step); 'resume' goes on"]
        case .resumed: return ["going on"]
        case .finished(let outcome):
            switch outcome {
            case .finished(let step, let isComplete):
                return ["finished at step \(step)" + (isComplete ? "" : ", and its checkpoint COULD NOT BE SAVED")]
            case .quit(let step, _): return ["left at step \(step)"]
            case .diverged(let step):
                return ["STOPPED at step \(step): losses stay spoiled, and there is no checkpoint left to go back to"]
            }
        }
    }

    private static func lines(for overview: TrainingOverview) -> [String] {
        func megabytes(_ bytes: Int) -> String { "\(bytes >> 20) MB" }
        return [
            "\(overview.model): \(overview.trainableParameters) parameters trained, \(overview.frozenParameters) frozen",
            "\(overview.stepsPerEpoch) steps per epoch, step \(overview.firstStep) of \(overview.iterations)",
            overview.continuedFrom.map { "continuing from \($0)" } ?? "starting afresh",
            "memory: \(megabytes(overview.stateBytes)) for weights, gradients and optimizer, activations on top; \(megabytes(overview.availableBytes)) are free",
            "logs: \(overview.logs)",
        ]
    }

    private func number(_ value: Double) -> String { String(format: value.magnitude < 10 ? "%.4f" : "%.2f", value) }

    private var terminalWidth: Int {
        var size = winsize()
        return ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 20 ? Int(size.ws_col) : 80
    }

    private func clearStatus() {
        guard statusIsShown else { return }
        write("\r\u{1B}[K")
        statusIsShown = false
    }

    private func write(_ text: String) { try? FileHandle.standardError.write(contentsOf: Data(text.utf8)) }
}
