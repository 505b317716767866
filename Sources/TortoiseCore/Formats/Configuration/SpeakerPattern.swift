import Foundation

/// How a speaker's name or group is read off an utterance's path: text with `{parts[N]}` for the path's parts.
///
/// The reference takes a Python lambda here and runs it. Nothing is run here: an f-string over `p.parts` is recognised by its
/// form and read as the pattern that it is.
public struct SpeakerPattern: Equatable, Sendable {
    enum Piece: Equatable {
        case text(String)
        /// A part of the path; negative counts from the end.
        case part(Int)
    }

    let pieces: [Piece]
    /// The pattern as it is written in a configuration.
    public let description: String

    /// The reference's name of a speaker: `group_speaker`.
    public static let stockName = SpeakerPattern(
        pieces: [.part(-3), .text("_"), .part(-2)], description: "{parts[-3]}_{parts[-2]}")
    /// The reference's group of a speaker.
    public static let stockGroup = SpeakerPattern(pieces: [.part(-3)], description: "{parts[-3]}")

    private init(pieces: [Piece], description: String) {
        self.pieces = pieces
        self.description = description
    }

    /// Reads a pattern, or a lambda that is one; nil when the text is neither.
    public init?(_ text: String) {
        guard text.utf8.count <= 1_000 else { return nil }
        let template = Self.template(ofLambda: text) ?? text
        var pieces: [Piece] = []
        var rest = template[...]
        while let open = rest.firstIndex(of: "{") {
            if open > rest.startIndex { pieces.append(.text(String(rest[..<open]))) }
            guard let close = rest[open...].firstIndex(of: "}") else { return nil }
            var inner = rest[rest.index(after: open)..<close]
            if inner.hasPrefix("p.") { inner = inner.dropFirst(2) }
            guard inner.hasPrefix("parts["), inner.hasSuffix("]"), let number = Int(inner.dropFirst(6).dropLast())
            else { return nil }
            pieces.append(.part(number))
            rest = rest[rest.index(after: close)...]
        }
        guard !rest.contains("}"), !rest.hasPrefix("lambda") else { return nil }
        if !rest.isEmpty { pieces.append(.text(String(rest))) }
        guard !pieces.isEmpty else { return nil }
        self.init(pieces: pieces, description: template.replacing("{p.parts[", with: "{parts["))
    }

    /// What stands between the quotes of `lambda p: f'…'`.
    private static func template(ofLambda text: String) -> String? {
        var rest = text.trimmingCharacters(in: .whitespaces)[...]
        for word in ["lambda", "p", ":", "f"] {
            rest = rest.drop { $0 == " " }
            guard rest.hasPrefix(word) else { return nil }
            rest = rest.dropFirst(word.count)
        }
        guard let quote = rest.first, quote == "'" || quote == "\"", rest.count >= 2, rest.last == quote else {
            return nil
        }
        return String(rest.dropFirst().dropLast())
    }

    /// The name that the pattern gives for a path.
    ///
    /// - Throws: `InputError` when the path has too few parts.
    public func name(for path: String) throws -> String {
        let parts = path.split(separator: "/").map(String.init)
        return try pieces.map { piece in
            switch piece {
            case .text(let text): return text
            case .part(let number):
                let (index, overflow) = number < 0 ? parts.count.addingReportingOverflow(number) : (number, false)
                guard !overflow, parts.indices.contains(index) else {
                    throw InputError.data(
                        "the speaker pattern '\(description)' needs part \(number) of a path with \(parts.count) parts",
                        at: path)
                }
                return parts[index]
            }
        }.joined()
    }
}

extension SpeakerPattern: ConfigurationValue {
    static func read(_ node: YAMLNode, _ report: inout ConfigurationReport) throws -> SpeakerPattern {
        let text = try String.read(node, &report)
        guard let pattern = SpeakerPattern(text) else {
            throw InputError.usage(
                "'\(text.prefix(80))' is no pattern of path parts", at: node.place,
                try: "write for example '{parts[-3]}_{parts[-2]}'; code is never run")
        }
        return pattern
    }

    var yaml: YAMLValue? { .string(description) }
}
