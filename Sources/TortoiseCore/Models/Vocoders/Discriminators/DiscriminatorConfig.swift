/// The sizes of the discriminators that a vocoder is trained against; the defaults are BigVGAN's.
///
/// Keys: those of BigVGAN's JSON, and the widths, which are constants there.
public struct DiscriminatorConfig: Sendable, Equatable {
    /// How many samples apart the columns are that each period discriminator sees.
    public var periods = [2, 3, 5, 7, 11]
    /// Frame, hop and window of each spectrogram, in samples.
    public var resolutions = [[1_024, 120, 600], [2_048, 240, 1_200], [512, 50, 240]]
    /// Channels of the convolutions of a period discriminator.
    public var periodChannels = [32, 128, 512, 1_024, 1_024]
    /// Channels of the convolutions of a spectrogram discriminator.
    public var spectrogramChannels = 32
    /// Multiplies all channels.
    public var channelMultiplier = 1.0

    public init() {}

    func channels(_ count: Int) -> Int { max(1, Int(Double(count) * channelMultiplier)) }
}

extension DiscriminatorConfig: ConfigurationSection {
    static func describe(_ keys: inout ConfigurationKeys<DiscriminatorConfig>) {
        keys.key("mpd_reshapes", \.periods, .positiveList)
        keys.key(
            "resolutions", \.resolutions,
            .init(expected: "lists of frame, hop and window with hop ≤ window ≤ frame") {
                !$0.isEmpty
                    && $0.allSatisfy {
                        $0.count == 3 && $0[1] > 0 && $0[1] <= $0[2] && $0[2] <= $0[0] && $0[0] <= 65_536
                    }
            })
        keys.key("mpd_channels", \.periodChannels, .positiveList)
        keys.key("mrd_channels", \.spectrogramChannels, .within(1...4_096))
        keys.key("discriminator_channel_mult", \.channelMultiplier, .above(0))
        keys.vestigial("use_spectral_norm")
    }
}

/// What a discriminator says about waveforms.
public struct Judgement {
    /// How real each part sounds: towards 1 for real ones, towards 0 for generated ones.
    public let scores: Tensor
    /// What every layer heard, the scores last. Only their differences from those of other waveforms mean something.
    public let features: [Tensor]
}

/// A part of the discriminators: judges waveforms [batch, 1, samples].
protocol WaveformDiscriminator {
    func callAsFunction(_ waveform: Tensor) -> Judgement
}
