import Foundation

/// One utterance that preparation is to make, before any audio was read.
public struct PlannedUtterance: Equatable, Sendable {
    /// Unique within the speaker: the file's stem, with a five-digit number when it is a slice.
    public var name: String
    /// `group/speaker`.
    public var speaker: String
    public var audioPath: String
    /// The seconds of the recording to take; nil takes all.
    public var slice: ClosedRange<Double>?
    public var text: String
    public var language: String?
}

/// Why a recording or a slice was left out.
public enum DropReason: String, CaseIterable, Sendable {
    case noTranscript = "no transcript"
    case badTranscript = "the transcript cannot be read"
    case noAudio = "transcribed, but no such recording"
    case emptyText = "empty text"
    case unreadableAudio = "unreadable audio"
    case unreadableArtifact = "unreadable .mel file"
    case silent = "silent"
    case notANumber = "NaN or infinity in the audio"
    case tooShort = "too short"
    case tooLong = "too long"
    case refusedByModels = "not what the models take"
    case otherLanguage = "another language"
    case noTokens = "no character of the vocabulary"
    case duplicate = "a name that is there already"
    case badCodes = "codes are all zero"
    case fewUtterances = "its speaker has fewer utterances than min_utterances"
}

/// Everything that preparation found to do.
public struct RecordingPlan: Sendable {
    public internal(set) var utterances: [PlannedUtterance] = []
    public internal(set) var dropped: [(name: String, reason: DropReason, detail: String)] = []

    /// Where recordings and their texts come from.
    public enum Source: Sendable {
        /// `voices/<group>/<speaker>/*` with `metadata/<group>/<speaker>/whisper.json`.
        case voices(folder: String, metadata: String, transcriptName: String)
        /// An LJSpeech `metadata.csv`: `id|text` or `id|text|normalised text`, recordings in `wavs/` beside it.
        case ljSpeech(csv: String, speaker: String)
        /// A folder of recordings, each with a text file of the same stem.
        case pairs(folder: String, speaker: String)
    }

    /// Looks at folders and transcripts; reads no audio.
    ///
    /// - Parameters:
    ///   - wanted: Patterns of speakers; none takes all.
    ///   - minimumUtterances: Leaves out speakers with fewer.
    ///   - limit: Takes a random choice of that many utterances.
    ///   - speakerLimit: Before that, takes a random choice of that many of each speaker.
    /// - Throws: `InputError.data` when there is nothing to work with, naming what was looked for.
    public init(
        _ source: Source, slice: SliceMode, voices wanted: [String] = [], minimumUtterances: Int = 0, limit: Int? = nil,
        speakerLimit: Int? = nil
    ) throws {
        switch source {
        case .voices(let folder, let metadata, let transcriptName):
            try addVoices(folder, metadata, transcriptName, slice, wanted)
        case .ljSpeech(let csv, let speaker): try addLJSpeech(csv, speaker)
        case .pairs(let folder, let speaker): try addPairs(folder, speaker)
        }
        guard !utterances.isEmpty || !dropped.isEmpty else {
            throw InputError.data("found no recordings", at: source.folder, try: source.expectation)
        }
        utterances.sort { ($0.speaker, $0.name) < ($1.speaker, $1.name) }
        dropSmallSpeakers(minimumUtterances)
        if let speakerLimit {
            let speakers = Dictionary(grouping: utterances.indices, by: { utterances[$0].speaker })
            let chosen = speakers.map { Self.choice(of: $1, limit: speakerLimit, RandomSource(seed: 0)["limit"][$0]) }
            utterances = chosen.joined().sorted().map { utterances[$0] }
        }
        if let limit {
            let chosen = Self.choice(of: Array(utterances.indices), limit: limit, RandomSource(seed: 0)["limit"])
            utterances = chosen.map { utterances[$0] }
        }
    }

