import Foundation
import TortoiseCore

/// Leaves at once when the user interrupts, without partial files: what a command that writes results at its end needs.
public enum Interruption {
    /// To be called once, before the work.
    public static func leaveCleanly() {
        SignalWatch.start([SIGINT, SIGTERM]) { number in
            AtomicFile.removeUnfinished()
            _exit(128 + number)
        }
    }
}
