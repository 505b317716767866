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
        StandardOutput.reopenClosedDescriptors()
        BLASCore.restartWithBetter()
        do {
            try Execution.checkEnvironment()
            let arguments = ConfigurationSource.expandBareArguments(Array(CommandLine.arguments.dropFirst()))
            var command = try parseAsRoot(arguments)
            try command.run()
        } catch let error as InputError {
            leave(saying: "\(configuration.commandName ?? "tortoise"): \(error)", error.kind)
        } catch {
            guard exitCode(for: error) == .validationFailure else { exit(withError: error) }
            leave(saying: fullMessage(for: error), .usage)
        }
    }

    private static func leave(saying message: String, _ kind: InputError.Kind) -> Never {
        // Where even that cannot be written the exit code has to do.
        StandardError.say(message)
        exit(withError: ExitCode(kind.rawValue))
    }
}
