/// Cuts long text into pieces of about `desired` characters, as the original does.
///
/// Source: `split_and_recombine_text` in tortoise/utils/text.py: the same pieces for the same text. Characters are
/// Unicode scalars. `SentenceSplitter` cuts better; this one is for results equal to the original's.
public struct TextSplitter: Sendable {
    /// The length from which a sentence end closes a piece.
    public let desired: Int
    /// The length at which a piece is cut wherever that is possible.
    public let limit: Int

    /// - Throws: `InputError` unless both lengths are positive.
    public init(desired: Int = 200, limit: Int = 300) throws {
        guard desired > 0, limit > 0 else {
            throw InputError.usage("expected positive lengths to split text by, found \(desired) and \(limit)")
        }
        self.desired = desired
        self.limit = limit
    }

    /// The pieces, trimmed, without those of blanks and punctuation only.
    public func split(_ text: String) -> [String] {
        var machine = SplitMachine(text: Self.normalized(text), desired: desired, limit: limit)
        return machine.run().compactMap(Self.trimmed)
    }

    /// Whitespace runs as one blank, curly double quotes as straight ones.
    private static func normalized(_ text: String) -> [Unicode.Scalar] {
        var out: [Unicode.Scalar] = []
        out.reserveCapacity(text.utf8.count)
        for scalar in text.unicodeScalars {
            if isWhitespace(scalar) {
                if out.last != " " { out.append(" ") }
            } else {
                out.append(scalar == "\u{201C}" || scalar == "\u{201D}" ? "\"" : scalar)
            }
        }
        return out
    }

    private static func trimmed(_ piece: ArraySlice<Unicode.Scalar>) -> String? {
        let head = piece.drop(while: isWhitespace)
        guard let last = head.lastIndex(where: { !isWhitespace($0) }) else { return nil }
        let body = head[head.startIndex...last]
        guard !body.allSatisfy({ isWhitespace($0) || ".,;:!?".unicodeScalars.contains($0) }) else { return nil }
        var view = String.UnicodeScalarView()
        view.append(contentsOf: body)
        return String(view)
    }

    /// Python's `str.isspace`: Unicode whitespace and the four ASCII separators.
    private static func isWhitespace(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.isWhitespace || (0x1C...0x1F).contains(scalar.value)
    }
}

/// The original's cursor over the text; `position` is the character that was taken last.
private struct SplitMachine {
    let text: [Unicode.Scalar]
    let desired: Int
    let limit: Int

    private var position = -1
    /// The piece being built is `text[start...position]`.
    private var start = 0
    private var isInQuote = false
    /// Where the current piece could be cut after a sentence.
    private var lastBoundary: Int?
    private var pieces: [ArraySlice<Unicode.Scalar>] = []

    init(text: [Unicode.Scalar], desired: Int, limit: Int) {
        self.text = text
        self.desired = desired
        self.limit = limit
    }

    private var length: Int { position - start + 1 }
    private var current: Unicode.Scalar { text[position] }

    mutating func run() -> [ArraySlice<Unicode.Scalar>] {
        while position < text.count - 1 {
            step(1)
            if length >= limit {
                forceSplit()
            } else if !isInQuote, isSentenceEnd() {
                while position < text.count - 1, length < limit,
                    peek(1).map({ "!?.".unicodeScalars.contains($0) }) ?? true
                {
                    step(1)
                }
                lastBoundary = position
                if length >= desired { commit() }
            } else if isInQuote, peek(1).map({ $0 == "\"" }) ?? false, isGap(peek(2)) {
                step(2)
                lastBoundary = position
            }
        }
        commit()
        return pieces
    }

    /// Moves the cursor; landing on a quotation mark, in either direction, enters or leaves a quotation.
    private mutating func step(_ count: Int) {
        for _ in 0..<abs(count) {
            position += count.signum()
            if current == "\"" { isInQuote.toggle() }
        }
    }

    /// The character `offset` places on; nil (which the original counts as a member of every set) from the last one on.
    private func peek(_ offset: Int) -> Unicode.Scalar? {
        position + offset < text.count - 1 ? text[position + offset] : nil
    }

    private func isGap(_ scalar: Unicode.Scalar?) -> Bool {
        scalar.map { $0 == " " || $0 == "\n" } ?? true
    }

    private func isSentenceEnd() -> Bool {
        switch current {
        case "!", "?", "\n": true
        case ".": isGap(peek(1))
        default: false
        }
    }

    /// Goes back to the last sentence end of a piece that is half full, otherwise to the last word end, and cuts there.
    private mutating func forceSplit() {
        if let boundary = lastBoundary, 2 * length > desired {
            step(boundary - position)
        } else {
            while !"!?.\n ".unicodeScalars.contains(current), position > 0, length > desired { step(-1) }
        }
        commit()
    }

    private mutating func commit() {
        pieces.append(text[start..<position + 1])
        start = position + 1
        lastBoundary = nil
    }
}
