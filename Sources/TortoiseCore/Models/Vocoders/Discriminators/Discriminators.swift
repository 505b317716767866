/// The discriminators that a vocoder is trained against: of several periods, and of spectrograms at several resolutions.
///
/// Source: `MultiPeriodDiscriminator` and `MultiResolutionDiscriminator` of NVIDIA/BigVGAN; the spectrograms are under a Hann
/// window here, and under none there. Keys: `mpd.discriminators.N`, `mrd.discriminators.N`.
public final class VocoderDiscriminators {
    public let config: DiscriminatorConfig
    private let parts: [any WaveformDiscriminator]

    public init(_ config: DiscriminatorConfig, at scope: ParameterScope) {
        self.config = config
        let periods = config.periods.enumerated().map { index, period in
            PeriodDiscriminator(config, period: period, at: scope["mpd"]["discriminators"][index])
        }
        let spectrograms = config.resolutions.enumerated().map { index, resolution in
            SpectrogramDiscriminator(config, resolution: resolution, at: scope["mrd"]["discriminators"][index])
        }
        parts = periods + spectrograms
    }

    public static let keyMap = KeyMap.trainableVocoder

    /// What every discriminator says, periods first.
    ///
    /// Shape: [batch, 1, samples]
    /// - Precondition: the waveform is longer than half a frame of the longest spectrogram and than the longest period.
    public func callAsFunction(_ waveform: Tensor) -> [Judgement] {
        precondition(waveform.rank == 3 && waveform.size(1) == 1, "discriminators: waveform \(waveform.shape)")
        return parts.map { $0(waveform) }
    }
}

/// What discriminators and the generator make of judgements: least squares (Mao et al., 2017) and the distance of features
/// (Kong et al., 2020). All sum over the discriminators.
public enum AdversarialLoss {
    /// Small when real waveforms score 1 and generated ones 0.
    public static func discriminators(real: [Judgement], generated: [Judgement]) -> Tensor {
        total(zip(real, generated).map { (1 - $0.scores).squared.mean + $1.scores.squared.mean })
    }

    /// Small when generated waveforms score 1.
    public static func generator(_ generated: [Judgement]) -> Tensor {
        total(generated.map { (1 - $0.scores).squared.mean })
    }

    /// Small when generated waveforms sound to every layer like the real ones: twice the mean differences.
    public static func features(real: [Judgement], generated: [Judgement]) -> Tensor {
        total(zip(real, generated).flatMap { zip($0.features, $1.features).map { l1Loss($1, $0.detached) } }) * 2
    }

    private static func total(_ losses: [Tensor]) -> Tensor { losses.dropFirst().reduce(losses[0]) { $0 + $1 } }
}
