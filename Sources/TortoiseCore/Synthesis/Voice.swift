/// A voice: what the autoregressive model and the diffusion decoder are told about who speaks.
public struct Voice: Sendable, Equatable {
    /// [width of the autoregressive model]
    public var autoregressive: [Float]
    /// [2 · channels of the diffusion decoder]; empty for sets without one.
    public var diffusion: [Float]
    /// The names of the clips it was made of.
    public var clips: [String]
    /// What tells the weights of the encoders that made it, by stage; empty where nothing is known of them.
    public var encoderHashes: [String: String]
    /// Mel spectrograms of the clips, [bands · frames] each, for rankers that listen to them; not part of saved voices.
    public var referenceMels: [[Float]]

    public init(
        autoregressive: [Float], diffusion: [Float], clips: [String] = [], encoderHashes: [String: String] = [:],
        referenceMels: [[Float]] = []
    ) {
        (self.autoregressive, self.diffusion, self.clips, self.encoderHashes) = (
            autoregressive, diffusion, clips, encoderHashes
        )
        self.referenceMels = referenceMels
    }

    /// What a saved voice is called.
    public static let suffix = "voice"
    private static let kind = "tortoise-voice"
    private static let encoderKey = "encoder."

    /// Writes a `.voice` file: safetensors with both latents, and where they come from.
    public func write(to path: String) throws {
        var tensors = [("autoregressive", TensorSource(Tensor(autoregressive, shape: [1, autoregressive.count])))]
        if !diffusion.isEmpty {
            tensors.append(("diffusion", TensorSource(Tensor(diffusion, shape: [1, diffusion.count]))))
        }
        var metadata = ["kind": Self.kind, "clips": clips.joined(separator: "\n")]
        for (stage, hash) in encoderHashes { metadata[Self.encoderKey + stage] = hash }
        try SafetensorsWriter.write(tensors.map { (name: $0.0, tensor: $0.1) }, metadata: metadata, to: path)
    }

    /// Reads a `.voice` file, or the original's `.pth`: a tuple of both latents.
    ///
    /// - Throws: `InputError` when the file holds no voice.
    public init(path: String) throws {
        let reader = try openCheckpoint(path: path)
        let names = reader.names.contains("autoregressive") ? ["autoregressive", "diffusion"] : ["0", "1"]
        guard reader.entries[names[0]] != nil else {
            throw InputError.data(
                "holds no voice", at: path, try: "expected the latents 'autoregressive' and 'diffusion'")
        }
        autoregressive = try Tensor(of: names[0], in: reader).converted(to: .float32).values
        diffusion =
            reader.entries[names[1]] != nil ? try Tensor(of: names[1], in: reader).converted(to: .float32).values : []
        clips = reader.metadata["clips"]?.split(separator: "\n").map(String.init) ?? []
        encoderHashes = [:]
        referenceMels = []
        for (key, hash) in reader.metadata where key.hasPrefix(Self.encoderKey) {
            encoderHashes[String(key.dropFirst(Self.encoderKey.count))] = hash
        }
        guard (autoregressive + diffusion).allSatisfy(\.isFinite) else {
            throw InputError.data("the voice has numbers that are not finite", at: path)
        }
    }

    /// Several voices as one, by weights that need not add up to 1.
    ///
    /// - Throws: `InputError.usage` when the voices are of different models or all weights are 0.
    public static func mix(_ parts: [(voice: Voice, weight: Float)]) throws -> Voice {
        let total = parts.reduce(0) { $0 + $1.weight }
        guard let first = parts.first, total > 0 else {
            throw InputError.usage("a mix needs a weight above 0", at: "--voice")
        }
        guard
            parts.allSatisfy({
                $0.voice.autoregressive.count == first.voice.autoregressive.count
                    && $0.voice.diffusion.count == first.voice.diffusion.count
            })
        else {
            throw InputError.usage(
                "the voices were made by different models", at: "--voice", try: "encode them again with one set")
        }
        // Voices of different weights make one that fits none of them.
        let hashes = parts.reduce(into: [String: Set<String>]()) { found, part in
            for (stage, hash) in part.voice.encoderHashes { found[stage, default: []].insert(hash) }
        }
        func mean(_ latent: (Voice) -> [Float]) -> [Float] {
            var sum = [Float](repeating: 0, count: latent(first.voice).count)
            for (voice, weight) in parts {
                for (index, value) in latent(voice).enumerated() { sum[index] += value * weight / total }
            }
            return sum
        }
        return Voice(
            autoregressive: mean(\.autoregressive), diffusion: mean(\.diffusion), clips: parts.flatMap(\.voice.clips),
            encoderHashes: hashes.mapValues { $0.sorted().joined(separator: "+") })
    }

    /// - Throws: `InputError.model` when the latents do not have the widths of the models, or those do not go together.
    func check(_ models: SpeechModels, needsDiffusion: Bool) throws {
        try models.checkFit(needsDiffusion: needsDiffusion)
        let width = try models.autoregressive().config.width
        guard autoregressive.count == width else {
            throw InputError.model(
                "the voice was made for a model of width \(autoregressive.count); this one has \(width)",
                try: "encode the voice again with these models")
        }
        guard needsDiffusion else { return }
        let channels = 2 * (try models.diffusion().config.modelChannels)
        guard diffusion.count == channels else {
            throw InputError.model(
                "the voice's diffusion latent has \(diffusion.count) numbers; this decoder takes \(channels)",
                try: "encode the voice again with these models")
        }
    }
}
