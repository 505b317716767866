// UnivNet's convolution with weights that a network predicts for every frame.

/// A convolution whose weights change from frame to frame (Zeng et al., "LVCNet: Efficient condition-dependent modeling
/// network for waveform generation", 2021): step t uses the kernel of frame t / hop, and neighbours across a frame's
/// border are the true neighbours.
///
/// - Parameters:
///   - x: [batch, inputs, frames · hop], padded with zeros at both ends of the whole signal only.
///   - kernels: [batch, inputs, outputs, taps, frames]
///   - bias: [batch, outputs, frames]
///   - hop: Steps of a frame.
/// - Returns: [batch, outputs, frames · hop]
/// - Precondition: the shapes fit each other, and the number of taps is odd.
public func locationVariableConvolution(
    _ x: Tensor, kernels: Tensor, bias: Tensor, hop: Int, dilation: Int = 1
) -> Tensor {
    let fits =
        x.rank == 3 && kernels.rank == 5 && bias.rank == 3 && hop > 0 && dilation > 0 && kernels.size(3) % 2 == 1
        && kernels.size(0) == x.size(0) && kernels.size(1) == x.size(1) && x.size(2) == kernels.size(4) * hop
        && bias.shape == [x.size(0), kernels.size(2), kernels.size(4)]
    precondition(
        fits,
        "location-variable convolution: input \(x.shape), kernels \(kernels.shape), bias \(bias.shape), hop \(hop), "
            + "dilation \(dilation)")
    let shape = LocationVariableShape(
        batch: x.size(0), inputs: x.size(1), outputs: kernels.size(2), taps: kernels.size(3), frames: kernels.size(4),
        hop: hop, dilation: dilation)
    let (input, weights) = (x.contiguousValues, kernels.contiguousValues)
    let result = Tensor(uninitialized: [shape.batch, shape.outputs, shape.length])
    withFloats(result, input, weights, bias.contiguousValues) {
        Kernel.convolveByFrames($0, $1, kernels: $2, bias: $3, shape)
    }
    return result.recorded("locationVariableConvolution", from: x, kernels, bias) { gradient in
        let dy = gradient.contiguousValues
        var dx: Tensor?
        if x.isTracked {
            let sum = Tensor.zeros(input.shape)
            withFloats(sum, dy, weights) { Kernel.convolveByFramesInputGradient($0, dy: $1, kernels: $2, shape) }
            dx = sum
        }
        var dKernels: Tensor?
        if kernels.isTracked {
            let sum = Tensor(uninitialized: weights.shape)
            withFloats(sum, dy, input) { Kernel.convolveByFramesWeightGradient($0, dy: $1, x: $2, shape) }
            dKernels = sum
        }
        let perFrame = dy.reshaped(shape.batch, shape.outputs, shape.frames, hop)
        return [dx, dKernels, bias.isTracked ? perFrame.sum(3) : nil]
    }
}
