import Foundation
import Synchronization

/// Hands signals to a thread, where anything may be done about them.
///
/// Handlers write the signal's number into a pipe, and the thread reads it. Blocking signals and waiting for them would not do: the
/// threads that a library starts before `main` (OpenBLAS does) do not block them, and the system gives a signal to any such thread.
public enum SignalWatch {
    /// The ends of the pipe: read, write. Made once, before the first handler is set.
    private static let pipe: (reads: Int32, writes: Int32) = {
        var ends: [Int32] = [-1, -1]
        guard Glibc.pipe(&ends) == 0 else { return (-1, -1) }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        // A handler must not wait, whoever floods the program with signals.
        _ = fcntl(ends[1], F_SETFL, O_NONBLOCK)
        return (ends[0], ends[1])
    }()

    /// Calls `body` for every one of the signals that arrives from now on, in their order, on a thread of its own.
    ///
    /// SIGPIPE is ignored from now on, too. To be called once in a program.
    public static func start(_ signals: [Int32], _ body: @escaping @Sendable (Int32) -> Void) {
        signal(SIGPIPE, SIG_IGN)
        let reads = pipe.reads
        let thread = Thread {
            unblock(signals)
            var number: UInt8 = 0
            while true {
                let count = read(reads, &number, 1)
                if count == 1 { body(Int32(number)) } else if count == 0 || errno != EINTR { return }
            }
        }
        thread.name = "signals"
        thread.start()
        for number in signals {
            var action = sigaction()
            action.__sigaction_handler.sa_handler = { number in
                let before = errno
                var byte = UInt8(truncatingIfNeeded: number)
                _ = write(SignalWatch.pipe.writes, &byte, 1)
                errno = before
            }
            action.sa_flags = SA_RESTART
            sigaction(number, &action, nil)
        }
    }

    /// Whether a signal was ignored by whoever started the program, as nohup does with SIGHUP.
    public static func isIgnored(_ number: Int32) -> Bool {
        var action = sigaction()
        sigaction(number, nil, &action)
        return unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self)
            == unsafeBitCast(SIG_IGN, to: Int.self)
    }

    /// In this thread, so that there is one that can be interrupted whatever the program was started with.
    private static func unblock(_ signals: [Int32]) {
        var set = sigset_t()
        sigemptyset(&set)
        for number in signals { sigaddset(&set, number) }
        pthread_sigmask(SIG_UNBLOCK, &set, nil)
    }
}
