/// What a dataset stores of an utterance's sound, made by the models that it is for.
public struct EncodedSound: Sendable {
    public var codes: [UInt16] = []
    public var autoregressiveLatent: [Float] = []
    public var diffusionLatent: [Float] = []
    /// Shape: [frames, bands]
    public var diffusedMel: [Float] = []

    public init() {}
}

/// Turns a waveform into what the models train on; made of the DVAE and of both conditioning encoders, as far as there are any.
public protocol UtteranceEncoder: AnyObject {
    /// Widths of the latents; 0 when there is no such model.
    var autoregressiveLatentWidth: Int { get }
    var diffusionLatentWidth: Int { get }
    /// Hashes of the models' files, by stage.
    var modelHashes: [String: String] { get }
    /// Whether codes are made at all.
    var makesCodes: Bool { get }
    /// Whether latents are made of whole utterances, and not of clips of a fixed length.
    var hearsWholeClips: Bool { get }

    /// Encodes one utterance.
    ///
    /// - Parameters:
    ///   - tokens: Of what is said.
    ///   - samples: At 22,050 Hz, for the autoregressive stage.
    ///   - wideSamples: The same at 24,000 Hz, for the diffusion stage.
    ///   - random: For the crop of a long clip, and the noise of diffusion.
    /// - Throws: `InputError.data` for texts and recordings that the models do not take, such as too long ones.
    func encode(
        _ samples: [Float], wide wideSamples: [Float], tokens: [Int32], _ random: RandomSource
    ) throws -> EncodedSound
}
