import Foundation

/// What is said in one recording, by segments where the transcriber gave them.
public struct Transcript: Equatable, Sendable {
    /// A stretch of the recording.
    public struct Segment: Equatable, Sendable {
        /// Seconds from the recording's start.
        public var start: Double
        public var end: Double
        public var text: String

        public init(start: Double, end: Double, text: String) {
            (self.start, self.end, self.text) = (start, end, text)
        }
    }

    public var text: String
    /// A language code such as "en"; nil when the transcriber did not say.
    public var language: String?
    public var segments: [Segment]

    public init(text: String, language: String? = nil, segments: [Segment] = []) {
        (self.text, self.language, self.segments) = (text, language, segments)
    }
}

extension Transcript {
    /// Reads a transcriber's JSON: of the reference's tool (one entry per file name), openai-whisper, whisperX or whisper.cpp.
    ///
    /// - Returns: Transcripts by the recording's file name; under "" when the document is about one recording and does not
    ///   name it.
    /// - Throws: `InputError.data` saying which layouts are known.
    public static func read(json value: JSONValue, at place: String) throws -> [String: Transcript] {
        guard case .object(let members) = value else { throw unknownLayout(place) }
        if value["transcription"] != nil { return ["": try whisperCPP(value, place)] }
        if value["segments"] != nil || value["text"]?.stringValue != nil { return ["": try whisper(value, place)] }
        var result: [String: Transcript] = [:]
        for member in members {
            guard case .object = member.value else { throw unknownLayout(place) }
            result[member.key] =
                try member.value["transcription"] != nil
                ? whisperCPP(member.value, "\(place): \(member.key)") : whisper(member.value, "\(place): \(member.key)")
        }
        return result
    }

    /// `{text, segments: [{start, end, text}], language}`; whisperX leaves out the whole text.
    private static func whisper(_ value: JSONValue, _ place: String) throws -> Transcript {
        var segments: [Segment] = []
        if case .array(let list)? = value["segments"] {
            segments = try list.enumerated().map { index, item in
                guard let text = item["text"]?.stringValue else {
                    throw InputError.data("segment \(index) has no text", at: place)
                }
                return Segment(
                    start: item["start"]?.doubleValue ?? 0, end: item["end"]?.doubleValue ?? 0, text: text.trimmed)
            }
        }
        let whole = value["text"]?.stringValue ?? segments.map(\.text).joined(separator: " ")
        return Transcript(text: whole.trimmed, language: code(of: value["language"]?.stringValue), segments: segments)
    }

    /// `{result: {language}, transcription: [{offsets: {from, to} in milliseconds, text}]}`.
    private static func whisperCPP(_ value: JSONValue, _ place: String) throws -> Transcript {
        guard case .array(let list)? = value["transcription"] else { throw unknownLayout(place) }
        let segments = try list.enumerated().map { index, item in
            guard let text = item["text"]?.stringValue, let offsets = item["offsets"] else {
                throw InputError.data("segment \(index) has no text or no offsets", at: place)
            }
            return Segment(
                start: (offsets["from"]?.doubleValue ?? 0) / 1_000, end: (offsets["to"]?.doubleValue ?? 0) / 1_000,
                text: text.trimmed)
        }
        return Transcript(
            text: segments.map(\.text).joined(separator: " ").trimmed,
            language: code(of: value["result"]?["language"]?.stringValue), segments: segments)
    }

    private static func unknownLayout(_ place: String) -> InputError {
        .data(
            "expected a transcript by openai-whisper, whisperX, whisper.cpp or the reference's transcribe tool",
            at: place,
            try: "that is {\"file.wav\": {\"text\": …, \"segments\": […]}}, or one such entry per recording")
    }

    /// Whisper's names of languages as codes; anything else as it is.
    static func code(of language: String?) -> String? {
        guard let language = language?.trimmed.lowercased(), !language.isEmpty else { return nil }
        let codes = [
            "english": "en", "japanese": "ja", "french": "fr", "german": "de", "korean": "ko", "chinese": "zh",
        ]
        return codes[language] ?? language
    }
}

extension String {
    /// Without blanks at both ends.
    var trimmed: String { trimmingCharacters(in: .whitespacesAndNewlines) }
}
