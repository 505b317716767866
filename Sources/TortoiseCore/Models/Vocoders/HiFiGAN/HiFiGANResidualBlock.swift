/// Dilated convolutions, each behind a leaky ReLU and inside a residual.
///
/// Source: `ResBlock1` and `ResBlock2` of `tortoise/models/hifigan_decoder.py`. Keys: `convs1.N` and `convs2.N`, or `convs.N`.
final class HiFiGANResidualBlock {
    static let slope: Float = 0.1

    /// The second convolution of each is there in paired blocks only.
    private let layers: [(dilated: Conv1d, plain: Conv1d?)]

    init(
        _ kind: VocoderBlock, _ channels: Int, taps: Int, dilations: [Int], isNormed: Bool, at scope: ParameterScope
    ) {
        func convolution(_ dilation: Int, _ key: String, _ index: Int) -> Conv1d {
            Conv1d(channels, channels, taps: taps, dilation: dilation, weightNorm: isNormed, at: scope[key][index])
        }
        switch kind {
        case .paired:
            let first = dilations.enumerated().map { convolution($1, "convs1", $0) }
            layers = first.enumerated().map { ($1, convolution(1, "convs2", $0)) }
        case .single:
            layers = dilations.enumerated().map { (convolution($1, "convs", $0), nil) }
        }
    }

    /// Shape: [batch, channels, time] → the same
    func callAsFunction(_ x: Tensor) -> Tensor {
        layers.reduce(x) { x, layer in
            let dilated = layer.dilated(x.leakyReLU(slope: Self.slope))
            return x + (layer.plain.map { $0(dilated.leakyReLU(slope: Self.slope)) } ?? dilated)
        }
    }
}
