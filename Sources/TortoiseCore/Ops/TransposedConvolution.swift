// Transposed convolution over time.

/// A one-dimensional transposed convolution: the map that carries a strided convolution's gradient back to its input.
///
/// - Parameters:
///   - x: [batch, input channels, time]
///   - weight: [input channels, output channels / groups, taps]
///   - bias: [output channels] or none.
///   - padding: Steps cut off on both sides of the full result.
///   - outputPadding: Steps added back at the end; less than the stride or the dilation.
/// - Returns: [batch, output channels, (time − 1) stride − 2 padding + dilation (taps − 1) + outputPadding + 1]
/// - Precondition: the shapes fit each other, and the result has at least one step.
public func convTranspose1d(
    _ x: Tensor, weight: Tensor, bias: Tensor? = nil, stride: Int = 1, dilation: Int = 1, padding: Int = 0,
    outputPadding: Int = 0, groups: Int = 1
) -> Tensor {
    let valid =
        x.rank == 3 && weight.rank == 3 && groups > 0 && stride > 0 && dilation > 0 && padding >= 0
        && weight.size(2) > 0 && x.size(1) == weight.size(0) && weight.size(0) % groups == 0
        && (bias.map { $0.shape == [weight.size(1) * groups] } ?? true)
        && outputPadding >= 0 && outputPadding < max(stride, dilation) && x.size(2) > 0
    precondition(
        valid,
        "convTranspose1d: input \(x.shape), weight \(weight.shape), bias \(bias?.shape ?? []), groups \(groups), "
            + "stride \(stride), dilation \(dilation), padding \(padding), output padding \(outputPadding)")
    let length = (x.size(2) - 1) * stride - 2 * padding + dilation * (weight.size(2) - 1) + outputPadding + 1
    precondition(length > 0, "convTranspose1d: padding \(padding) leaves nothing of input \(x.shape)")
    let shape = ConvolutionShape(
        batch: x.size(0), groups: groups, coarseChannels: weight.size(0) / groups, fineChannels: weight.size(1),
        coarseLength: x.size(2), fineLength: length, taps: weight.size(2), stride: stride, dilation: dilation,
        padding: padding)
    let (input, kernel) = (x.contiguousValues, weight.contiguousValues)
    let result = shape.convolveTransposed(input, kernel, bias?.contiguousValues)
    return result.recorded("convTranspose1d", from: [x, weight] + [bias].compactMap { $0 }) { gradient in
        let dy = gradient.contiguousValues
        let dx = x.isTracked ? shape.convolve(dy, kernel, nil) : nil
        let dWeight = weight.isTracked ? shape.weightGradient(coarse: input, fine: dy) : nil
        guard let bias else { return [dx, dWeight] }
        return [dx, dWeight, bias.isTracked ? dy.sum([0, 2]) : nil]
    }
}
