/// Something given from outside (a file, a flag, YAML, an HTTP body, a typed line) that cannot be used.
///
/// Every message says what was expected and found, where, and what to try. Programs turn `kind` into their exit code.
public struct InputError: Error, Equatable, Sendable, CustomStringConvertible {
    /// What sort of thing was wrong; decides the exit code of a program.
    public enum Kind: Int32, Sendable {
        /// A flag, a command or a configuration (exit code 2).
        case usage = 2
        /// Audio, text or a dataset (exit code 3).
        case data = 3
        /// A model file that is missing, malformed or of the wrong shape (exit code 4).
        case model = 4
    }

    public let kind: Kind
    /// What was expected and what was found.
    public let problem: String
    /// The file, line, key or flag at fault.
    public let place: String?
    /// What the reader can do about it.
    public let remedy: String?

    public init(_ kind: Kind, _ problem: String, at place: String? = nil, try remedy: String? = nil) {
        self.kind = kind
        self.problem = problem
        self.place = place
        self.remedy = remedy
    }

    public var description: String {
        var text = place.map { "\($0): " } ?? ""
        text += problem
        if let remedy { text += " (\(remedy))" }
        return text
    }

    public static func usage(_ problem: String, at place: String? = nil, try remedy: String? = nil) -> InputError {
        InputError(.usage, problem, at: place, try: remedy)
    }

    public static func data(_ problem: String, at place: String? = nil, try remedy: String? = nil) -> InputError {
        InputError(.data, problem, at: place, try: remedy)
    }

    public static func model(_ problem: String, at place: String? = nil, try remedy: String? = nil) -> InputError {
        InputError(.model, problem, at: place, try: remedy)
    }
}
