/// Judges a waveform by samples that lie a period apart (Kong et al., "HiFi-GAN", 2020).
///
/// Keys: `convs.N`, `conv_post`, with weights [outputs, inputs, taps, 1].
final class PeriodDiscriminator: WaveformDiscriminator {
    private let layers: [PlaneConvolution]
    private let last: PlaneConvolution
    private let period: Int

    static let slope: Float = 0.1
    private static let taps = 5
    private static let stride = 3

    init(_ config: DiscriminatorConfig, period: Int, at scope: ParameterScope) {
        self.period = period
        let channels = [1] + config.periodChannels.map(config.channels)
        layers = config.periodChannels.indices.map { index in
            PlaneConvolution(
                channels[index], channels[index + 1], taps: (Self.taps, 1),
                stride: index == config.periodChannels.count - 1 ? 1 : Self.stride, at: scope["convs"][index])
        }
        last = PlaneConvolution(channels[channels.count - 1], 1, taps: (3, 1), stride: 1, at: scope["conv_post"])
    }

    func callAsFunction(_ waveform: Tensor) -> Judgement {
        let whole = waveform.padded(before: 0, after: (period - waveform.size(2) % period) % period, mode: .reflect)
        let (batch, rows) = (whole.size(0), whole.size(2) / period)
        // Each column is a signal of its own.
        let columns = whole.reshaped(batch, rows, period).transposed(1, 2).contiguous.reshaped(batch * period, 1, rows)
        return judged(columns, layers.map { layer in { layer.alongFirstAxis($0) } }, last: last.alongFirstAxis)
    }
}

/// Judges a waveform by its magnitude spectrogram (Jang et al., "UnivNet", 2021), under a Hann window.
///
/// Keys: `convs.N`, `conv_post`, with weights [outputs, inputs, taps over frequency, taps over time].
final class SpectrogramDiscriminator: WaveformDiscriminator {
    private let layers: [PlaneConvolution]
    private let last: PlaneConvolution
    private let frame, hop, window: Int

    private static let wideLayers = 3

    init(_ config: DiscriminatorConfig, resolution: [Int], at scope: ParameterScope) {
        (frame, hop, window) = (resolution[0], resolution[1], resolution[2])
        let channels = config.channels(config.spectrogramChannels)
        layers = (0...Self.wideLayers + 1).map { index in
            PlaneConvolution(
                index == 0 ? 1 : channels, channels, taps: index <= Self.wideLayers ? (3, 9) : (3, 3),
                stride: (1...Self.wideLayers).contains(index) ? 2 : 1, at: scope["convs"][index])
        }
        last = PlaneConvolution(channels, 1, taps: (3, 3), stride: 1, at: scope["conv_post"])
    }

    func callAsFunction(_ waveform: Tensor) -> Judgement {
        let around = (frame - hop) / 2
        let signal = waveform.squeezed(1).padded(before: around, after: around, mode: .reflect)
        let spectrogram = stftMagnitude(signal, fftSize: frame, hop: hop, windowLength: window, padding: nil)
        return judged(
            spectrogram.unsqueezed(1), layers.map { layer in { layer.overPlane($0) } }, last: last.overPlane)
    }
}

/// Runs layers with a leaky ReLU after each but the last.
private func judged(_ x: Tensor, _ layers: [(Tensor) -> Tensor], last: (Tensor) -> Tensor) -> Judgement {
    var features: [Tensor] = []
    var x = x
    for layer in layers {
        x = layer(x).leakyReLU(slope: PeriodDiscriminator.slope)
        features.append(x)
    }
    let scores = last(x)
    return Judgement(scores: scores, features: features + [scores])
}
