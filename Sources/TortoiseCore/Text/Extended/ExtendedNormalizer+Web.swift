extension ExtendedNormalizer {
    /// Web and mail addresses, part by part: "docs.example.com/a-b" is "docs dot example dot com slash a dash b". The
    /// scheme ("https://") is left out, as people do who read an address.
    static let webAddresses = RewriteRule("web addresses", starts: StartsWith.wordCharacter) { text, start in
        // An address begins a word between blanks. Without this every word of "a,a,a…" or "a.(a.(a…" would be looked through
        // to the end.
        let isOpened =
            "(['\"<".unicodeScalars.contains(text[start - 1]) && !text.isWord(start - 2)
            && !(isAddressCharacter(text[start - 1]) && isAddressCharacter(text[start - 2]))
        guard text.isSpace(start - 1) || isOpened else { return nil }
        var end = start
        while end - start < 512, isAddressCharacter(text[end]) { end += 1 }
        while end > start, ".,;:!?')".unicodeScalars.contains(text[end - 1]) { end -= 1 }
        guard end - start >= 4 else { return nil }
        var address = text.string(start..<end)
        let lower = address.lowercased()
        if let scheme = ["https://", "http://", "ftp://", "mailto:"].first(where: lower.hasPrefix) {
            address.removeFirst(scheme.count)
            return address.isEmpty ? nil : .init(end: end, spoken: spokenAddress(address))
        }
        let host = lower.split(separator: "@").last.map { $0.prefix { $0 != "/" && $0 != ":" && $0 != "?" } } ?? ""
        let labels = host.split(separator: ".", omittingEmptySubsequences: false)
        guard labels.count >= 2, labels.allSatisfy({ !$0.isEmpty }), let domain = labels.last else { return nil }
        let isMail = lower.split(separator: "@", omittingEmptySubsequences: false).count == 2 && !lower.hasPrefix("@")
        // "He left.It was" lacks a blank; it is no address.
        let isNextSentence = address.contains(".\(domain.prefix(1).uppercased())\(domain.dropFirst())")
        let isKnown =
            topLevelDomains.contains(String(domain)) && labels.dropLast().joined().contains { $0.isLetter }
            && !(isNextSentence && wordDomains.contains(String(domain)))
        guard lower.hasPrefix("www.") || isKnown || (isMail && domain.allSatisfy(\.isLetter)) else { return nil }
        return .init(end: end, spoken: spokenAddress(address))
    }

    private static func isAddressCharacter(_ scalar: Unicode.Scalar) -> Bool {
        StartsWith.digit(scalar) || (scalar.isASCII && StartsWith.letter(scalar))
            || "-._~:/?#[]@!$&'()*+,;=%".unicodeScalars.contains(scalar)
    }

    /// The endings that make a word with a dot an address without "www." or "http:".
    private static let topLevelDomains: Set<String> = [
        "com", "org", "net", "edu", "gov", "mil", "int", "info", "biz", "io", "ai", "dev", "app", "co", "uk", "de",
        "fr",
        "eu", "ca", "au", "jp", "ch", "nl", "se", "es", "it", "ru", "cn", "br", "tv", "me", "xyz", "online", "tech",
    ]
    /// Endings that are words, too: with a capital they begin a sentence.
    private static let wordDomains: Set<String> = [
        "it", "me", "co", "int", "info", "app", "online", "tech", "es", "net",
    ]
    private static let addressMarks: [Unicode.Scalar: String] = [
        ".": "dot", "/": "slash", "@": "at", "-": "dash", "_": "underscore", ":": "colon", "?": "question mark",
        "=": "equals",
        "&": "and", "#": "hash", "%": "percent", "+": "plus", "~": "tilde", "*": "star", "!": "exclamation mark",
        ",": "comma",
        ";": "semicolon", "$": "dollar", "(": "open parenthesis", ")": "close parenthesis", "[": "open bracket",
        "]": "close bracket", "'": "apostrophe",
    ]

    private static func spokenAddress(_ address: String) -> String {
        let scalars = RuleText(scalars: Array(address.unicodeScalars))
        var words: [String] = []
        var position = 0
        while position < scalars.count {
            if let mark = addressMarks[scalars[position]] {
                let isLast = position == scalars.count - 1
                if !(isLast && scalars[position] == "/") { words.append(mark) }
                position += 1
            } else if scalars.isDigit(position) {
                let end = scalars.endOfDigits(position)
                words.append(
                    NumberWords.spelledOut(scalars.scalars[position..<end].map { UInt8(truncatingIfNeeded: $0.value) }))
                position = end
            } else {
                let end = max(position + 1, scalars.endOfLetters(position))
                words.append(spokenLabel(scalars.string(position..<end)))
                position = end
            }
        }
        return words.joined(separator: " ")
    }

    /// Labels of up to three letters are mostly initials, unless they are words.
    private static func spokenLabel(_ label: String) -> String {
        let lower = label.lowercased()
        let isWord = [
            "com", "org", "net", "gov", "mil", "biz", "app", "dev", "the", "my", "me", "to", "go", "in", "on", "co",
        ]
        .contains(lower)
        let hasVowel = lower.contains { "aeiouy".contains($0) }
        return (lower.count <= 2 || !hasVowel) && !isWord ? spelled(lower) : lower
    }

    /// The letters one by one.
    static func spelled(_ word: some StringProtocol) -> String {
        word.lowercased().map(String.init).joined(separator: " ")
    }
}
