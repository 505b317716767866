import Foundation

/// Turns signals into requests, on a thread of its own.
///
/// SIGINT: finish the step, save, leave (130); a second one leaves now. SIGTERM: save, leave (143). SIGHUP: save, leave (129),
/// unless it was ignored when the program started (nohup). SIGUSR1: save. SIGUSR2: status. SIGPIPE is ignored.
///
/// The signals are blocked in every thread and waited for in one, so that nothing runs inside a handler.
public struct SignalMonitor: Sendable {
    private let inbox: CommandInbox
    private let signals: [Int32]
    private let onSecondInterrupt: @Sendable () -> Void

    /// Blocks the signals for this thread and those it starts; to be called before any other thread exists.
    ///
    /// - Parameter onSecondInterrupt: Puts the terminal in order before the program leaves at once.
    public init(inbox: CommandInbox, onSecondInterrupt: @escaping @Sendable () -> Void = {}) {
        self.inbox = inbox
        self.onSecondInterrupt = onSecondInterrupt
        signal(SIGPIPE, SIG_IGN)
        var wanted = [SIGINT, SIGTERM, SIGUSR1, SIGUSR2]
        if !Self.isIgnored(SIGHUP) { wanted.append(SIGHUP) }
        // A signal that is ignored is never waited for, and a shell's background jobs start with SIGINT ignored.
        for number in wanted { signal(number, SIG_DFL) }
        signals = wanted
        var set = Self.set(of: wanted)
        pthread_sigmask(SIG_BLOCK, &set, nil)
    }

    /// Starts the thread that waits.
    public func start() {
        let thread = Thread { waitForSignals() }
        thread.name = "signals"
        thread.start()
    }

    private func waitForSignals() {
        var set = Self.set(of: signals)
        var interrupts = 0
        while true {
            var number: Int32 = 0
            guard sigwait(&set, &number) == 0 else { continue }
            switch number {
            case SIGINT:
                interrupts += 1
                if interrupts > 1 {
                    onSecondInterrupt()
                    _exit(130)
                }
                inbox.post(.signal(name: "SIGINT", .quit(saving: true), exitCode: 130))
            case SIGTERM: inbox.post(.signal(name: "SIGTERM", .quit(saving: true), exitCode: 143))
            case SIGHUP: inbox.post(.signal(name: "SIGHUP", .quit(saving: true), exitCode: 129))
            case SIGUSR1: inbox.post(.signal(name: "SIGUSR1", .save, exitCode: nil))
            default: inbox.post(.signal(name: "SIGUSR2", .status, exitCode: nil))
            }
        }
    }

    private static func isIgnored(_ number: Int32) -> Bool {
        var action = sigaction()
        sigaction(number, nil, &action)
        return unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self)
            == unsafeBitCast(SIG_IGN, to: Int.self)
    }

    private static func set(of numbers: [Int32]) -> sigset_t {
        var set = sigset_t()
        sigemptyset(&set)
        for number in numbers { sigaddset(&set, number) }
        return set
    }
}
