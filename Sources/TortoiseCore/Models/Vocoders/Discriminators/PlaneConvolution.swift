/// A weight-normed two-dimensional convolution with a stride along one axis, by convolutions along that axis.
///
/// Keys: `weight_g`, `weight_v` [outputs, inputs, first taps, second taps], `bias`.
final class PlaneConvolution {
    private let weight: ConvolutionWeight
    private let bias: Parameter
    private let taps: (Int, Int)
    private let inputs, outputs, stride: Int

    init(_ inputs: Int, _ outputs: Int, taps: (Int, Int), stride: Int, at scope: ParameterScope) {
        (self.inputs, self.outputs, self.taps, self.stride) = (inputs, outputs, taps, stride)
        let fan = inputs * taps.0 * taps.1
        weight = ConvolutionWeight([outputs, inputs, taps.0, taps.1], isNormed: true, .fanIn(fan), at: scope)
        bias = scope.parameter("bias", [outputs], .fanIn(fan))
    }

    /// For a single second tap: a convolution of columns that stand in the batch.
    ///
    /// Shape: [columns, inputs, rows] → [columns, outputs, rows']
    func alongFirstAxis(_ x: Tensor) -> Tensor {
        conv1d(
            x, weight: weight.value.reshaped(outputs, inputs, taps.0), bias: bias.value, stride: stride,
            padding: taps.0 / 2)
    }

    /// Over rows and time, with the stride along time: neighbouring rows become channels.
    ///
    /// Shape: [batch, inputs, rows, time] → [batch, outputs, rows, time']
    func overPlane(_ x: Tensor) -> Tensor {
        let (batch, rows) = (x.size(0), x.size(2))
        let padded = x.padded(axis: 2, before: taps.0 / 2, after: taps.0 / 2)
        let neighbours = concatenated((0..<taps.0).map { padded.sliced(2, $0..<$0 + rows) }, axis: 1)
        let signals = neighbours.transposed(1, 2).contiguous.reshaped(batch * rows, taps.0 * inputs, x.size(3))
        let kernel = weight.value.transposed(1, 2).contiguous.reshaped(outputs, taps.0 * inputs, taps.1)
        let result = conv1d(signals, weight: kernel, bias: bias.value, stride: stride, padding: taps.1 / 2)
        return result.reshaped(batch, rows, outputs, result.size(2)).transposed(1, 2)
    }
}
