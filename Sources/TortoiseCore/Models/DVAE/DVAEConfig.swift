/// The sizes of the discrete variational autoencoder; the defaults are those of the published one.
///
/// Keys: the arguments of `DiscreteVAE` (e-c-k-e-r/tortoise-tts: tortoise_tts/models/dvae.py).
public struct DVAEConfig: Sendable, Equatable {
    /// Bands of the mel.
    public var channels = 80
    public var codes = 8_192
    public var codeWidth = 512
    /// Convolutions that halve the time.
    public var layers = 2
    public var residualBlocks = 3
    /// Channels after the first convolution; each further one doubles them.
    public var hiddenWidth = 512
    public var kernelSize = 3
    /// How much of its average a code keeps at each update.
    public var decay = 0.99

    public init() {}

    /// Channels after each halving.
    var widths: [Int] { (0..<layers).map { hiddenWidth << $0 } }
    /// Mel frames per code.
    public var framesPerCode: Int { 1 << layers }
}

extension DVAEConfig: ConfigurationSection {
    static func describe(_ keys: inout ConfigurationKeys<DVAEConfig>) {
        keys.key("channels", \.channels, .within(1...4_096))
        keys.key("num_tokens", \.codes, .within(2...65_536))
        keys.key("codebook_dim", \.codeWidth, .within(1...8_192))
        keys.key("num_layers", \.layers, .within(1...6))
        keys.key("num_resnet_blocks", \.residualBlocks, .within(0...64))
        keys.key("hidden_dim", \.hiddenWidth, .within(1...8_192))
        keys.key(
            "kernel_size", \.kernelSize,
            .init(expected: "an odd number from 1 to 31") { (1...31).contains($0) && $0 % 2 == 1 })
        keys.key("decay", \.decay, .within(0...0.99999))
        keys.vestigial(
            "positional_dims", "stride", "use_transposed_convs", "encoder_norm", "activation", "smooth_l1_loss")
        keys.vestigial(
            "straight_through", "normalization", "record_codes", "discretization_loss_averaging_steps",
            "lr_quantizer_args")
    }
}
