/// The sizes of a UnivNet; the defaults are those of the published one.
///
/// Keys: the arguments of `UnivNetGenerator` (tortoise-tts: tortoise/models/vocoder.py), and of its kernel predictors.
public struct UnivNetConfig: Sendable, Equatable {
    /// Channels of the noise.
    public var noiseChannels = 64
    public var channels = 32
    /// One per convolution of a block.
    public var dilations = [1, 3, 9, 27]
    /// How much each block lengthens the signal; together the samples of a mel frame.
    public var strides = [8, 8, 4]
    /// Slope of the leaky ReLUs, those of the kernel predictors included.
    public var slope = 0.2
    public var predictorTaps = 3
    public var predictorChannels = 64
    /// Bands of the mel.
    public var melBands = 100

    public init() {}

    /// Samples per mel frame.
    public var samplesPerFrame: Int { strides.reduce(1, *) }
}

extension UnivNetConfig: ConfigurationSection {
    static func describe(_ keys: inout ConfigurationKeys<UnivNetConfig>) {
        keys.key("noise_dim", \.noiseChannels, .within(1...4_096))
        keys.key("channel_size", \.channels, .within(1...4_096))
        keys.key("dilations", \.dilations, .positiveList)
        keys.key("strides", \.strides, .positiveList)
        keys.key("lReLU_slope", \.slope, .within(0...1))
        keys.key("kpnet_conv_size", \.predictorTaps, .oddTaps)
        keys.key("kpnet_hidden_channels", \.predictorChannels, .within(1...4_096))
        keys.key("n_mel_channels", \.melBands, .within(1...4_096))
        // It follows from the strides.
        keys.vestigial("hop_length")
    }
}

extension ConfigurationRule where Value == [Int] {
    /// Sizes, of which there is at least one.
    static var positiveList: Self {
        .init(expected: "a list of numbers from 1 to 4096") { !$0.isEmpty && $0.allSatisfy((1...4_096).contains) }
    }
}

extension ConfigurationRule where Value == Int {
    /// Taps of a convolution that keeps the length.
    static var oddTaps: Self { .init(expected: "an odd number from 1 to 31") { (1...31).contains($0) && $0 % 2 == 1 } }
}
