/// Which weights made a voice, so that a saved one is not spoken by others unnoticed.
extension SpeechModels {
    /// The encoders that make a voice's latents, as files name them.
    private static let voiceEncoders: [(stage: ModelStage, scope: String)] = [
        (.autoregressive, "conditioning_encoder."), (.diffusion, "contextual_embedder."),
    ]
    /// Training changes all of a tensor, so that its beginning tells weights apart, and gigabytes are not read.
    private static let hashedBytes = 4_096

    /// SHA-256 over names and beginnings of the encoders' tensors, by stage.
    ///
    /// - Throws: `InputError.model` when the weights cannot be read.
    func voiceEncoderHashes() throws -> [String: String] {
        var hashes: [String: String] = [:]
        for (stage, scope) in Self.voiceEncoders {
            guard let path = files.find(stage) else { continue }
            let reader = try openCheckpoint(path: path)
            var digest = SHA256()
            for name in reader.names.sorted() where name.hasPrefix(scope) {
                digest.add(Array(name.utf8))
                digest.add(try reader.bytes(name).withUnsafeBytes { Array($0.prefix(Self.hashedBytes)) })
            }
            hashes[stage.rawValue] = digest.hex()
        }
        return hashes
    }

    /// What there is to say of a saved voice that other weights made; nil when it fits, or does not tell.
    ///
    /// - Throws: `InputError.model` when the weights cannot be read.
    public func remark(on voice: Voice) throws -> String? {
        guard !voice.encoderHashes.isEmpty else { return nil }
        let hashes = try voiceEncoderHashes()
        let foreign = Self.voiceEncoders.map(\.stage.rawValue).filter { stage in
            voice.encoderHashes[stage].map { $0 != hashes[stage] } ?? false
        }
        guard !foreign.isEmpty else { return nil }
        return
            "the voice was made with other weights (\(foreign.joined(separator: ", "))); encode it again with these if it sounds wrong"
    }
}
