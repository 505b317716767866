import TortoiseCore

/// Who may ask for what: the rules, apart from HTTP.
struct AccessRules: Sendable {
    private let token: String?
    private let hostNames: Set<String>
    private let origins: Set<String>

    /// Headers of one request: how many, and their bytes.
    static let mostHeaders = 100
    static let mostHeaderBytes = 16_384
    static let mostPathBytes = 4_096

    /// - Parameter machineName: What this machine calls itself.
    init(_ options: ServerOptions, machineName: String) {
        token = options.token
        let names = ["localhost", machineName, options.host] + options.hostNames
        hostNames = Set(names.map { $0.lowercased() })
        origins = Set(options.origins.map { $0.lowercased() })
    }

    /// What is known of a request before its body is read.
    struct Asking {
        var host: String?
        var origin: String?
        var fetchSite: String?
        var authorization: String?
        var changes: Bool
        var isPublic: Bool
    }

    /// Whether a page of another origin was allowed to ask.
    func isAllowed(origin: String) -> Bool { origins.contains(origin.lowercased()) }

    /// - Throws: `ServerError` that says which rule was broken.
    func check(_ asking: Asking) throws {
        try checkHost(asking.host)
        try checkOrigin(asking)
        if !asking.isPublic { try checkToken(asking.authorization) }
    }

    /// A page of somebody else's may have its name point at this machine; such a request still says that name.
    private func checkHost(_ host: String?) throws {
        guard let host, !host.isEmpty else { throw ServerError(400, "the header Host is missing", code: "no_host") }
        let name = Self.withoutPort(host.lowercased())
        guard hostNames.contains(name) || Self.isAddress(name) else {
            throw ServerError(
                421, "this server is not called '\(name.prefix(80))'; start it with --host-name to allow the name",
                code: "wrong_host")
        }
    }

    private func checkOrigin(_ asking: Asking) throws {
        if let origin = asking.origin?.lowercased() {
            let own = (asking.host ?? "").lowercased()
            guard origin == "http://\(own)" || origin == "https://\(own)" || origins.contains(origin) else {
                throw ServerError(
                    403,
                    "pages of '\(origin.prefix(80))' may not use this server; start it with --origin to allow them",
                    code: "wrong_origin")
            }
        } else if asking.changes, asking.fetchSite == "cross-site" {
            throw ServerError(403, "another site's page may not change anything here", code: "wrong_origin")
        }
    }

    private func checkToken(_ authorization: String?) throws {
        guard let token else { return }
        let given = authorization.flatMap { header -> String? in
            let words = header.split(separator: " ", maxSplits: 1)
            return words.count == 2 && words[0].lowercased() == "bearer" ? String(words[1]) : nil
        }
        guard let given else {
            throw ServerError(401, "a token is needed: Authorization: Bearer TOKEN", code: "token_missing")
        }
        guard Self.isEqual(Array(given.utf8), Array(token.utf8)) else {
            throw ServerError(401, "the token is not this server's", code: "token_wrong")
        }
    }

    /// Takes the same time wherever two texts differ.
    private static func isEqual(_ a: [UInt8], _ b: [UInt8]) -> Bool {
        var difference = a.count ^ b.count
        for index in a.indices { difference |= Int(a[index] ^ b[index % b.count]) }
        return difference == 0
    }

    private static func withoutPort(_ host: String) -> String {
        if host.hasPrefix("["), let end = host.firstIndex(of: "]") { return String(host[...end]) }
        return String(host.prefix { $0 != ":" })
    }

    /// Addresses need no name service, so that nobody can point them elsewhere.
    private static func isAddress(_ name: String) -> Bool {
        if name.hasPrefix("["), name.hasSuffix("]") {
            return name.dropFirst().dropLast().allSatisfy { $0.isHexDigit || $0 == ":" || $0 == "." }
        }
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts.allSatisfy { UInt8($0) != nil }
    }
}
