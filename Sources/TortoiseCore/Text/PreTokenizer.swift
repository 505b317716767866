/// Cuts text into the pieces that byte-pair merges never cross: runs of word characters, and runs of characters that
/// are neither word characters nor whitespace (the regular expression `\w+|[^\w\s]+`).
///
/// Source: the "Whitespace" pre-tokenizer of Hugging Face `tokenizers`, whose `\w` follows Unicode TR 18 annex C.
enum PreTokenizer {
    enum CharacterClass: UInt8 {
        case space, word, other
    }

    /// The class of a scalar; `\w` is Alphabetic, marks, decimal digits, connector punctuation and join controls.
    static func characterClass(of scalar: Unicode.Scalar) -> CharacterClass {
        switch scalar.value {
        case 0x61...0x7A, 0x41...0x5A, 0x30...0x39, 0x5F: return .word
        case 0x20, 0x09...0x0D: return .space
        case 0..<0x80: return .other
        default: break
        }
        let properties = scalar.properties
        if properties.isWhitespace { return .space }
        if properties.isAlphabetic || properties.isJoinControl { return .word }
        switch properties.generalCategory {
        case .nonspacingMark, .spacingMark, .enclosingMark, .decimalNumber, .connectorPunctuation: return .word
        default: return .other
        }
    }

    /// Calls `body` with the range of each piece, in order.
    static func forEachPiece(
        in scalars: [Unicode.Scalar], _ range: Range<Int>, _ body: (Range<Int>) -> Void
    ) {
        var start = range.lowerBound
        while start < range.upperBound {
            let kind = characterClass(of: scalars[start])
            var end = start + 1
            while end < range.upperBound, characterClass(of: scalars[end]) == kind { end += 1 }
            if kind != .space { body(start..<end) }
            start = end
        }
    }
}
