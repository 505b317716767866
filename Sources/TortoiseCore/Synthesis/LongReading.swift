import Foundation

/// A long text read part by part in one voice, so that it can be stopped and taken up again.
///
/// Every part has a seed of its own that follows from the run's, so that a part sounds the same whenever it is made. Finished
/// parts are kept in a folder, named by number and by a hash of all they depend on: what changed is made anew, the rest is not.
public struct LongReading {
    /// One part of the text.
    public struct Part: Sendable {
        public let index: Int
        public let text: String
        /// Whether a paragraph ends with it.
        public let endsParagraph: Bool
    }

    /// A part with its place in the finished audio, in seconds.
    public struct Timing: Sendable {
        public let text: String
        public let start, end: Double
    }

    public let parts: [Part]
    private let folder: String
    /// The names of their files.
    private let names: [String]

    /// Seconds of silence after a part, and after one that ends a paragraph.
    public var pause = 0.3
    public var paragraphPause = 0.8

    /// - Parameters:
    ///   - text: Paragraphs are separated by blank lines.
    ///   - desired: Characters that a part is filled up to.
    ///   - folder: Where parts are kept; made when it is not there.
    ///   - identity: What else the sound depends on: models, voice and settings.
    /// - Throws: `InputError` when there is nothing to read or the folder cannot be made.
    public init(
        _ text: String, frontEnd: TextFrontEnd, desired: Int = 150, limit: Int = 220, folder: String, identity: String
    ) throws {
        var parts: [Part] = []
        for paragraph in Self.paragraphs(text) {
            let pieces = try frontEnd.split(paragraph, desired: desired, limit: limit).filter {
                !frontEnd.encode($0).isEmpty
            }
            for (number, piece) in pieces.enumerated() {
                parts.append(Part(index: parts.count, text: piece, endsParagraph: number == pieces.count - 1))
            }
        }
        guard !parts.isEmpty else { throw InputError.data("nothing in the text can be spoken") }
        (self.parts, self.folder) = (parts, folder)
        names = parts.map { Self.name(of: $0, spoken: frontEnd.spoken($0.text), identity) }
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        } catch {
            throw InputError.data("the folder for the parts cannot be made: \(error.localizedDescription)", at: folder)
        }
    }

    private static func paragraphs(_ text: String) -> [String] {
        var paragraphs: [[Substring]] = [[]]
        for line in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline) {
            if line.allSatisfy(\.isWhitespace) {
                paragraphs.append([])
            } else {
                paragraphs[paragraphs.count - 1].append(line)
            }
        }
        return paragraphs.map { $0.joined(separator: " ") }.filter { !$0.isEmpty }
    }

    private static func name(of part: Part, spoken: String, _ identity: String) -> String {
        var digest = SHA256()
        digest.add(Array("\(identity)\n\(part.index)\n\(part.text)\n\(spoken)".utf8))
        let digits = String(part.index)
        return "\(String(repeating: "0", count: max(0, 5 - digits.count)))\(digits)-\(digest.hex().prefix(16)).wav"
    }

    private func path(of part: Part) -> String { "\(folder)/\(names[part.index])" }

    private static func isPart(_ name: String) -> Bool { name.wholeMatch(of: /[0-9]{5,}-[0-9a-f]{16}\.wav/) != nil }

    /// Whether a part was made before.
    public func isDone(_ part: Part) -> Bool { FileManager.default.fileExists(atPath: path(of: part)) }

    /// Keeps a part.
    public func store(_ samples: [Float], of part: Part) throws {
        try AudioFile.write(
            AudioClip(mono: samples, sampleRate: SpokenUtterance.sampleRate), to: path(of: part),
            format: AudioFormat(named: "wav"))
    }

    /// Joins all parts into one file.
    ///
    /// - Returns: Where each part is in it.
    /// - Throws: `InputError` when a part is missing or the file cannot be written.
    public func join(to path: String, metadata: AudioMetadata) throws -> [Timing] {
        let writer = try AudioWriter(
            path: path, format: AudioFormat(path: path), sampleRate: SpokenUtterance.sampleRate, metadata: metadata)
        var timings: [Timing] = []
        for (number, part) in parts.enumerated() {
            let samples = SpeechJoin.faded(try AudioFile.read(self.path(of: part)).mono())
            let start = Double(writer.count) / Double(SpokenUtterance.sampleRate)
            try writer.append(samples)
            timings.append(
                Timing(text: part.text, start: start, end: Double(writer.count) / Double(SpokenUtterance.sampleRate)))
            guard number < parts.count - 1 else { continue }
            let silence = part.endsParagraph ? paragraphPause : pause
            try writer.append([Float](repeating: 0, count: Int(silence * Double(SpokenUtterance.sampleRate))))
        }
        try writer.finish()
        return timings
    }

    /// Removes the parts, for results that are complete: those of former settings and texts, too.
    public func removeParts() {
        for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] where Self.isPart(name) {
            try? FileManager.default.removeItem(atPath: "\(folder)/\(name)")
        }
        // Only when nothing else is in it.
        rmdir(folder)
    }
}

/// The words of a reading with their times, for players.
public enum Subtitles: String, Sendable, CaseIterable {
    case srt, vtt

    public func text(_ timings: [LongReading.Timing]) -> String {
        let cues = timings.enumerated().map { index, cue in
            let times = "\(time(cue.start)) --> \(time(cue.end))\n\(cue.text)\n"
            return self == .srt ? "\(index + 1)\n\(times)" : times
        }
        return (self == .vtt ? "WEBVTT\n\n" : "") + cues.joined(separator: "\n")
    }

    private func time(_ seconds: Double) -> String {
        let total = Int((seconds * 1_000).rounded())
        func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
        let fraction = String(total % 1_000)
        let padded = String(repeating: "0", count: 3 - fraction.count) + fraction
        return
            "\(two(total / 3_600_000)):\(two(total / 60_000 % 60)):\(two(total / 1_000 % 60))\(self == .srt ? "," : ".")\(padded)"
    }
}
