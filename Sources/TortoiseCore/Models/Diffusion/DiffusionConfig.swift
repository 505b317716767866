/// The sizes of the diffusion decoder; the defaults are those of the published one.
///
/// Keys: the arguments of `DiffusionTts` (`tortoise/models/diffusion_decoder.py`).
public struct DiffusionConfig: Sendable, Equatable {
    public var modelChannels = 1_024
    /// Blocks with attention in the main stack; three without follow them.
    public var layers = 10
    /// Bands of the mel that is made.
    public var melChannels = 100
    /// The width of the latents that the autoregressive model gives.
    public var latentChannels = 1_024
    /// Mel codes, for training on codes in place of latents.
    public var tokens = 8_193
    /// Twice the bands: the noise, and how much of the variance's range is used.
    public var outputChannels = 200
    public var heads = 16
    /// Within residual blocks, while training.
    public var dropout = 0.0
    /// How often a layer of the main stack is skipped, while training.
    public var layerDrop = 0.0
    /// How often a clip's conditioning is replaced by the learned one that stands for none, while training.
    public var unconditionedPercentage = 0.0

    public init() {}
}

extension DiffusionConfig: ConfigurationSection {
    static func describe(_ keys: inout ConfigurationKeys<DiffusionConfig>) {
        keys.key("model_channels", \.modelChannels, .within(8...16_384))
        keys.key("num_layers", \.layers, .within(0...1_000))
        keys.key("in_channels", \.melChannels, .within(1...16_384))
        keys.key("in_latent_channels", \.latentChannels, .within(1...65_536))
        keys.key("in_tokens", \.tokens, .within(1...1_000_000))
        keys.key("out_channels", \.outputChannels, .within(1...32_768))
        keys.key("num_heads", \.heads, .within(1...1_024))
        keys.key("dropout", \.dropout, .within(0...0.99))
        keys.key("layer_drop", \.layerDrop, .within(0...0.99))
        keys.key("unconditioned_percentage", \.unconditionedPercentage, .within(0...1))
        keys.vestigial("use_fp16")
    }

    /// - Throws: `InputError.usage` when sizes do not go together.
    func validate(at place: String) throws {
        guard modelChannels % heads == 0 else {
            throw InputError.usage("\(heads) heads do not divide \(modelChannels) channels", at: place)
        }
        guard modelChannels % 8 == 0 else {
            throw InputError.usage(
                "model_channels must divide by 8, for the groups of its norms; found \(modelChannels)", at: place)
        }
        guard outputChannels == 2 * melChannels else {
            throw InputError.usage(
                "out_channels must be twice in_channels: the noise and its variance; found \(outputChannels) and \(melChannels)",
                at: place)
        }
    }
}
