import Foundation
import TortoiseCore

/// Leaves at once when the user interrupts, without partial files: what a command that writes results at its end needs.
public enum Interruption {
    /// To be called before any thread is started.
    public static func leaveCleanly() {
        signal(SIGPIPE, SIG_IGN)
        var set = sigset_t()
        sigemptyset(&set)
        let signals = [SIGINT, SIGTERM]
        for number in signals {
            signal(number, SIG_DFL)
            sigaddset(&set, number)
        }
        pthread_sigmask(SIG_BLOCK, &set, nil)
        let thread = Thread {
            var set = sigset_t()
            sigemptyset(&set)
            for number in signals { sigaddset(&set, number) }
            var number: Int32 = 0
            while sigwait(&set, &number) != 0 {}
            AtomicFile.removeUnfinished()
            _exit(128 + number)
        }
        thread.name = "signals"
        thread.start()
    }
}
