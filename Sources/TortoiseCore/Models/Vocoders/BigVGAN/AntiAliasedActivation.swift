/// A snake activation at twice the rate, so that the overtones that it makes do not fold back.
///
/// Source: `Activation1d` of NVIDIA/BigVGAN with `Snake` or `SnakeBeta`. Keys: `act.alpha`, `act.beta`. The low-pass filters that
/// published files also hold are constants here.
final class AntiAliasedActivation {
    private let alpha: Parameter
    private let beta: Parameter?
    private let usesLogScale: Bool
    private let upFilter, downFilter: Tensor

    /// Added to α or β before dividing.
    private static let epsilon: Float = 1e-9

    init(_ config: BigVGANConfig, _ channels: Int, at scope: ParameterScope) {
        let first: Initializer = config.usesLogScale ? .zeros : .ones
        let scope = scope["act"]
        usesLogScale = config.usesLogScale
        alpha = scope.parameter("alpha", [channels], first)
        beta = config.activation == .snakeBeta ? scope.parameter("beta", [channels], first) : nil
        downFilter = Tensor(LowPassFilter.taps, shape: [1, 1, LowPassFilter.taps.count])
        // Every second sample of the longer signal is new; the factor keeps the loudness.
        upFilter = downFilter * 2
    }

    /// Shape: [batch, channels, time] → the same
    func callAsFunction(_ x: Tensor) -> Tensor {
        let count = LowPassFilter.taps.count
        let half = count / 2
        let shape = x.shape
        // All channels have the same filter, so they stand as rows of a batch of one channel.
        let rows = x.reshaped(shape[0] * shape[1], 1, shape[2])
        let doubled = convTranspose1d(
            rows.padded(before: half - 1, after: half - 1, mode: .replicate), weight: upFilter, stride: 2,
            padding: 3 * (half - 1))
        let activated = activate(doubled.reshaped(shape[0], shape[1], 2 * shape[2]))
        let smooth = activated.reshaped(shape[0] * shape[1], 1, 2 * shape[2])
        return conv1d(
            smooth.padded(before: half - 1, after: half, mode: .replicate), weight: downFilter, stride: 2
        ).reshaped(shape)
    }

    private func activate(_ x: Tensor) -> Tensor {
        let frequency = usesLogScale ? alpha.value.exp : alpha.value
        guard let beta else { return snake(x, alpha: frequency, epsilon: Self.epsilon) }
        let size = usesLogScale ? beta.value.exp : beta.value
        return snakeBeta(x, alpha: frequency, inverseBeta: (size + Self.epsilon).reciprocal)
    }
}

/// The filter of the anti-aliased activations: twelve taps of a sinc under a Kaiser window, cut off at half of the original rate.
enum LowPassFilter {
    /// Half of the taps; the other half mirrors them. Cutoff 0.25, transition width 0.3 of the doubled rate, sum 1.
    private static let half: [Float] = [
        0.00202896469, 0.00938946567, -0.0255434588, -0.0576573834, 0.128572583, 0.443209797,
    ]

    static let taps = half + half.reversed()
}
