/// One rule of `ExtendedNormalizer`: where it may begin, and what it makes of what it finds there.
struct RewriteRule: Sendable {
    /// What stands for the scalars up to `end`.
    struct Match {
        let end: Int
        let spoken: String
    }

    /// What people see in the explanation.
    let name: String
    /// A quick test of the first scalar, so that most of a text costs a rule next to nothing.
    let starts: @Sendable (Unicode.Scalar) -> Bool
    /// Whether a blank parts what is spoken from the words around it.
    let separatesWords: Bool
    /// The match at a position, or nil. It must lie within the text and be at least one scalar long.
    let match: @Sendable (RuleText, Int) -> Match?

    init(
        _ name: String, separatesWords: Bool = true, starts: @escaping @Sendable (Unicode.Scalar) -> Bool,
        _ match: @escaping @Sendable (RuleText, Int) -> Match?
    ) {
        self.name = name
        self.separatesWords = separatesWords
        self.starts = starts
        self.match = match
    }

    /// The text with every match replaced, from left to right; nil when there was none.
    func apply(to scalars: [Unicode.Scalar]) -> [Unicode.Scalar]? {
        let text = RuleText(scalars: scalars)
        var out: [Unicode.Scalar] = []
        var copied = 0
        var position = 0
        while position < scalars.count {
            guard starts(scalars[position]), let found = match(text, position), found.end > position else {
                position += 1
                continue
            }
            if copied == 0 { out.reserveCapacity(scalars.count + scalars.count / 4) }
            out.append(contentsOf: scalars[copied..<position])
            let spoken = Array(found.spoken.unicodeScalars)
            if separatesWords, Self.wouldStick(out.last, spoken.first) { out.append(" ") }
            out.append(contentsOf: spoken)
            position = min(found.end, scalars.count)
            copied = position
            if separatesWords, position < scalars.count, Self.wouldStick(spoken.last, scalars[position]) {
                out.append(" ")
            }
        }
        guard copied > 0 else { return nil }
        out.append(contentsOf: scalars[copied...])
        return out
    }

    /// Whether two neighbours would read as one word.
    private static func wouldStick(_ left: Unicode.Scalar?, _ right: Unicode.Scalar?) -> Bool {
        guard let left, let right else { return false }
        return [left, right].allSatisfy { PreTokenizer.characterClass(of: $0) == .word && $0 != "_" }
    }
}

/// The tests that most rules begin with.
enum StartsWith {
    @Sendable static func digit(_ scalar: Unicode.Scalar) -> Bool { scalar.value &- 0x30 < 10 }

    @Sendable static func letter(_ scalar: Unicode.Scalar) -> Bool {
        scalar.isASCII ? (scalar.value | 0x20) &- 0x61 < 26 : scalar.properties.isAlphabetic
    }

    @Sendable static func capital(_ scalar: Unicode.Scalar) -> Bool { scalar.value &- 0x41 < 26 }

    @Sendable static func wordCharacter(_ scalar: Unicode.Scalar) -> Bool { digit(scalar) || letter(scalar) }
}
