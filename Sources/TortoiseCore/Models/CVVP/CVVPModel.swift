/// The sizes of CVVP; the defaults are those of the published one.
///
/// Keys: the arguments of `CVVP` (`tortoise/models/cvvp.py`).
public struct CVVPConfig: Sendable, Equatable {
    public var width = 512
    public var heads = 8
    public var conditioningDepth = 8
    public var speechDepth = 8
    public var melChannels = 80
    public var melCodes = 8_192
    public var headWidth = 64

    public init() {}
}

extension CVVPConfig: ConfigurationSection {
    static func describe(_ keys: inout ConfigurationKeys<CVVPConfig>) {
        keys.key("model_dim", \.width, .within(1...16_384))
        keys.key("transformer_heads", \.heads, .within(1...1_024))
        keys.key("cond_enc_depth", \.conditioningDepth, .within(1...1_000))
        keys.key("speech_enc_depth", \.speechDepth, .within(1...1_000))
        keys.key("mel_channels", \.melChannels, .within(1...4_096))
        keys.key("mel_codes", \.melCodes, .within(1...1_000_000))
        keys.key("dim_head", \.headWidth, .within(2...1_024))
        keys.vestigial(
            "dropout", "conditioning_enc_depth", "cond_mask_percentage", "mask_percentage", "latent_multiplier",
            "speech_mask_percentage")
    }

    func validate(at place: String) throws {
        try RotaryPositions.check(headWidth: headWidth, at: place)
        try AttentionBlock.check(channels: width, heads: heads, at: place)
    }
}

/// A transformer whose output becomes one vector. Keys: `transformer`, `pre_combiner.N`.
private final class CollapsingTransformer {
    private let encoder: RotaryEncoder
    private let before, after: Conv1d
    private let block: AttentionBlock

    init(_ config: CVVPConfig, depth: Int, at scope: ParameterScope) {
        encoder = RotaryEncoder(
            RotaryEncoderConfig(
                width: config.width, depth: depth, heads: config.heads, feedForwardMultiplier: 1,
                headWidth: config.headWidth,
                isWrapped: false), at: scope["transformer"])
        before = Conv1d(config.width, config.width, taps: 1, at: scope["pre_combiner"][0])
        block = AttentionBlock(config.width, heads: config.heads, at: scope["pre_combiner"][1])
        after = Conv1d(config.width, config.width, taps: 1, at: scope["pre_combiner"][2])
    }

    /// Shape: [batch, time, width] → [batch, width]
    func callAsFunction(_ x: Tensor) -> Tensor { after(block(before(encoder(x).transposed(1, 2).contiguous))).mean(2) }
}

/// Tells how well mel codes fit a voice: a second opinion on candidates.
///
/// Port of `CVVP` (`tortoise/models/cvvp.py`).
public final class CVVPModel {
    public let config: CVVPConfig
    private let temperature: Parameter
    private let firstConvolution, secondConvolution: Conv1d
    private let embedding: Embedding
    private let conditioning, speech: CollapsingTransformer
    private let conditioningProjection, speechProjection: Linear

    public init(_ config: CVVPConfig, at scope: ParameterScope) {
        self.config = config
        temperature = scope.parameter("temperature", [], .ones)
        firstConvolution = Conv1d(
            config.melChannels, config.width / 2, taps: 5, stride: 2, padding: 2, at: scope["cond_emb"][0])
        secondConvolution = Conv1d(
            config.width / 2, config.width, taps: 3, stride: 2, padding: 1, at: scope["cond_emb"][1])
        conditioning = CollapsingTransformer(
            config, depth: config.conditioningDepth, at: scope["conditioning_transformer"])
        conditioningProjection = Linear(config.width, config.width, bias: false, at: scope["to_conditioning_latent"])
        embedding = Embedding(config.melCodes, config.width, at: scope["speech_emb"]["emb"])
        speech = CollapsingTransformer(config, depth: config.speechDepth, at: scope["speech_transformer"])
        speechProjection = Linear(config.width, config.width, bias: false, at: scope["to_speech_latent"])
    }

    /// Published files store the rotary frequencies, which are computed here.
    public static let keyMap = KeyMap(.drop("**.rotary_pos_emb.inv_freq"))

    /// Shape: [batch, bands, time] → [batch, width]
    public func conditioningLatent(_ mel: Tensor) -> Tensor {
        let embedded = secondConvolution(firstConvolution(mel)).transposed(1, 2).contiguous
        return conditioningProjection(conditioning(embedded)).normalizedRows
    }

    /// How well codes fit a clip; a single clip is compared with every row of codes.
    ///
    /// Shape: [batch or 1, bands, time], int32 [batch, codes] → [batch]
    public func similarity(mel: Tensor, codes: Tensor) -> Tensor {
        let spoken = speechProjection(speech(embedding(codes))).normalizedRows
        return (conditioningLatent(mel) * spoken).sum(1) * temperature.value.exp
    }
}
