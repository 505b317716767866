/// The sizes of CLVP; the defaults are those of the published one.
///
/// Keys: the arguments of `CLVP` (`tortoise/models/clvp.py`).
public struct CLVPConfig: Sendable, Equatable {
    public var textWidth = 768
    public var speechWidth = 768
    public var latentWidth = 768
    public var textTokens = 256
    public var textDepth = 20
    public var textHeads = 12
    public var speechTokens = 8_192
    public var speechDepth = 20
    public var speechHeads = 12
    public var feedForwardMultiplier = 2
    public var headWidth = 64
    /// Of attention weights and feed-forward parts, while training.
    public var dropout = 0.1

    public init() {}
}

extension CLVPConfig: ConfigurationSection {
    static func describe(_ keys: inout ConfigurationKeys<CLVPConfig>) {
        keys.key("dim_text", \.textWidth, .within(1...16_384))
        keys.key("dim_speech", \.speechWidth, .within(1...16_384))
        keys.key("dim_latent", \.latentWidth, .within(1...16_384))
        keys.key("num_text_tokens", \.textTokens, .within(1...1_000_000))
        keys.key("text_enc_depth", \.textDepth, .within(1...1_000))
        keys.key("text_heads", \.textHeads, .within(1...1_024))
        keys.key("num_speech_tokens", \.speechTokens, .within(1...1_000_000))
        keys.key("speech_enc_depth", \.speechDepth, .within(1...1_000))
        keys.key("speech_heads", \.speechHeads, .within(1...1_024))
        keys.key("ff_mult", \.feedForwardMultiplier, .within(1...64))
        keys.key("dim_head", \.headWidth, .within(2...1_024))
        keys.key("dropout", \.dropout, .within(0...0.99))
        keys.vestigial(
            "text_seq_len", "speech_seq_len", "text_mask_percentage", "voice_mask_percentage", "wav_token_compression")
        keys.vestigial("use_xformers", "num_text_tokens_padding")
    }

    func validate(at place: String) throws { try RotaryPositions.check(headWidth: headWidth, at: place) }
}

/// One of the two towers: tokens to a vector on the unit sphere.
private final class CLVPTower {
    private let embedding: Embedding
    private let encoder: RotaryEncoder
    private let projection: Linear

    init(
        tokens: Int, config: RotaryEncoderConfig, latentWidth: Int, embedding: ParameterScope,
        transformer: ParameterScope,
        projection: ParameterScope
    ) {
        self.embedding = Embedding(tokens, config.width, at: embedding)
        encoder = RotaryEncoder(config, at: transformer["transformer"])
        self.projection = Linear(config.width, latentWidth, bias: false, at: projection)
    }

    func callAsFunction(_ ids: Tensor, lengths: [Int]?, _ run: RunContext) -> Tensor {
        projection(encoder(embedding(ids), lengths: lengths, run).meanOverTime(lengths: lengths)).normalizedRows
    }
}

/// Tells how well mel codes say a text: the ranker of candidates.
///
/// Port of `CLVP` (`tortoise/models/clvp.py`): two towers and the cosine of their vectors, times exp(temperature).
public final class CLVPModel {
    public let config: CLVPConfig
    private let temperature: Parameter
    private let text, speech: CLVPTower

    public init(_ config: CLVPConfig, at scope: ParameterScope) {
        self.config = config
        func encoder(_ width: Int, _ depth: Int, _ heads: Int) -> RotaryEncoderConfig {
            RotaryEncoderConfig(
                width: width, depth: depth, heads: heads, feedForwardMultiplier: config.feedForwardMultiplier,
                dropout: Float(config.dropout), headWidth: config.headWidth, isWrapped: true)
        }
        temperature = scope.parameter("temperature", [], .ones)
        text = CLVPTower(
            tokens: config.textTokens, config: encoder(config.textWidth, config.textDepth, config.textHeads),
            latentWidth: config.latentWidth, embedding: scope["text_emb"], transformer: scope["text_transformer"],
            projection: scope["to_text_latent"])
        speech = CLVPTower(
            tokens: config.speechTokens, config: encoder(config.speechWidth, config.speechDepth, config.speechHeads),
            latentWidth: config.latentWidth, embedding: scope["speech_emb"], transformer: scope["speech_transformer"],
            projection: scope["to_speech_latent"])
    }

    /// Published files store the rotary frequencies, which are computed here.
    public static let keyMap = KeyMap(.drop("**.rotary_pos_emb.inv_freq"))

    /// Shape: int32 [batch, text] → [batch, latent]
    ///
    /// - Parameter lengths: Real ids of each row; nil counts all, padding included, as the original does.
    public func textLatent(_ ids: Tensor, lengths: [Int]? = nil, _ run: RunContext = .inference) -> Tensor {
        text(ids, lengths: lengths, run["text"])
    }

    /// Shape: int32 [batch, codes] → [batch, latent]
    public func speechLatent(_ codes: Tensor, lengths: [Int]? = nil, _ run: RunContext = .inference) -> Tensor {
        speech(codes, lengths: lengths, run["speech"])
    }

    /// How well codes say a text; a single text is compared with every row of codes.
    ///
    /// Shape: int32 [batch or 1, text], int32 [batch, codes] → [batch]
    public func similarity(text ids: Tensor, codes: Tensor, codeLengths: [Int]? = nil) -> Tensor {
        (textLatent(ids) * speechLatent(codes, lengths: codeLengths)).sum(1) * temperature.value.exp
    }

    /// The contrastive loss of a batch: each text belongs to its own codes and to no others, and the other way round.
    ///
    /// - Returns: The mean of both cross entropies: a scalar.
    public func loss(
        text ids: Tensor, textLengths: [Int]?, codes: Tensor, codeLengths: [Int]?, _ run: RunContext = .inference
    ) -> Tensor {
        let (a, b) = (textLatent(ids, lengths: textLengths, run), speechLatent(codes, lengths: codeLengths, run))
        let scores = a.matmul(b.transposed()) * temperature.value.exp
        let own = Tensor(indices: (0..<ids.size(0)).map(Int32.init))
        return (crossEntropy(scores, own) + crossEntropy(scores.transposed().contiguous, own)) * 0.5
    }
}
