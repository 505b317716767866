/// Commands that wait for a step: `WHAT@N`.
struct CommandSchedule: Equatable {
    private(set) var events: [(command: ConsoleCommand, step: Int)] = []

    static func == (a: Self, b: Self) -> Bool {
        a.events.elementsEqual(b.events) { $0.command == $1.command && $0.step == $1.step }
    }

    mutating func add(_ command: ConsoleCommand, at step: Int) {
        events.append((command, step))
        events.sort { $0.step < $1.step }
    }

    mutating func clear() { events = [] }

    /// The commands whose step has come, each once; those whose step has passed unseen are dropped.
    mutating func due(at step: Int) -> [ConsoleCommand] {
        let due = events.filter { $0.step == step }.map(\.command)
        events.removeAll { $0.step <= step }
        return due
    }
}
