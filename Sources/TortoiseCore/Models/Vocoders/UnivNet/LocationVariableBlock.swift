/// Predicts, for every mel frame, the kernels and biases of a block's location-variable convolutions.
///
/// Source: `KernelPredictor` of `tortoise/models/vocoder.py`. Keys: `input_conv.0`, `residual_convs.N.1` and `.3`, `kernel_conv`,
/// `bias_conv`.
final class KernelPredictor {
    static let taps = 3
    private static let residuals = 3

    private let input, kernel, bias: Conv1d
    private let residual: [(Conv1d, Conv1d)]
    private let slope: Float
    private let layers, inputs, outputs: Int

    init(_ config: UnivNetConfig, isNormed: Bool, at scope: ParameterScope) {
        let (hidden, taps) = (config.predictorChannels, config.predictorTaps)
        (layers, inputs, outputs) = (config.dilations.count, config.channels, 2 * config.channels)
        slope = Float(config.slope)
        input = Conv1d(config.melBands, hidden, taps: 5, weightNorm: isNormed, at: scope["input_conv"][0])
        residual = (0..<Self.residuals).map { index in
            let scope = scope["residual_convs"][index]
            return (
                Conv1d(hidden, hidden, taps: taps, weightNorm: isNormed, at: scope[1]),
                Conv1d(hidden, hidden, taps: taps, weightNorm: isNormed, at: scope[3])
            )
        }
        kernel = Conv1d(
            hidden, layers * inputs * outputs * Self.taps, taps: taps, weightNorm: isNormed, at: scope["kernel_conv"])
        bias = Conv1d(hidden, layers * outputs, taps: taps, weightNorm: isNormed, at: scope["bias_conv"])
    }

    /// Shape: [batch, bands, frames] → kernels [batch, layers, inputs, outputs, taps, frames], biases [batch, layers, outputs, frames]
    func callAsFunction(_ mel: Tensor) -> (kernels: Tensor, biases: Tensor) {
        let hidden = residual.reduce(input(mel).leakyReLU(slope: slope)) { x, convolutions in
            let first = convolutions.0(x).leakyReLU(slope: slope)
            return x + convolutions.1(first).leakyReLU(slope: slope)
        }
        let (batch, frames) = (mel.size(0), mel.size(2))
        return (
            kernel(hidden).reshaped(batch, layers, inputs, outputs, Self.taps, frames),
            bias(hidden).reshaped(batch, layers, outputs, frames)
        )
    }
}

/// Lengthens the signal and shapes it by convolutions whose kernels the mel decides.
///
/// Source: `LVCBlock` of `tortoise/models/vocoder.py`. Keys: `kernel_predictor`, `convt_pre.1`, `conv_blocks.N.1`.
final class LocationVariableBlock {
    private let predictor: KernelPredictor
    private let lengthen: ConvTranspose1d
    private let dilated: [Conv1d]
    private let slope: Float
    private let channels, hop: Int

    /// - Parameter hop: Samples of a mel frame after this block.
    init(_ config: UnivNetConfig, stride: Int, hop: Int, isNormed: Bool, at scope: ParameterScope) {
        (slope, channels, self.hop) = (Float(config.slope), config.channels, hop)
        predictor = KernelPredictor(config, isNormed: isNormed, at: scope["kernel_predictor"])
        lengthen = ConvTranspose1d(
            config.channels, config.channels, taps: 2 * stride, stride: stride, padding: stride / 2 + stride % 2,
            outputPadding: stride % 2, weightNorm: isNormed, at: scope["convt_pre"][1])
        dilated = config.dilations.enumerated().map { index, dilation in
            Conv1d(
                config.channels, config.channels, taps: KernelPredictor.taps, dilation: dilation, weightNorm: isNormed,
                at: scope["conv_blocks"][index][1])
        }
    }

    /// Shape: [batch, channels, time], mel [batch, bands, frames] → [batch, channels, frames · hop]
    func callAsFunction(_ x: Tensor, mel: Tensor) -> Tensor {
        let (kernels, biases) = predictor(mel)
        return dilated.enumerated().reduce(lengthen(x.leakyReLU(slope: slope))) { x, next in
            let (layer, convolution) = next
            let smooth = convolution(x.leakyReLU(slope: slope)).leakyReLU(slope: slope)
            let shaped = locationVariableConvolution(
                smooth, kernels: kernels.select(1, layer), bias: biases.select(1, layer), hop: hop)
            let halves = shaped.chunks(2, axis: 1)
            return x + halves[0].sigmoid * halves[1].tanh
        }
    }
}
