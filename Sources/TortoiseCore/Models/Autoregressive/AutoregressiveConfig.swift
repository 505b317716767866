/// The sizes and special tokens of the autoregressive model; the defaults are those of the published one.
///
/// Keys: the arguments of `UnifiedVoice` (`tortoise/models/autoregressive.py`), and ours where it has constants.
public struct AutoregressiveConfig: Sendable, Equatable {
    public var layers = 30
    public var width = 1_024
    public var heads = 16
    public var maximumTextTokens = 402
    public var maximumMelTokens = 604
    public var maximumConditioningInputs = 2
    /// Text ids from the tokenizer; the start token comes on top.
    public var textTokens = 255
    public var startTextToken = 255
    public var stopTextToken = 0
    /// Mel codes with start and stop.
    public var melTokens = 8_194
    public var startMelToken = 8_192
    public var stopMelToken = 8_193
    /// Samples at 22,050 Hz per mel code.
    public var melLengthCompression = 1_024
    /// Bands of the conditioning mel.
    public var melChannels = 80
    public var conditioningLayers = 6
    /// Of embeddings, attention weights and residual branches, while training.
    public var dropout = 0.1
    /// The code of silence: what is written after the end, and of which long runs are cut.
    public var calmToken = 83
    /// The codes with which the original ends every clip.
    public var tailTokens = [45, 45, 248]

    public init() {}

    /// The GPT-2 stack in the middle.
    public var body: GPT2Config { GPT2Config(layers: layers, width: width, heads: heads, dropout: Float(dropout)) }
    /// Rows of the learned position tables.
    var textPositions: Int { maximumTextTokens + 2 }
    var melPositions: Int { maximumMelTokens + 2 + maximumConditioningInputs }

    /// - Throws: `InputError.data` for texts that the model cannot read at once.
    func check(text: [Int32]) throws {
        guard text.count <= maximumTextTokens else {
            throw InputError.data(
                "the text has \(text.count) tokens, and the model reads \(maximumTextTokens) at once",
                try: "split it: 'read' does so by itself")
        }
        guard text.allSatisfy({ (0...textTokens).contains(Int($0)) }) else {
            throw InputError.data("a text token is outside the model's vocabulary of \(textTokens)")
        }
    }
}

extension AutoregressiveConfig: ConfigurationSection {
    static func describe(_ keys: inout ConfigurationKeys<AutoregressiveConfig>) {
        keys.key("layers", \.layers, .within(1...1_000))
        keys.key("model_dim", \.width, .within(1...65_536))
        keys.key("heads", \.heads, .within(1...1_024))
        keys.key("max_text_tokens", \.maximumTextTokens, .within(1...1_000_000))
        keys.key("max_mel_tokens", \.maximumMelTokens, .within(1...1_000_000))
        keys.key("max_conditioning_inputs", \.maximumConditioningInputs, .within(0...1_000))
        keys.key("number_text_tokens", \.textTokens, .within(1...1_000_000))
        keys.key("start_text_token", \.startTextToken, .atLeast(0))
        keys.key("stop_text_token", \.stopTextToken, .atLeast(0))
        keys.key("number_mel_codes", \.melTokens, .within(1...1_000_000))
        keys.key("start_mel_token", \.startMelToken, .atLeast(0))
        keys.key("stop_mel_token", \.stopMelToken, .atLeast(0))
        keys.key("mel_length_compression", \.melLengthCompression, .within(1...65_536))
        keys.key("mel_channels", \.melChannels, .within(1...1_024))
        keys.key("conditioning_layers", \.conditioningLayers, .within(0...100))
        keys.key("dropout", \.dropout, .within(0...0.99))
        keys.key("calm_token", \.calmToken, .atLeast(0))
        keys.key("tail_tokens", \.tailTokens)
        keys.vestigial("types", "train_solo_embeddings", "use_mel_codes_as_input", "checkpointing", "max_prompt_tokens")
    }

    /// - Throws: `InputError.usage` when sizes do not go together.
    func validate(at place: String) throws {
        guard width % heads == 0 else {
            throw InputError.usage("\(heads) heads do not divide a width of \(width)", at: place)
        }
        guard conditioningLayers == 0 || possibleNormGroups(channels: width) != nil else {
            throw InputError.usage(
                "the conditioning encoder's norms find no groups in a width of \(width)", at: place,
                try: "choose a multiple of 4; above 16, of 8")
        }
        for (name, token, count) in [
            ("start_text_token", startTextToken, textTokens + 1), ("stop_text_token", stopTextToken, textTokens + 1),
            ("start_mel_token", startMelToken, melTokens), ("stop_mel_token", stopMelToken, melTokens),
            ("calm_token", calmToken, melTokens),
        ] where token >= count {
            throw InputError.usage("\(name) is \(token), and there are \(count) tokens", at: place)
        }
        guard tailTokens.allSatisfy({ (0..<melTokens).contains($0) }) else {
            throw InputError.usage("tail_tokens are not all below \(melTokens)", at: place)
        }
    }
}
