import Foundation
import TortoiseCore

/// The body of a request for speech, read and checked.
struct SpeechBody: Sendable {
    var request = SpeechRequest(text: "", voice: "")
    /// The name of the model as it was asked for.
    var model = "tortoise"
    var formatName = ""
    var format = AudioFormat.pcm
    /// Whether pieces are sent as server-sent events.
    var sendsEvents = false
    /// Whether the answer is a job to ask about, and not the audio.
    var isBackground = false

    /// Models of OpenAI's that stand for whatever the server speaks with.
    static let usualModels = ["tortoise", "tts-1", "tts-1-hd", "gpt-4o-mini-tts"]
    /// Voices of OpenAI's; where there is none of that name, each stands for one of those that are there.
    static let usualVoices = [
        "alloy", "ash", "ballad", "cedar", "coral", "echo", "fable", "marin", "nova", "onyx", "sage", "shimmer",
        "verse",
    ]

    /// Reads a JSON body.
    ///
    /// - Throws: `ServerError` or `InputError` naming the field.
    init(_ bytes: some Collection<UInt8>, voices: [String], textLimit: Int) throws {
        let value = try JSONValue(parsing: bytes, at: "body", kind: .usage)
        guard case .object(let members) = value else {
            throw ServerError(400, "expected a JSON object with the fields of a request")
        }
        let names = members.map(\.key)
        guard Set(names).count == names.count else { throw ServerError(400, "a field is there twice") }
        request.settings = try SpeechSettings.initial(
            preset: value["preset"].flatMap { $0.isNull ? nil : $0.stringValue },
            isStreamed: Self.isAwaited(value))
        // A clock's seconds, where the command line takes 0: which they were is part of the answer.
        request.settings.seed = UInt64(Date().timeIntervalSince1970)
        let known = Set(SpeechField.all.map(\.name))
        if let name = names.first(where: { !known.contains($0) }) { throw Self.unknown(name) }
        // In the order of their list, not of the body: some change what others began.
        for field in SpeechField.all {
            if let given = value[field.name], !given.isNull { try field.read(given, into: &self) }
        }
        for field in ["input", "voice"] where value[field] == nil {
            if field == "voice", let usual = VoiceLibrary.defaultName(among: voices) {
                request.voice = usual
            } else {
                throw ServerError(400, "the field '\(field)' is missing", parameter: field, code: "missing_field")
            }
        }
        try settle(voices: voices, textLimit: textLimit)
    }

    /// Whether somebody waits for the first sound; a job's is listened to, and its result is kept.
    private static func isAwaited(_ body: JSONValue) -> Bool {
        guard body["background"]?.boolValue != true else { return false }
        return body["stream"]?.boolValue == true || body["stream_format"]?.stringValue == "sse"
    }

    private static func unknown(_ name: String) -> ServerError {
        let near = nearestNames(to: name, among: SpeechField.all.map(\.name), limit: 1).first
        let hint = near.map { "; did you mean '\($0)'?" } ?? ""
        return ServerError(
            400, "there is no field '\(name.prefix(60))'\(hint)", parameter: String(name.prefix(60)),
            code: "unknown_field")
    }

    private mutating func settle(voices: [String], textLimit: Int) throws {
        guard request.text.contains(where: { !$0.isWhitespace }) else {
            throw ServerError(400, "the text is empty", parameter: "input")
        }
        guard request.text.count <= textLimit else {
            throw ServerError(
                413, "the text has \(request.text.count) characters; at most \(textLimit) are allowed",
                parameter: "input",
                code: "text_too_long")
        }
        request.voice = Self.voice(request.voice, among: voices)
        do {
            try VoiceLibrary.checkNames(request.voice, among: voices)
        } catch let error as InputError {
            throw ServerError(404, "\(error)", parameter: "voice", code: "voice_not_found")
        }
        try request.settings.validate()
        try settleFormat()
    }

    private mutating func settleFormat() throws {
        // OpenAI's default is MP3.
        let usual = try AudioFormat(named: "mp3").isAvailable ? "mp3" : "wav"
        try setFormat(formatName.isEmpty ? usual : formatName)
        if case .flac = format, request.isStreamed, !isBackground {
            throw ServerError(
                400, "FLAC cannot be streamed: its header says how long it is", parameter: "response_format")
        }
    }

    /// Chooses how audio is encoded.
    ///
    /// - Throws: `ServerError` or `InputError` for formats that cannot be written.
    mutating func setFormat(_ name: String) throws {
        (format, formatName) = (try AudioFormat(named: name, at: "response_format"), name)
        guard format.isAvailable else {
            throw ServerError(
                400, "this server's libsndfile cannot write \(name)", parameter: "response_format",
                code: "format_unavailable")
        }
    }

    /// The voice that is meant: one that is there, else one that stands for OpenAI's name.
    private static func voice(_ name: String, among voices: [String]) -> String {
        guard !voices.isEmpty, !voices.contains(name), let place = usualVoices.firstIndex(of: name) else { return name }
        return voices[place % voices.count]
    }
}
