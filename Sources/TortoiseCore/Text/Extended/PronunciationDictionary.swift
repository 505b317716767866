import Foundation

/// A user's own words and how to say them.
///
/// The file is UTF-8 text with one `word<TAB>spoken` per line; empty lines and lines that begin with `#` are skipped. A
/// word may have several parts ("New York", "C++"). One in lower case matches any case; one with a capital matches only
/// as it is written, and wins over the other. The longest word wins, then the later line. What is spoken passes the
/// later rules.
public struct PronunciationDictionary: Sendable {
    private struct Entry {
        let word: [Unicode.Scalar]
        let spoken: String
        let matchesAnyCase: Bool
    }

    /// Keyed by the first scalar in lower case; the longest word first.
    private var entries: [Unicode.Scalar: [Entry]] = [:]
    /// How many words there are.
    public private(set) var count = 0

    public init() {}

    /// Loads a dictionary file.
    ///
    /// - Throws: `InputError` when the file cannot be read, is not UTF-8 or has a line without a tab, a word or a form.
    public init(path: String) throws {
        let file = try MappedFile(path: path, kind: .data)
        guard let text = String(validating: file.bytes, as: UTF8.self) else {
            throw InputError.data("expected UTF-8 text", at: path)
        }
        try self.init(text: text, at: path)
    }

    /// Reads the lines of a dictionary; `place` names it in messages.
    public init(text: String, at place: String) throws {
        for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            let line =
                index == 0 && line.unicodeScalars.first == "\u{FEFF}"
                ? Substring(line.unicodeScalars.dropFirst()) : line
            if line.hasPrefix("#") || line.allSatisfy(\.isWhitespace) { continue }
            let fields = line.split(separator: "\t", omittingEmptySubsequences: false)
            let word = fields[0].trimmingPrefix { $0 == " " }
            guard fields.count == 2, !word.isEmpty, !fields[1].allSatisfy(\.isWhitespace) else {
                throw InputError.data(
                    "expected a word, one tab and how to say it, found \(JSONValue.quoted(String(line.prefix(60))))",
                    at: "\(place), line \(index + 1)")
            }
            insert(word: String(word), spoken: String(fields[1]))
        }
    }

    /// Adds a word.
    public mutating func insert(word: String, spoken: String) {
        let lower = word.lowercased()
        guard let first = lower.unicodeScalars.first else { return }
        let matchesAnyCase = lower.unicodeScalars.elementsEqual(word.unicodeScalars)
        let entry = Entry(word: Array(word.unicodeScalars), spoken: spoken, matchesAnyCase: matchesAnyCase)
        var list = entries[first, default: []]
        count += 1
        if let same = list.firstIndex(where: { $0.word == entry.word }) {
            list.remove(at: same)
            count -= 1
        }
        let place = list.firstIndex {
            $0.word.count < entry.word.count
                || ($0.word.count == entry.word.count && $0.matchesAnyCase && !matchesAnyCase)
        }
        list.insert(entry, at: place ?? list.count)
        entries[first] = list
    }

    /// The rule that replaces whole words.
    var rule: RewriteRule {
        let entries = entries
        return RewriteRule("dictionary", starts: { entries[Self.lower($0)] != nil }) { text, start in
            for entry in entries[Self.lower(text[start])] ?? [] {
                let end = start + entry.word.count
                let isWhole =
                    (text.isStart(start) || !StartsWith.wordCharacter(entry.word[0]))
                    && (!text.isWord(end) || !text.isWord(end - 1))
                guard isWhole, end <= text.count else { continue }
                let matches = entry.word.indices.allSatisfy {
                    let found = text[start + $0]
                    return (entry.matchesAnyCase ? Self.lower(found) : found) == entry.word[$0]
                }
                if matches { return .init(end: end, spoken: entry.spoken) }
            }
            return nil
        }
    }

    /// Simple case mapping, so that a word keeps its length; the few scalars whose lower case is longer stay as they
    /// are.
    private static func lower(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
        let mapped = scalar.properties.lowercaseMapping.unicodeScalars
        return mapped.count == 1 ? mapped.first ?? scalar : scalar
    }
}
