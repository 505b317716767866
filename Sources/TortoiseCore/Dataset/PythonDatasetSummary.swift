import Foundation

/// What a file of the Python trainer holds: every utterance is read.
struct PythonDatasetSummary {
    /// Of training, validation or noise.
    private struct Split {
        var utterances = 0
        var speakers: Set<String> = []
        var seconds = 0.0
        var codes = 0
        var wordless = 0
    }

    private let path: String
    private var splits: [(name: String, split: Split)] = []
    private let vocabularySize: Int?

    /// - Parameter progress: What it throws ends the work.
    /// - Throws: `InputError` naming the first utterance that is damaged.
    init(_ file: PythonDatasetFile, progress: (_ done: Int, _ total: Int) throws -> Void) throws {
        path = file.path
        let entries = try file.entries()
        for (index, entry) in entries.enumerated() {
            try progress(index, entries.count)
            let utterance = try file.utterance(entry)
            if splits.last?.name != entry.split { splits.append((entry.split, Split())) }
            let last = splits.count - 1
            splits[last].split.utterances += 1
            splits[last].split.speakers.insert(entry.speaker)
            splits[last].split.seconds += Double(utterance.sampleCount) / 22_050
            splits[last].split.codes += utterance.codes.count
            if utterance.tokens.isEmpty { splits[last].split.wordless += 1 }
        }
        try progress(entries.count, entries.count)
        vocabularySize = try file.vocabulary().flatMap { text in
            guard case .object(let members)? = try? JSONValue(parsing: Array(text.utf8), at: file.path) else {
                return nil
            }
            return members.count
        }
    }

    var lines: [String] {
        var lines = ["\(path) is the Python trainer's"]
        for (name, split) in splits {
            let minutes = (split.seconds / 6).rounded() / 10
            let wordless = split.wordless > 0 ? ", \(split.wordless) of them without text" : ""
            lines.append(
                "\(name): \(split.utterances) utterances by \(split.speakers.count) speakers, \(minutes) min, \(split.codes) codes\(wordless)"
            )
        }
        if let vocabularySize { lines.append("vocabulary of \(vocabularySize) entries") }
        return lines
    }
}
