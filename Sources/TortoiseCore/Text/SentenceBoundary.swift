/// Where a dot may end a sentence; the normaliser and the splitter ask here, so that they agree.
enum SentenceBoundary {
    /// Words that begin sentences far more often than they follow an abbreviation as a name.
    private static let openers: Set<String> = [
        "the", "a", "an", "he", "she", "it", "they", "we", "i", "you", "this", "that", "these", "those", "then", "but",
        "and", "so",
        "or", "in", "on", "at", "for", "from", "to", "of", "by", "with", "as", "my", "his", "her", "its", "their",
        "our", "your",
        "there", "here", "when", "while", "if", "no", "yes", "what", "who", "how", "why", "where", "which", "now",
        "after", "before",
        "some", "many", "most", "all", "one", "once", "however", "perhaps", "maybe", "let", "is", "are", "was", "were",
        "do", "did",
    ]

    /// Whether a sentence may end before a position: the end of the text or line, or a capital behind a blank.
    ///
    /// - Parameter needsOpener: After initials and titles of companies a capital alone says nothing ("J. R. R.
    ///   Tolkien", "5 p.m. Monday"), so the word must be one that begins sentences.
    static func isLikely(_ text: RuleText, before position: Int, needsOpener: Bool = false) -> Bool {
        var next = position
        while next - position < 8, "\"')]”’".unicodeScalars.contains(text[next]) { next += 1 }
        if next >= text.count || text[next] == "\n" { return true }
        let gap = next
        while next - gap < 8, text[next] == " " || "\"'“‘(".unicodeScalars.contains(text[next]) { next += 1 }
        guard next < text.count else { return true }
        guard next > gap, text.isUpper(next) else { return false }
        return !needsOpener || openers.contains(text.lowercasedWord(at: next))
    }
}
