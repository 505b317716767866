import Foundation
import TortoiseCore

/// What a command was asked to print.
public enum StandardOutput {
    /// Prints all of a text; a reader that has gone ends the program quietly.
    ///
    /// - Throws: `InputError` when it cannot be written, such as on a full disk.
    public static func write(_ text: String) throws { try write(Array(text.utf8)) }

    public static func write(_ bytes: [UInt8]) throws {
        if try !AudioStream.write(bytes, to: STDOUT_FILENO) { exit(0) }
    }

    /// Puts /dev/null where standard input, output or error are closed, before any file gets their numbers.
    ///
    /// To be called before anything is opened.
    static func reopenClosedDescriptors() {
        for descriptor in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] where fcntl(descriptor, F_GETFD) == -1 {
            // The lowest free number is the closed one.
            let opened = open("/dev/null", descriptor == STDIN_FILENO ? O_RDONLY : O_WRONLY)
            if opened >= 0, opened != descriptor {
                dup2(opened, descriptor)
                close(opened)
            }
        }
    }
}

/// What people are told beside a program's output.
public enum StandardError {
    /// Prints a line; where that cannot be written, the program goes on without.
    public static func say(_ line: String) {
        try? FileHandle.standardError.write(contentsOf: Data((line + "\n").utf8))
    }
}
