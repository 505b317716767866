import Foundation

/// Voices that were encoded before, so that the next program finds the latents of the same recordings made.
///
/// A voice is found again only by the same program version's encoder with the same files of models and recordings, told apart by path,
/// size and date, on the same instruction set: what is found is what would be made, to the bit. Whatever goes wrong with the folder costs
/// the encoding and nothing else.
public struct VoiceCache: Sendable, Equatable {
    private let folder: String
    /// A few kilobytes each; the ones that were used longest ago go first.
    private static let mostVoices = 256
    /// To be raised when the encoder makes other latents of the same recordings.
    private static let version = 1

    public init(folder: String) { self.folder = folder }

    /// The user's: `voices` in the folder that `TORTOISE_CACHE` names, else in `$XDG_CACHE_HOME/tortoise` or `~/.cache/tortoise`.
    ///
    /// nil when `TORTOISE_CACHE` is empty, which turns it off.
    public static func standard(_ environment: [String: String] = ProcessInfo.processInfo.environment) -> VoiceCache? {
        if let named = environment["TORTOISE_CACHE"] {
            return named.isEmpty ? nil : VoiceCache(folder: named + "/voices")
        }
        let general = environment["XDG_CACHE_HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil }
        guard let base = general ?? environment["HOME"].map({ $0 + "/.cache" }) else { return nil }
        return VoiceCache(folder: base + "/tortoise/voices")
    }

    /// The voice of some recordings: what was kept, else what `encode` makes, which is kept.
    ///
    /// - Parameter mode: How the latents are made; the stretches that some modes cut out depend on the seed.
    func voice(
        of recordings: [String], _ models: SpeechModels, mode: LatentMode, seed: UInt64, encode: () throws -> Voice
    ) throws -> Voice {
        // The mels that CVVP hears are not part of a voice's file.
        guard models.files.find(.cvvp) == nil else { return try encode() }
        let paths = recordings.map { URL(filePath: $0).standardizedFileURL.path }
        let key =
            ["\(Self.version) \(Execution.instructionSet) \(mode) \(mode == .whole ? 0 : seed)", models.identity]
            + paths.map { FileState(of: $0).description }
        var digest = SHA256()
        digest.add(Array(key.joined(separator: "\n").utf8))
        let path = "\(folder)/\(digest.hex()).\(Voice.suffix)"
        if FileManager.default.fileExists(atPath: path), let kept = try? Voice(path: path) {
            try? FileManager.default.setAttributes([.modificationDate: Date()], ofItemAtPath: path)
            return kept
        }
        let voice = try encode()
        keep(voice, at: path)
        return voice
    }

    private func keep(_ voice: Voice, at path: String) {
        // A voice is somebody's: nobody else is to read it.
        try? FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        try? voice.write(to: path)
        prune()
    }

    private func prune() {
        let keys: Set<URLResourceKey> = [.contentModificationDateKey]
        let found = try? FileManager.default.contentsOfDirectory(
            at: URL(filePath: folder), includingPropertiesForKeys: Array(keys))
        let voices = (found ?? []).filter { $0.pathExtension == Voice.suffix }
        guard voices.count > Self.mostVoices else { return }
        let dated = voices.map {
            ((try? $0.resourceValues(forKeys: keys))?.contentModificationDate ?? .distantPast, $0)
        }
        for (_, old) in dated.sorted(by: { $0.0 < $1.0 }).prefix(voices.count - Self.mostVoices) {
            try? FileManager.default.removeItem(at: old)
        }
    }
}
