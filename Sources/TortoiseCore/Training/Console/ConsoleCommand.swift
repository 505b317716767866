/// What can be typed into a running trainer, or written to its control file.
public indirect enum ConsoleCommand: Equatable, Sendable {
    case save
    case quit(saving: Bool)
    case evaluate(thenQuit: Bool)
    case export
    case learningRate(Double)
    case lossScale(Double)
    case status
    case pause
    case resume
    /// Time left to a step; nil is the end of the run.
    case time(to: Int?)
    /// A command for when a step is reached.
    case scheduled(ConsoleCommand, step: Int)
    case showEvents
    case clearEvents
    case help

    /// Every word with its argument and what it does, for `help` and for hints.
    public static let words: [(usage: String, meaning: String)] = [
        ("save", "write a checkpoint after this step"),
        ("quit", "write a checkpoint and leave"),
        ("quit!", "leave without a checkpoint"),
        ("eval", "evaluate now; changes nothing of the run"),
        ("eval_quit", "evaluate, then quit"),
        ("export", "write a checkpoint and weights for inference"),
        ("lr X", "set the learning rate"),
        ("loss_scale X", "accepted for the reference's sake; losses are float32 here"),
        ("status", "say where the run stands"),
        ("pause", "wait after this step"),
        ("resume", "go on"),
        ("time [to N]", "time left to the end, or to step N"),
        ("WHAT@N", "do WHAT at step N"),
        ("event show", "list what is scheduled"),
        ("event clear", "forget what is scheduled"),
        ("help", "this list"),
    ]

    /// Reads one line: any case, blanks around and a carriage return do not matter.
    ///
    /// - Returns: nil for a blank line.
    /// - Throws: `InputError.usage` with a hint, in one line.
    public init?(line: String) throws {
        let text = line.lowercased().split(whereSeparator: \.isWhitespace).joined(separator: " ")
        guard !text.isEmpty else { return nil }
        if let at = text.lastIndex(of: "@") {
            self = try Self.scheduled(what: text[..<at], step: text[text.index(after: at)...])
            return
        }
        let words = text.split(separator: " ").map(String.init)
        switch (words[0], words.count) {
        case ("save", 1): self = .save
        case ("quit", 1), ("exit", 1): self = .quit(saving: true)
        case ("quit!", 1): self = .quit(saving: false)
        case ("eval", 1): self = .evaluate(thenQuit: false)
        case ("eval_quit", 1): self = .evaluate(thenQuit: true)
        case ("export", 1): self = .export
        case ("status", 1): self = .status
        case ("pause", 1): self = .pause
        case ("resume", 1): self = .resume
        case ("help", 1), ("?", 1): self = .help
        case ("time", 1): self = .time(to: nil)
        case ("time", 2): self = .time(to: try Self.step(words[1]))
        case ("time", 3) where words[1] == "to": self = .time(to: try Self.step(words[2]))
        case ("event", 1), ("events", 1): self = .showEvents
        case ("event", 2) where words[1] == "show": self = .showEvents
        case ("event", 2) where words[1] == "clear": self = .clearEvents
        case ("lr", 2): self = .learningRate(try Self.number(words[1], "lr", allowsZero: true))
        case ("loss_scale", 2): self = .lossScale(try Self.number(words[1], "loss_scale", allowsZero: false))
        default: throw Self.hint(for: text, word: words[0])
        }
    }

    private static func scheduled(what: Substring, step: Substring) throws -> ConsoleCommand {
        guard let command = try ConsoleCommand(line: String(what)) else {
            throw InputError.usage("expected a command before '@'", try: "such as save@1000")
        }
        if case .scheduled = command { throw InputError.usage("one '@' is enough", try: "such as save@1000") }
        return .scheduled(command, step: try Self.step(step.trimmingBlanks))
    }

    private static func step(_ text: String) throws -> Int {
        guard let step = Int(text), step >= 0 else {
            throw InputError.usage("expected the number of a step, found '\(text.prefix(40))'", try: "such as 1000")
        }
        return step
    }

    private static func number(_ text: String, _ word: String, allowsZero: Bool) throws -> Double {
        guard let value = Double(text), value.isFinite, value > 0 || allowsZero && value == 0 else {
            throw InputError.usage(
                "\(word): expected a positive number, found '\(text.prefix(40))'", try: "such as \(word) 1e-4")
        }
        return value
    }

    private static func hint(for text: String, word: String) -> InputError {
        let known = words.map { String($0.usage.prefix { $0 != " " && $0 != "@" }) }
        if let usage = words.first(where: { $0.usage.hasPrefix(word + " ") })?.usage {
            return .usage("'\(text.prefix(60))' is not how it is written", try: "write \(usage)")
        }
        let near = nearestNames(to: word, among: known, limit: 1).first
        return .usage(
            "'\(text.prefix(60))' is no command",
            try: near.map { "did you mean \($0)? help lists all" } ?? "help lists all")
    }
}

extension Substring {
    fileprivate var trimmingBlanks: String { split(whereSeparator: \.isWhitespace).joined(separator: " ") }
}

extension ConsoleCommand: CustomStringConvertible {
    /// As it would be typed.
    public var description: String {
        switch self {
        case .save: "save"
        case .quit(let saving): saving ? "quit" : "quit!"
        case .evaluate(let thenQuit): thenQuit ? "eval_quit" : "eval"
        case .export: "export"
        case .learningRate(let rate): "lr \(rate)"
        case .lossScale(let scale): "loss_scale \(scale)"
        case .status: "status"
        case .pause: "pause"
        case .resume: "resume"
        case .time(let step): step.map { "time to \($0)" } ?? "time"
        case .scheduled(let command, let step): "\(command)@\(step)"
        case .showEvents: "event show"
        case .clearEvents: "event clear"
        case .help: "help"
        }
    }
}
