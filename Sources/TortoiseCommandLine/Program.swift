public import ArgumentParser
import Foundation
import TortoiseCore

/// The root command of one of our programs.
///
/// What it promises: errors go to standard error under the program's name, and the exit code says their kind (2 bad usage
/// or configuration, 3 bad input data, 4 a model that is missing or malformed).
public protocol Program: ParsableCommand {}

extension Program {
    /// Parses the command line, runs the command and leaves.
    public static func main() {
        BLASCore.restartWithBetter()
        do {
            try Execution.checkEnvironment()
            var command = try parseAsRoot()
            try command.run()
        } catch let error as InputError {
            leave(saying: "\(configuration.commandName ?? "tortoise"): \(error)", error.kind)
        } catch {
            guard exitCode(for: error) == .validationFailure else { exit(withError: error) }
            leave(saying: fullMessage(for: error), .usage)
        }
    }

    private static func leave(saying message: String, _ kind: InputError.Kind) -> Never {
        FileHandle.standardError.write(Data((message + "\n").utf8))
        exit(withError: ExitCode(kind.rawValue))
    }
}
