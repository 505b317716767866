/// Which periodic activation a BigVGAN has.
public enum SnakeActivation: String, Sendable, CaseIterable, ConfigurationName {
    /// x + sin²(αx) / α
    case snake
    /// x + sin²(αx) / β
    case snakeBeta = "snakebeta"
}

/// The sizes of a BigVGAN; the defaults are those of the published one for 24 kHz and 100 bands.
///
/// Keys: those of the model's JSON (NVIDIA/BigVGAN: configs/bigvgan_24khz_100band.json).
public struct BigVGANConfig: Sendable, Equatable {
    /// Bands of the mel.
    public var melBands = 100
    public var residualBlock = VocoderBlock.paired
    public var upsampleFactors = [4, 4, 2, 2, 2, 2]
    public var upsampleKernelSizes = [8, 8, 4, 4, 4, 4]
    /// Channels of the first stage; every stage halves them.
    public var initialChannels = 1_536
    public var kernelSizes = [3, 7, 11]
    /// One list per kernel size.
    public var dilations = [[1, 3, 5], [1, 3, 5], [1, 3, 5]]
    public var activation = SnakeActivation.snakeBeta
    /// Whether α and β are kept as logarithms.
    public var usesLogScale = true

    public init() {}

    /// Samples per mel frame.
    public var samplesPerFrame: Int { upsampleFactors.reduce(1, *) }
}

extension BigVGANConfig: ConfigurationSection {
    static var hasFileOfItsOwn: Bool { true }

    static func describe(_ keys: inout ConfigurationKeys<BigVGANConfig>) {
        keys.key("num_mels", \.melBands, .within(1...4_096))
        keys.key("resblock", \.residualBlock)
        keys.key("upsample_rates", \.upsampleFactors, .positiveList)
        keys.key("upsample_kernel_sizes", \.upsampleKernelSizes, .positiveList)
        keys.key("upsample_initial_channel", \.initialChannels, .within(1...65_536))
        keys.key("resblock_kernel_sizes", \.kernelSizes, .positiveList)
        keys.key("resblock_dilation_sizes", \.dilations, .positiveLists)
        keys.key("activation", \.activation)
        keys.key("snake_logscale", \.usesLogScale)
        // The file also describes the mel, which is that of the front end here, and the training of its authors.
        keys.vestigial(
            "n_fft", "hop_size", "win_size", "sampling_rate", "fmin", "fmax", "fmax_for_loss", "num_freq",
            "segment_size")
        keys.vestigial(
            "num_gpus", "batch_size", "learning_rate", "adam_b1", "adam_b2", "lr_decay", "seed", "clip_grad_norm",
            "num_workers")
        keys.vestigial(
            "use_spectral_norm", "discriminator_channel_mult", "resolutions", "mpd_reshapes", "dist_config",
            "normalize_volume")
    }

    /// - Throws: `InputError.usage` when sizes do not go together.
    func validate(at place: String) throws {
        try validateStages(
            kernels: upsampleKernelSizes, factors: upsampleFactors, initialChannels: initialChannels,
            blockKernels: kernelSizes,
            dilations: dilations, at: place)
    }
}
