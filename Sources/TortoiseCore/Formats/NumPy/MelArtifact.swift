/// One utterance of the original trainer's dataset: a `.mel` file, which is a NumPy file with a pickled dictionary
/// (`tortoise_tts/emb/process.py` writes it with `np.save`).
public struct MelArtifact: Sendable, Equatable {
    /// The DVAE's codes of the utterance; stored as uint16 `[1, n]`.
    public var codes: [UInt16]
    /// Mels of the conditioning clips, float32: `[1, 1, 80, 517]` for the autoregressive model, `[1, 1, 100, 401]` for
    /// diffusion.
    public var conditioningMels: Pair
    /// Conditioning latents, float32: `[1, 1024]` for the autoregressive model, `[1, 2048]` for diffusion.
    public var latents: Pair
    /// Token ids of the transcript; nil for sounds without speech.
    public var tokens: [UInt8]?
    /// The recording's length in samples of `sampleRate`, before it was resampled.
    public var originalLength: Int
    public var sampleRate: Int
    /// Seconds.
    public var duration: Double
    public var text: String?
    /// A code such as `en`.
    public var language: String?

    /// The same quantity for the two models.
    public struct Pair: Sendable, Equatable {
        public var autoregressive: NumPyArray
        public var diffusion: NumPyArray

        public init(autoregressive: NumPyArray, diffusion: NumPyArray) {
            self.autoregressive = autoregressive
            self.diffusion = diffusion
        }
    }

    public init(
        codes: [UInt16], conditioningMels: Pair, latents: Pair, tokens: [UInt8]?, originalLength: Int,
        sampleRate: Int, duration: Double, text: String?, language: String?
    ) {
        self.codes = codes
        self.conditioningMels = conditioningMels
        self.latents = latents
        self.tokens = tokens
        self.originalLength = originalLength
        self.sampleRate = sampleRate
        self.duration = duration
        self.text = text
        self.language = language
    }

    /// Reads a file.
    ///
    /// - Throws: `InputError` when it is no such dictionary, a part is missing or of another type, or all codes are 0,
    ///   which the original takes for a failed encoding.
    public init(path: String) throws {
        guard case .object(let root) = try NumPyFile.read(path: path), root.pairs != nil else {
            throw InputError.data("expected a pickled dictionary with codes, conds and latent", at: path)
        }
        let field = Fields(root: root, path: path)
        codes = try field.integers("codes")
        conditioningMels = try field.pair("conds")
        latents = try field.pair("latent")
        tokens = root["text"] == nil ? nil : try field.integers("text")
        guard codes.contains(where: { $0 != 0 }) else {
            throw InputError.data("all codes are 0", at: path, try: "encode the recording again")
        }
        let metadata = root["metadata"]
        guard let length = metadata?["original_length"]?.integer, let rate = metadata?["sample_rate"]?.integer,
            length >= 0, rate > 0
        else { throw InputError.data("the metadata lacks original_length or sample_rate", at: path) }
        originalLength = length
        sampleRate = rate
        duration = metadata?["duration"]?.number ?? Double(length) / Double(rate)
        text = metadata?["text"]?.text
        language = metadata?["language"]?.text
    }

    /// Writes the file as the original does, complete or not at all.
    public func write(to path: String) throws {
        func tuple(_ pair: Pair) -> CheckpointContent { .tuple([.array(pair.autoregressive), .array(pair.diffusion)]) }
        var metadata: [CheckpointContent.Pair] = [
            .init("original_length", .integer(originalLength)), .init("sample_rate", .integer(sampleRate)),
            .init("duration", .float(duration)),
        ]
        var entries: [CheckpointContent.Pair] = [
            .init("codes", .array(NumPyArray(codes, shape: [1, codes.count]))),
            .init("conds", tuple(conditioningMels)), .init("latent", tuple(latents)),
        ]
        if let text { metadata.append(.init("text", .string(text))) }
        if let language { metadata.append(.init("language", .string(language))) }
        entries.append(.init("metadata", .dictionary(metadata)))
        if let tokens { entries.append(.init("text", .array(NumPyArray(tokens, shape: [tokens.count])))) }
        try NumPyFile.write(object: .dictionary(entries), to: path)
    }
}

/// Finds and checks the parts of a dictionary that was read.
private struct Fields {
    let root: CheckpointValue
    let path: String

    /// Whole numbers of any width that fit the type asked for.
    func integers<Integer: FixedWidthInteger>(_ name: String) throws -> [Integer] {
        guard let array = root[name]?.array, let wide = array.integers() else {
            throw InputError.data("expected an array of whole numbers under \(name)", at: path)
        }
        return try wide.map {
            guard let value = Integer(exactly: $0) else {
                throw InputError.data("\(name) has \($0), which is out of range", at: path)
            }
            return value
        }
    }

    func pair(_ name: String) throws -> MelArtifact.Pair {
        guard let first = root[name]?[0]?.array, let second = root[name]?[1]?.array, first.element == .float32,
            second.element == .float32
        else { throw InputError.data("expected two float32 arrays under \(name)", at: path) }
        return MelArtifact.Pair(autoregressive: first, diffusion: second)
    }
}
