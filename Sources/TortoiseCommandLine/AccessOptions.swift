public import ArgumentParser
import Foundation
import TortoiseCore

/// Who may use a server.
public struct AccessOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "What clients have to send as bearer token; others on this machine can see it here, so --token-file is better.",
            valueName: "text"))
    public var token: String?

    @Option(
        help: ArgumentHelp("A file with the token. TORTOISE_TOKEN in the environment does the same.", valueName: "file")
    )
    public var tokenFile: String?

    @Flag(help: "Let anybody in who can reach the address.")
    public var noToken = false

    public init() {}

    /// The token of the flag, the file or the environment; nil when there is none.
    ///
    /// - Throws: `InputError.usage` when the file cannot be read.
    public func secret() throws -> String? {
        if noToken { return nil }
        if let token { return token }
        guard let tokenFile else {
            return ProcessInfo.processInfo.environment["TORTOISE_TOKEN"].flatMap { $0.isEmpty ? nil : $0 }
        }
        guard let data = FileManager.default.contents(atPath: tokenFile) else {
            throw InputError.usage("cannot be read", at: tokenFile, try: "--token-file names a file with the token")
        }
        return String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
