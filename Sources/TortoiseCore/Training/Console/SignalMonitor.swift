import Foundation
import Synchronization

/// Turns signals into requests.
///
/// SIGINT: finish the step, save, leave (130); a second one leaves now. SIGTERM: save, leave (143). SIGHUP: save, leave (129),
/// unless it was ignored when the program started (nohup). SIGUSR1: save. SIGUSR2: status. SIGPIPE is ignored.
public enum SignalMonitor {
    /// Starts watching.
    ///
    /// - Parameter onSecondInterrupt: Puts the terminal in order before the program leaves at once.
    public static func start(inbox: CommandInbox, onSecondInterrupt: @escaping @Sendable () -> Void = {}) {
        var signals = [SIGINT, SIGTERM, SIGUSR1, SIGUSR2]
        if !SignalWatch.isIgnored(SIGHUP) { signals.append(SIGHUP) }
        let interrupts = Mutex(0)
        SignalWatch.start(signals) { number in
            switch number {
            case SIGINT:
                let count = interrupts.withLock { count -> Int in
                    count += 1
                    return count
                }
                if count > 1 {
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
}
