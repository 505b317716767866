import TortoiseCore

/// Where a server listens and what it allows.
public struct ServerOptions: Sendable {
    public var host = "127.0.0.1"
    public var port = 7860
    /// What all paths begin with, such as "/tortoise"; empty for none.
    public var prefix = ""
    /// What clients have to know; nil when nobody is asked.
    public var token: String?
    /// Names beside addresses and localhost that requests may be addressed to.
    public var hostNames: [String] = []
    /// Pages of other origins that may send requests, such as "https://example.org".
    public var origins: [String] = []
    /// Requests that may wait for the engine.
    public var queue = 32
    /// Characters of a text.
    public var textLimit = 20_000
    /// Bytes of a body without and with recordings.
    public var bodyLimit = 1 << 20
    public var uploadLimit = 64 << 20
    /// Recordings of one request, and seconds of each.
    public var clipCount = 16
    public var clipSeconds = 120.0
    /// Seconds in which a request has to arrive, and in which speech has to be made.
    public var arrivalSeconds = 60.0
    public var workSeconds = 600.0
    /// Seconds without a request after which weights are let go of; 0 for never.
    public var idleSeconds = 900.0
    /// Seconds that speech which is being made has when the server is to stop.
    public var graceSeconds = 30.0
    public var connections = 512

    public init() {}

    /// Reads `HOST:PORT[/PATH]`; each part may be missing.
    ///
    /// - Throws: `InputError.usage` that says what is expected.
    public mutating func listen(at text: String) throws {
        let fault = InputError.usage(
            "expected HOST:PORT[/PATH], found '\(text.prefix(80))'", at: "--listen", try: "such as 127.0.0.1:7860")
        var address = text[...]
        if let slash = address.firstIndex(of: "/") {
            let path = address[slash...].split(separator: "/").joined(separator: "/")
            let allowed = path.unicodeScalars.allSatisfy {
                $0.isASCII && ($0.properties.isAlphabetic || "0123456789-_./".unicodeScalars.contains($0))
            }
            guard allowed else { throw fault }
            prefix = path.isEmpty ? "" : "/" + path
            address = address[..<slash]
        }
        // An IPv6 address has colons of its own, and brackets when a port follows.
        if address.hasPrefix("[") {
            guard let end = address.firstIndex(of: "]") else { throw fault }
            host = String(address[address.index(after: address.startIndex)..<end])
            address = address[address.index(after: end)...]
        } else {
            let name = address.prefix { $0 != ":" }
            if !name.isEmpty { host = String(name) }
            address = address[name.endIndex...]
        }
        guard !address.isEmpty else { return }
        guard address.first == ":", let number = Int(address.dropFirst()), (0...65_535).contains(number) else {
            throw fault
        }
        port = number
    }

    /// Whether only this machine can reach the server.
    public var isLoopback: Bool { ["localhost", "::1"].contains(host) || host.hasPrefix("127.") }

    /// Sees that nobody outside this machine can use the server by accident.
    ///
    /// - Throws: `InputError.usage` when a token is missing.
    public func checkAccess(isOpen: Bool) throws {
        guard token == nil, !isOpen, !isLoopback else {
            if let token, token.utf8.count < 8 || token.contains(where: \.isWhitespace) {
                throw InputError.usage("a token has 8 characters or more, and no blanks", at: "--token")
            }
            return
        }
        throw InputError.usage(
            "others can reach \(host), and there is no token", at: "--listen",
            try: "give --token-file FILE or set TORTOISE_TOKEN, or say --no-token to let anybody in")
    }
}