    private mutating func dropSmallSpeakers(_ minimum: Int) {
        let counts = Dictionary(grouping: utterances, by: \.speaker).mapValues(\.count)
        let small = Set(counts.filter { $0.value < minimum }.keys)
        for planned in utterances where small.contains(planned.speaker) {
            drop("\(planned.speaker)/\(planned.name)", .fewUtterances, "\(counts[planned.speaker] ?? 0) of \(minimum)")
        }
        utterances.removeAll { small.contains($0.speaker) }
    }

    /// Some of a list in its order, the same ones whenever it is asked.
    private static func choice(of all: [Int], limit: Int, _ random: RandomSource) -> [Int] {
        limit < all.count ? all.shuffled(by: random).prefix(max(0, limit)).sorted() : all
    }

    // MARK: - The reference's structure

    private mutating func addVoices(
        _ folder: String, _ metadata: String, _ transcriptName: String, _ slice: SliceMode, _ wanted: [String]
    ) throws {
        for group in Self.folders(in: folder) {
            for speaker in Self.folders(in: "\(folder)/\(group)") {
                let name = "\(group)/\(speaker)"
                guard wanted.isEmpty || wanted.contains(where: { fnmatch($0, name, 0) == 0 || $0 == speaker }) else {
                    continue
                }
                try addSpeaker(
                    name, in: "\(folder)/\(name)", transcript: "\(metadata)/\(name)/\(transcriptName)", slice)
            }
        }
    }

    private mutating func addSpeaker(_ speaker: String, in folder: String, transcript path: String, _ slice: SliceMode)
        throws
    {
        let recordings = Self.recordings(in: folder)
        guard let bytes = FileManager.default.contents(atPath: path) else {
            for recording in recordings { drop("\(speaker)/\(recording)", .noTranscript, path) }
            return
        }
        var transcripts: [String: Transcript]
        do {
            transcripts = try Transcript.read(json: JSONValue(parsing: bytes, at: path, isPython: true), at: path)
        } catch {
            // One speaker's is no reason to leave out the others.
            for recording in recordings { drop("\(speaker)/\(recording)", .badTranscript, "\(error)") }
            return
        }
        if let only = transcripts.removeValue(forKey: ""), let recording = recordings.first {
            transcripts[recording] = only
        }
        let group = speaker.split(separator: "/").first.map(String.init) ?? ""
        let slices =
            slice == .always
            || slice == .auto && (transcripts.count == 1 || ["Audiobooks", "LibriVox"].contains(group))
        for recording in recordings where transcripts[recording] == nil && !slices {
            drop("\(speaker)/\(recording)", .noTranscript, path)
        }
        for (file, transcript) in transcripts.sorted(by: { $0.key < $1.key }) {
            if slices, !transcript.segments.isEmpty {
                addSlices(of: file, transcript, speaker, folder, Set(recordings))
            } else if recordings.contains(file) {
                add(Self.stem(file), speaker, "\(folder)/\(file)", nil, transcript.text, transcript.language)
            } else {
                drop("\(speaker)/\(file)", .noAudio, folder)
            }
        }
    }

    /// One utterance per segment, from 0.05 s before to 0.5 s after it; from a file of its own where the recording was cut
    /// before.
    private mutating func addSlices(
        of file: String, _ transcript: Transcript, _ speaker: String, _ folder: String, _ recordings: Set<String>
    ) {
        let stem = Self.stem(file)
        let suffix = file.contains(".") ? "." + (file.split(separator: ".").last.map(String.init) ?? "wav") : ""
        for (index, segment) in transcript.segments.enumerated() {
            let digits = String(index)
            let name = stem + "_" + String(repeating: "0", count: max(0, 5 - digits.count)) + digits
            if recordings.contains(file) {
                let start = max(0, segment.start - 0.05)
                add(
                    name, speaker, "\(folder)/\(file)", start...max(start, segment.end + 0.5), segment.text,
                    transcript.language)
            } else if recordings.contains(name + suffix) {
                add(name, speaker, "\(folder)/\(name)\(suffix)", nil, segment.text, transcript.language)
            } else {
                drop("\(speaker)/\(name)", .noAudio, folder)
            }
        }
    }

    // MARK: - Other structures

