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

        mutating func add(_ utterance: Utterance) {
            utterances += 1
            speakers.insert(utterance.speaker)
            seconds += utterance.seconds
            codes += utterance.codes.count
            if utterance.tokens.isEmpty { wordless += 1 }
        }
    }

    private let path: String
    private var splits: [String: Split] = [:]
    private var vocabularySize: Int?

    /// - Parameter progress: Is told how many utterances were read; what it throws ends the work.
    /// - Throws: `InputError` naming the first utterance that is damaged.
    init(path: String, progress: (_ done: Int) throws -> Void) throws {
        self.path = path
        var done = 0
        try PythonDatasetFile.read(path) { item in
            switch item {
            case .vocabulary(let text):
                guard case .object(let members)? = try? JSONValue(parsing: Array(text.utf8), at: path) else { return }
                vocabularySize = members.count
            case .utterance(let split, let utterance):
                splits[split, default: Split()].add(utterance)
                done += 1
                try progress(done)
            }
        }
    }

    var lines: [String] {
        var lines = ["\(path) is the Python trainer's"]
        for name in PythonDatasetFile.splits {
            guard let split = splits[name] else { continue }
            let minutes = (split.seconds / 6).rounded() / 10
            let wordless = split.wordless > 0 ? ", \(split.wordless) of them without text" : ""
            lines.append(
                "\(name): \(split.utterances.counted("utterance")) by \(split.speakers.count.counted("speaker")), \(minutes) min, \(split.codes) codes\(wordless)"
            )
        }
        if let vocabularySize { lines.append("vocabulary of \(vocabularySize) entries") }
        return lines
    }
}
