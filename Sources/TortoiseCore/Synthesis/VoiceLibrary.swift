import Foundation

/// Finds voices by what a command line or a request calls them.
///
/// A voice is a recording, several (`a.wav;b.wav`), a folder of recordings, a `.voice` file, the name of one of these in
/// `data/voices` or `voices`, a mix (`heart:0.7+george:0.3`) or `random`.
public struct VoiceLibrary {
    private let models: SpeechModels
    private let mode: LatentMode
    private let seed: UInt64
    private let cache: VoiceCache?

    /// - Parameter cache: Where latents of recordings are looked up and kept; nil makes them anew.
    public init(_ models: SpeechModels, mode: LatentMode = .whole, seed: UInt64 = 0, cache: VoiceCache? = nil) {
        (self.models, self.mode, self.seed, self.cache) = (models, mode, seed, cache)
    }

    private static let audioSuffixes: Set = [
        "wav", "flac", "mp3", "ogg", "opus", "aiff", "aif", "m4a", "w64", "au", "caf",
    ]

    /// The voice of a description.
    ///
    /// - Throws: `InputError` naming what could not be found or read.
    public func voice(_ description: String) throws -> Voice {
        let parts = description.split(separator: "+", omittingEmptySubsequences: false).map(String.init)
        // A file may have a plus sign in its name.
        guard parts.count > 1, !FileManager.default.fileExists(atPath: description) else {
            return try single(description)
        }
        guard parts.count <= Self.mostParts else {
            throw InputError.usage(
                "expected a mix of at most \(Self.mostParts) voices, found \(parts.count)", at: "--voice",
                try: "save mixes with 'voice mix' and mix those")
        }
        return try Voice.mix(
            parts.map { part in
                let (name, weight) = Self.weighted(part)
                guard weight.isFinite, weight >= 0 else {
                    throw InputError.usage("expected a weight of 0 or more, found '\(part)'", at: "--voice")
                }
                return (try single(name), weight)
            })
    }

    /// Encoding one takes a moment.
    private static let mostParts = 16

    /// A part of a mix: `heart:0.7`, or a name alone.
    private static func weighted(_ part: String) -> (name: String, weight: Float) {
        guard let colon = part.lastIndex(of: ":"), let weight = Float(part[part.index(after: colon)...]) else {
            return (part, 1)
        }
        return (String(part[..<colon]), weight)
    }

    /// The files that a description of names stands for, and their states: another text when one of them was changed.
    public static func signature(of description: String) throws -> String {
        let names = description.split(separator: "+", omittingEmptySubsequences: false).map {
            weighted(String($0)).name
        }
        let files = try Set(names).sorted().flatMap { name in
            try place(of: name).map { try recordings(at: $0) } ?? [name]
        }
        return description + "\n" + files.map { FileState(of: $0).description }.joined(separator: "\n")
    }

    private func single(_ name: String) throws -> Voice {
        if name == "random" { return try random() }
        let pieces = ReferenceClips.paths(in: name)
        if pieces.count > 1 { return try encoded(pieces) }
        guard let path = try Self.place(of: name) else {
            let known = Self.names
            let near = nearestNames(to: name, among: known, limit: 3)
            throw InputError.data(
                "there is no recording, folder or voice of this name", at: name,
                try: near.isEmpty
                    ? "give a recording, or one of \(known.joined(separator: ", "))"
                    : "did you mean \(near.joined(separator: ", "))?")
        }
        if path.hasSuffix("." + Voice.suffix) || path.hasSuffix(".pth") { return try Voice(path: path) }
        return try encoded(Self.recordings(at: path))
    }

    private func encoded(_ recordings: [String]) throws -> Voice {
        func encode() throws -> Voice { try VoiceEncoder(models, mode: mode, seed: seed).encode(recordings) }
        return try cache?.voice(of: recordings, models, mode: mode, seed: seed, encode: encode) ?? encode()
    }

