// Swift's own `precondition` traps without a word in release builds, and release is how this package is built. Within
// the module these two take its place, so that a wrong shape names the operation and the shapes wherever it happens.

/// Stops the program with a message unless a condition that the caller must ensure holds.
@inline(__always)
func precondition(
    _ condition: @autoclosure () -> Bool, _ message: @autoclosure () -> String, file: StaticString = #fileID,
    line: UInt = #line
) {
    if !condition() { preconditionFailure(message(), file: file, line: line) }
}

/// Stops the program with a message: something happened that the caller must rule out.
@inline(never)
func preconditionFailure(_ message: @autoclosure () -> String, file: StaticString = #fileID, line: UInt = #line)
    -> Never
{
    fatalError(message(), file: file, line: line)
}
