/// A block of ConvNeXt over time: every channel is filtered on its own, then channels are mixed at each step.
///
/// Port of `ConvNeXtBlock` (gemelo-ai/vocos: vocos/modules.py; Liu et al., "A ConvNet for the 2020s", 2022).
/// Keys: `dwconv`, `norm`, `pwconv1`, `pwconv2`, `gamma`.
final class ConvNeXtBlock {
    private let depthwise: Conv1d
    private let norm: LayerNorm
    private let widen, narrow: Linear
    private let scale: Parameter

    static let epsilon: Float = 1e-6
    static let weights = Initializer.normal(standardDeviation: 0.02)

    init(_ config: VocosConfig, at scope: ParameterScope) {
        let width = config.width
        depthwise = Conv1d(
            width, width, taps: 7, groups: width, initializer: Self.weights, at: scope["dwconv"])
        norm = LayerNorm(width, epsilon: Self.epsilon, at: scope["norm"])
        widen = Linear(
            width, config.innerWidth, initializer: Self.weights, biasInitializer: .zeros, at: scope["pwconv1"])
        narrow = Linear(
            config.innerWidth, width, initializer: Self.weights, biasInitializer: .zeros, at: scope["pwconv2"])
        scale = scope.parameter("gamma", [width], .constant(1 / Float(config.layers)))
    }

    /// Shape: [batch, width, time] → the same
    func callAsFunction(_ x: Tensor) -> Tensor {
        let mixed = narrow(widen(norm(depthwise(x).transposed(1, 2).contiguous)).gelu) * scale.value
        return x + mixed.transposed(1, 2)
    }
}
