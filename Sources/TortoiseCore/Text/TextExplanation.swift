/// How a text became tokens: what `tortoise-infer text --explain` prints.
public struct TextExplanation: Sendable, Equatable {
    /// A rule that changed the text, and the whole text after it.
    public struct Step: Sendable, Equatable {
        public let rule: String
        public let text: String
    }

    /// One token with its text in the vocabulary.
    public struct Token: Sendable, Equatable {
        public let id: Int32
        public let text: String
    }

    /// The text as given.
    public let original: String
    /// The steps that changed something, in order.
    public let steps: [Step]
    /// The text that was tokenized.
    public let spoken: String
    public let tokens: [Token]
    /// Characters of the original with no spoken form, each once, in order of appearance.
    public let dropped: [Unicode.Scalar]
    /// Characters of the spoken text that the vocabulary does not have (they became `[UNK]`), each once.
    public let unknown: [Unicode.Scalar]

    init(
        original: String, log: CleaningLog, spoken: String, tokens: [Token], unknown: [Unicode.Scalar]
    ) {
        self.original = original
        self.spoken = spoken
        self.tokens = tokens
        steps = log.steps
        dropped = log.dropped.removingRepeats()
        self.unknown = unknown.removingRepeats()
    }
}

extension TextExplanation: CustomStringConvertible {
    /// Several lines for people: the text after each rule, the tokens with their ids, and the characters that are not
    /// spoken.
    public var description: String {
        let width = max(6, steps.map(\.rule.count).max() ?? 0)
        func line(_ label: String, _ text: String) -> String {
            label + String(repeating: " ", count: max(0, width - label.count)) + "  " + text
        }
        var lines = [line("text", Self.visible(original))]
        lines += steps.map { line($0.rule, Self.visible($0.text)) }
        lines.append(line("spoken", Self.visible(spoken)))
        lines.append(line("tokens", tokens.map { "\($0.text)=\($0.id)" }.joined(separator: " ")))
        lines.append(line("count", "\(tokens.count)"))
        if !dropped.isEmpty {
            lines.append("not spoken: " + dropped.map(\.unicodeDescription).joined(separator: ", "))
        }
        if !unknown.isEmpty {
            lines.append("not in the vocabulary: " + unknown.map(\.unicodeDescription).joined(separator: ", "))
        }
        return lines.joined(separator: "\n")
    }

    /// Control characters would disturb a terminal, so they are shown as their code points.
    private static func visible(_ text: String) -> String {
        var out = ""
        for scalar in text.unicodeScalars {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .unassigned:
                out += "<\(scalar.codePoint)>"
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out
    }
}

extension Unicode.Scalar {
    /// "U+00E9".
    var codePoint: String {
        let digits = String(value, radix: 16, uppercase: true)
        return "U+" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }

    /// The code point with the character and its Unicode name: "U+1F600 😀 GRINNING FACE".
    var unicodeDescription: String {
        let name = properties.nameAlias ?? properties.name
        switch properties.generalCategory {
        case .control: return "\(codePoint) \(name ?? "CONTROL")"
        case .format, .lineSeparator, .paragraphSeparator: return "\(codePoint) \(name ?? "FORMAT")"
        case .privateUse: return "\(codePoint) PRIVATE USE"
        case .unassigned: return "\(codePoint) UNASSIGNED"
        default: return "\(codePoint) \(Character(self)) \(name ?? "UNNAMED")"
        }
    }
}

extension Sequence where Element: Hashable {
    /// The elements without later copies of earlier ones.
    func removingRepeats() -> [Element] {
        var seen: Set<Element> = []
        return filter { seen.insert($0).inserted }
    }
}