    private mutating func addLJSpeech(_ csv: String, _ speaker: String) throws {
        guard let data = FileManager.default.contents(atPath: csv) else {
            throw InputError.data(
                "cannot be read", at: csv, try: "expected id|text or id|text|normalised text, a line each")
        }
        let folder = FilePath.folder(of: csv)
        let audio = [folder + "/wavs", folder].first { FileManager.default.fileExists(atPath: $0) } ?? folder
        let recordings = Dictionary(Self.recordings(in: audio).map { (Self.stem($0), $0) }) { first, _ in first }
        for (number, line) in Self.text(data).split(whereSeparator: \.isNewline).enumerated() {
            let fields = line.split(separator: "|", omittingEmptySubsequences: false).map { String($0).trimmed }
            guard fields.count >= 2, !fields[0].isEmpty else {
                drop("line \(number + 1)", .emptyText, "expected id|text")
                continue
            }
            let stem = fields[0].hasSuffix(".wav") ? String(fields[0].dropLast(4)) : fields[0]
            guard let file = recordings[stem] else {
                drop("\(speaker)/\(stem)", .noAudio, audio)
                continue
            }
            add(
                stem, speaker, "\(audio)/\(file)", nil, fields.count > 2 && !fields[2].isEmpty ? fields[2] : fields[1],
                nil)
        }
    }

    /// Without the byte order mark that some editors put before it.
    private static func text(_ data: Data) -> Substring {
        String(decoding: data, as: UTF8.self).drop { $0 == "\u{FEFF}" }
    }

    private mutating func addPairs(_ folder: String, _ speaker: String) throws {
        for file in Self.recordings(in: folder) {
            let stem = Self.stem(file)
            guard let data = FileManager.default.contents(atPath: "\(folder)/\(stem).txt") else {
                drop("\(speaker)/\(file)", .noTranscript, "\(stem).txt")
                continue
            }
            add(stem, speaker, "\(folder)/\(file)", nil, String(decoding: data, as: UTF8.self).trimmed, nil)
        }
    }

    // MARK: - Steps

    private mutating func add(
        _ name: String, _ speaker: String, _ path: String, _ slice: ClosedRange<Double>?, _ text: String,
        _ language: String?
    ) {
        guard !text.trimmed.isEmpty else { return drop("\(speaker)/\(name)", .emptyText, "") }
        utterances.append(
            PlannedUtterance(
                name: name, speaker: speaker, audioPath: path, slice: slice, text: text.trimmed, language: language))
    }

    private mutating func drop(_ name: String, _ reason: DropReason, _ detail: String) {
        dropped.append((name, reason, detail))
    }

    private static func folders(in path: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).filter { name in
            var isFolder: ObjCBool = false
            return !name.hasPrefix(".")
                && FileManager.default.fileExists(atPath: "\(path)/\(name)", isDirectory: &isFolder)
                && isFolder.boolValue
        }.sorted()
    }

    private static let audioSuffixes: Set = [
        "wav", "flac", "ogg", "oga", "opus", "mp3", "aiff", "aif", "au", "caf", "w64", "rf64", "m4a", "wma",
    ]

    /// The files of a folder that look like recordings, sorted.
    static func recordings(in folder: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).filter { name in
            !name.hasPrefix(".")
                && audioSuffixes.contains(name.split(separator: ".").last.map { $0.lowercased() } ?? "")
        }.sorted()
    }

    /// A file's name without its suffix.
    static func stem(_ file: String) -> String { (file as NSString).deletingPathExtension }
}

extension RecordingPlan.Source {
    fileprivate var folder: String {
        switch self {
        case .voices(let folder, _, _), .ljSpeech(let folder, _), .pairs(let folder, _): folder
        }
    }

    fileprivate var expectation: String {
        switch self {
        case .voices(_, let metadata, let name):
            "expected <group>/<speaker>/*.wav there and \(metadata)/<group>/<speaker>/\(name)"
        case .ljSpeech: "expected id|text lines and the recordings in wavs/ beside the file"
        case .pairs: "expected recordings with text files of the same names"
        }
    }
}
