import Foundation

/// Trying again for a moment.
enum Patience {
    /// Whether an attempt succeeds within a fifth of a second: a lock may be held by somebody who only looks at it, or by a program that
    /// is being started and has a copy of it until it replaces its parent's image.
    static func succeeds(_ attempt: () -> Bool) -> Bool {
        for _ in 0..<5 {
            if attempt() { return true }
            usleep(40_000)
        }
        return attempt()
    }
}
