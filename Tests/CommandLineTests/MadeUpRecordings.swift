import Foundation
import TortoiseCore

/// Recordings of two made-up voices with transcripts, in the layout that `prepare` reads.
enum MadeUpRecordings {
    private static let sentences = [
        "The first one.", "A second line of text.", "Is this the third?", "Number four is here.", "Five, of course.",
        "Six makes a half dozen.",
    ]

    /// Made-up voices: tones that glide, with a pulse of loudness for every word.
    static func write(to root: URL) throws {
        for (speaker, pitch) in [("low", 110.0), ("high", 220.0)] {
            let folder = root.appending(path: "voices/made/\(speaker)")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            var entries: [String] = []
            for (index, text) in sentences.enumerated() {
                let seconds = 1.4 + 0.2 * Double(index % 3)
                let samples = (0..<Int(seconds * 24_000)).map { n -> Float in
                    let t = Double(n) / 24_000
                    let phase = 2 * Double.pi * (pitch * t + 8 * Double(index + 1) * t * t)
                    return Float(
                        0.3 * (0.4 + 0.6 * abs(sin(9 * t)))
                            * (sin(phase) + 0.5 * sin(2 * phase) + 0.25 * sin(5 * phase)))
                }
                try AudioFile.write(AudioClip(mono: samples, sampleRate: 24_000), to: folder.path + "/\(index).wav")
                entries.append("\"\(index).wav\": {\"text\": \"\(text)\", \"language\": \"en\"}")
            }
            let metadata = root.appending(path: "metadata/made/\(speaker)")
            try FileManager.default.createDirectory(at: metadata, withIntermediateDirectories: true)
            try Data("{\(entries.joined(separator: ",\n"))}".utf8).write(to: metadata.appending(path: "whisper.json"))
        }
    }
}
