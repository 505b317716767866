/// Which residual block a HiFi-GAN or BigVGAN has.
public enum VocoderBlock: String, Sendable, CaseIterable, ConfigurationName {
    /// Every dilated convolution is followed by an undilated one.
    case paired = "1"
    /// Dilated convolutions only.
    case single = "2"
}

/// The sizes of a HiFi-GAN decoder; the defaults are those of the published one.
///
/// Keys: the arguments of `HifiganGenerator` (tortoise-tts: tortoise/models/hifigan_decoder.py).
public struct HiFiGANConfig: Sendable, Equatable {
    /// Width of the autoregressive model's latents.
    public var inputs = 1_024
    /// Width of the voice's conditioning latent.
    public var conditioningWidth = 1_024
    public var residualBlock = VocoderBlock.paired
    /// One list per kernel size.
    public var dilations = [[1, 3, 5], [1, 3, 5], [1, 3, 5]]
    public var kernelSizes = [3, 7, 11]
    public var upsampleKernelSizes = [16, 16, 4, 4]
    /// Channels of the first stage; every stage halves them.
    public var initialChannels = 512
    public var upsampleFactors = [8, 8, 2, 2]

    public init() {}

    /// Samples per step of the stretched latents.
    public var samplesPerStep: Int { upsampleFactors.reduce(1, *) }
}

extension HiFiGANConfig: ConfigurationSection {
    static func describe(_ keys: inout ConfigurationKeys<HiFiGANConfig>) {
        keys.key("in_channels", \.inputs, .within(1...65_536))
        keys.key("cond_channels", \.conditioningWidth, .within(1...65_536))
        keys.key("resblock_type", \.residualBlock)
        keys.key("resblock_dilation_sizes", \.dilations, .positiveLists)
        keys.key("resblock_kernel_sizes", \.kernelSizes, .positiveList)
        keys.key("upsample_kernel_sizes", \.upsampleKernelSizes, .positiveList)
        keys.key("upsample_initial_channel", \.initialChannels, .within(1...65_536))
        keys.key("upsample_factors", \.upsampleFactors, .positiveList)
        keys.vestigial(
            "out_channels", "inference_padding", "conv_pre_weight_norm", "conv_post_weight_norm", "conv_post_bias")
    }

    /// - Throws: `InputError.usage` when sizes do not go together.
    func validate(at place: String) throws {
        try validateStages(
            kernels: upsampleKernelSizes, factors: upsampleFactors, initialChannels: initialChannels,
            blockKernels: kernelSizes,
            dilations: dilations, at: place)
    }
}

/// Whether the stages of a generator can be built.
///
/// - Throws: `InputError.usage` when sizes do not go together.
func validateStages(
    kernels: [Int], factors: [Int], initialChannels: Int, blockKernels: [Int], dilations: [[Int]], at place: String
) throws {
    guard kernels.count == factors.count else {
        throw InputError.usage("\(kernels.count) upsample kernel sizes for \(factors.count) stages", at: place)
    }
    guard zip(kernels, factors).allSatisfy({ $0 >= $1 && ($0 - $1) % 2 == 0 }) else {
        throw InputError.usage("upsample kernel sizes \(kernels) do not exceed \(factors) by even numbers", at: place)
    }
    guard factors.count < 17, initialChannels % (1 << factors.count) == 0 else {
        throw InputError.usage("\(initialChannels) channels cannot be halved \(factors.count) times", at: place)
    }
    guard blockKernels.count == dilations.count, blockKernels.allSatisfy({ $0 % 2 == 1 }) else {
        throw InputError.usage(
            "residual kernel sizes \(blockKernels) are not odd, or not one per list of dilations", at: place)
    }
}

extension ConfigurationRule where Value == [[Int]] {
    /// Lists of sizes, none of which is empty.
    static var positiveLists: Self {
        .init(expected: "lists of numbers from 1 to 4096") {
            !$0.isEmpty && $0.allSatisfy { !$0.isEmpty && $0.allSatisfy((1...4_096).contains) }
        }
    }
}
