// Convolution over time.

/// A one-dimensional convolution (cross-correlation, as everywhere in deep learning).
///
/// A two-dimensional one with a kernel of (taps, 1), such as a period discriminator's, is this on [batch · width,
/// channels, height].
///
/// - Parameters:
///   - x: [batch, input channels, time]
///   - weight: [output channels, input channels / groups, taps]
///   - bias: [output channels] or none.
///   - padding: Zeros on both sides.
/// - Returns: [batch, output channels, (time + 2 padding − dilation (taps − 1) − 1) / stride + 1]
/// - Precondition: the shapes fit each other, and the padded input is at least as long as the kernel.
public func conv1d(
    _ x: Tensor, weight: Tensor, bias: Tensor? = nil, stride: Int = 1, dilation: Int = 1, padding: Int = 0,
    groups: Int = 1
) -> Tensor {
    let valid =
        x.rank == 3 && weight.rank == 3 && groups > 0 && stride > 0 && dilation > 0 && padding >= 0
        && weight.size(2) > 0 && x.size(1) == weight.size(1) * groups && weight.size(0) % groups == 0
        && (bias.map { $0.shape == [weight.size(0)] } ?? true)
    precondition(
        valid,
        "conv1d: input \(x.shape), weight \(weight.shape), bias \(bias?.shape ?? []), groups \(groups), "
            + "stride \(stride), dilation \(dilation), padding \(padding)")
    let reach = dilation * (weight.size(2) - 1) + 1
    precondition(
        x.size(2) + 2 * padding >= reach,
        "conv1d: input \(x.shape) with padding \(padding) is shorter than the kernel of \(weight.shape)")
    let shape = ConvolutionShape(
        batch: x.size(0), groups: groups, coarseChannels: weight.size(0) / groups, fineChannels: weight.size(1),
        coarseLength: (x.size(2) + 2 * padding - reach) / stride + 1, fineLength: x.size(2), taps: weight.size(2),
        stride: stride, dilation: dilation, padding: padding)
    let (input, kernel) = (x.contiguousValues, weight.contiguousValues)
    let result = shape.convolve(input, kernel, bias?.contiguousValues)
    return result.recorded("conv1d", from: [x, weight] + [bias].compactMap { $0 }) { gradient in
        let dy = gradient.contiguousValues
        let dx = x.isTracked ? shape.convolveTransposed(dy, kernel, nil) : nil
        let dWeight = weight.isTracked ? shape.weightGradient(coarse: dy, fine: input) : nil
        guard let bias else { return [dx, dWeight] }
        return [dx, dWeight, bias.isTracked ? dy.sum([0, 2]) : nil]
    }
}

/// The three maps of a convolution on untracked, dense tensors.
extension ConvolutionShape {
    func convolve(_ fine: Tensor, _ weight: Tensor, _ bias: Tensor?) -> Tensor {
        let result = Tensor(uninitialized: [batch, groups * coarseChannels, coarseLength])
        withFloats(result, fine, weight) { coarse, fine, weight in
            withOptionalFloats(bias) { Kernel.convolve(coarse, fine: fine, weight: weight, bias: $0, self) }
        }
        return result
    }

    func convolveTransposed(_ coarse: Tensor, _ weight: Tensor, _ bias: Tensor?) -> Tensor {
        let result = Tensor(uninitialized: [batch, groups * fineChannels, fineLength])
        withFloats(result, coarse, weight) { fine, coarse, weight in
            withOptionalFloats(bias) { Kernel.convolveTransposed(fine, coarse: coarse, weight: weight, bias: $0, self) }
        }
        return result
    }

    func weightGradient(coarse: Tensor, fine: Tensor) -> Tensor {
        guard batch > 0 else { return Tensor.zeros([groups * coarseChannels, fineChannels, taps]) }
        let result = Tensor(uninitialized: [groups * coarseChannels, fineChannels, taps])
        withFloats(result, coarse, fine) { Kernel.convolutionWeightGradient($0, coarse: $1, fine: $2, self) }
        return result
    }
}