    /// A voice that nobody has: of the converters where the set has them, else noise around the voices that come with it.
    private func random() throws -> Voice {
        let source = RandomSource(seed: seed)["random voice"]
        if let auto = Self.converter("rlg_auto", models), let diffuser = Self.converter("rlg_diffuser", models) {
            return Voice(
                autoregressive: try Self.converted(auto, width: 1_024, source["autoregressive"]),
                diffusion: try Self.converted(diffuser, width: 2_048, source["diffusion"]),
                clips: ["random \(seed)"])
        }
        let known = Self.names
        guard known.count > 1 else {
            throw InputError.model(
                "a random voice needs rlg_auto and rlg_diffuser, or two voices to mix", at: models.files.folder)
        }
        let draws = source.stream.uniforms(known.count)
        let mixed = try Voice.mix(zip(known, draws).map { (try single($0), pow($1, 3)) })
        return Voice(
            autoregressive: mixed.autoregressive, diffusion: mixed.diffusion, clips: ["random \(seed)"],
            encoderHashes: mixed.encoderHashes)
    }

    private static func converter(_ name: String, _ models: SpeechModels) -> String? {
        ModelFiles.suffixes.map { "\(models.files.folder)/\(name).\($0)" }.first(
            where: FileManager.default.fileExists)
    }

    /// - Parameter width: The published converter's, for files that do not say theirs.
    private static func converted(_ path: String, width: Int, _ random: RandomSource) throws -> [Float] {
        let stored = try ModelLoader.storedOptions(of: openCheckpoint(path: path)) ?? ConfigurationParameters()
        let options = stored.entries.isEmpty ? ConfigurationParameters([.init("channels", .int(width))]) : stored
        let loaded = try ModelLoader.load(path, as: RandomLatentConfig.self, options: options, keyMap: KeyMap()) {
            RandomLatentConverter($0, at: $1)
        }
        let channels = loaded.config.channels
        return loaded.model(Tensor(random.stream.normals(channels), shape: [1, channels])).values
    }

    // MARK: - Places

    /// Folders in which names are looked for.
    private static var folders: [String] {
        ["voices", (try? DataFolder.path(of: "voices")) ?? ""].filter {
            !$0.isEmpty && FileManager.default.fileExists(atPath: $0)
        }
    }

    /// The names of all voices that can be found without a path, sorted.
    public static var names: [String] {
        let found = folders.flatMap { folder in
            ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).filter {
                !$0.hasPrefix(".") && isVoice("\(folder)/\($0)")
            }
            .map { ($0 as NSString).deletingPathExtension }
        }
        return Array(Set(found)).sorted()
    }

    /// The one of some voices that speaks when none is named; nil when there are none.
    public static func defaultName(among names: [String] = Self.names) -> String? {
        names.first { $0 == "heart" } ?? names.first
    }

    /// Checks that a description consists of names only: what strangers say must not become paths.
    ///
    /// - Throws: `InputError.data` that names what is unknown.
    public static func checkNames(_ description: String, among known: [String] = Self.names) throws {
        for part in description.split(separator: "+", omittingEmptySubsequences: false).map(String.init) {
            let name = weighted(part).name
            guard !known.contains(name), name != "random" else { continue }
            let near = nearestNames(to: name, among: known, limit: 3)
            throw InputError.data(
                "there is no voice of this name", at: String(name.prefix(80)),
                try: near.isEmpty
                    ? (known.isEmpty ? "save one first" : "there are \(known.prefix(12).joined(separator: ", "))")
                    : "did you mean \(near.joined(separator: ", "))?")
        }
    }

    private static func isVoice(_ path: String) -> Bool {
        let suffix = (path as NSString).pathExtension.lowercased()
        return audioSuffixes.contains(suffix) || suffix == Voice.suffix || !recordings(in: path).isEmpty
    }

    private static func place(of name: String) throws -> String? {
        if FileManager.default.fileExists(atPath: name) { return name }
        guard !name.contains("/") else { return nil }
        for folder in folders {
            let names = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
            if let match = names.first(where: {
                ($0 as NSString).deletingPathExtension == name && isVoice("\(folder)/\($0)")
            }) {
                return "\(folder)/\(match)"
            }
        }
        return nil
    }

    private static func recordings(in folder: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
            .filter { audioSuffixes.contains(($0 as NSString).pathExtension.lowercased()) }.map { "\(folder)/\($0)" }
    }

    /// The recording itself, or those of a folder.
    public static func recordings(at path: String) throws -> [String] {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue else {
            return [path]
        }
        let found = recordings(in: path)
        guard !found.isEmpty else { throw InputError.data("the folder has no recordings", at: path) }
        return found
    }
}
