import Foundation

extension ExtendedNormalizer {
    /// Different ways to write the same character become one: quotation marks, dashes, blanks, full-width and styled
    /// letters, digits of other scripts.
    static let characters = RewriteRule(
        "characters", separatesWords: false, starts: { !$0.isASCII || $0 == "\"" || $0.value < 0x20 }
    ) { text, start in
        let scalar = text[start]
        if let plain = plainForms[scalar] { return .init(end: start + 1, spoken: plain) }
        if scalar.properties.isWhitespace { return scalar == "\n" ? nil : .init(end: start + 1, spoken: " ") }
        if scalar.isASCII { return nil }
        if scalar.properties.generalCategory == .format { return .init(end: start + 1, spoken: "") }
        if scalar.properties.generalCategory == .decimalNumber, let value = scalar.properties.numericValue {
            return .init(end: start + 1, spoken: String(Int(value)))
        }
        if isStyled(scalar) {
            return .init(end: start + 1, spoken: String(scalar).decomposedStringWithCompatibilityMapping)
        }
        return nil
    }

    /// Full-width forms, ligatures, mathematical alphabets, enclosed and Roman-numeral letters: their compatibility
    /// decomposition says the same in plain letters.
    private static func isStyled(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0xFB00...0xFB06, 0xFF01...0xFF5E, 0x1D400...0x1D7FF, 0x2160...0x217F, 0x2460...0x24FF, 0x3300...0x33FF:
            true
        default: false
        }
    }

    private static let plainForms: [Unicode.Scalar: String] = {
        let groups: [(String, String)] = [
            ("‘’‚‛ʼ＇", "'"), ("“”„‟«»″〝〞「」『』\"", "\""), ("‐‑‒–﹣－", "-"), ("′", "'"), ("″", "\""), ("—―⸺⸻", " — "),
            ("…", "..."), ("‥", ".."),
            ("，、﹐､", ", "), ("。．｡", ". "), ("：﹕", ": "), ("；﹔", "; "), ("！﹗", "! "), ("？﹖؟", "? "), ("（﹙", " ("),
            ("）﹚", ") "), ("⁄∕", "/"), ("‹›", ""), ("¿¡", ""), ("·•‣◦▪●■", ", "), ("\u{2028}\u{2029}", "\n"),
            ("№", " No."), ("\u{200B}", " "),
            ("‽", "?!"), ("℃", "°C"), ("℉", "°F"), ("Ω", "ohm"),
        ]
        var forms: [Unicode.Scalar: String] = [:]
        for (characters, plain) in groups {
            for scalar in characters.unicodeScalars { forms[scalar] = plain }
        }
        // "H₂O" is read as "H2O".
        for (digit, scalar) in "₀₁₂₃₄₅₆₇₈₉".unicodeScalars.enumerated() { forms[scalar] = String(digit) }
        return forms
    }()
}
