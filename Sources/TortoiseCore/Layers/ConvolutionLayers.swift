/// Convolution over time. Keys: `weight` [outputs, inputs / groups, taps], `bias` [outputs].
public final class Conv1d {
    public let weight: ConvolutionWeight
    public let bias: Parameter?
    public let stride, dilation, padding, groups: Int

    /// - Parameter padding: Zeros on both sides; nil keeps the length for odd kernels and stride 1.
    public init(
        _ inputs: Int, _ outputs: Int, taps: Int, stride: Int = 1, dilation: Int = 1, padding: Int? = nil,
        groups: Int = 1,
        bias hasBias: Bool = true, weightNorm: Bool = false, initializer: Initializer? = nil, at scope: ParameterScope
    ) {
        precondition(
            groups > 0 && inputs % groups == 0 && outputs % groups == 0,
            "conv1d: \(groups) groups do not divide \(inputs) inputs and \(outputs) outputs")
        let fan = inputs / groups * taps
        weight = ConvolutionWeight(
            [outputs, inputs / groups, taps], isNormed: weightNorm, initializer ?? .fanIn(fan), at: scope)
        bias = hasBias ? scope.parameter("bias", [outputs], .fanIn(fan)) : nil
        (self.stride, self.dilation, self.groups) = (stride, dilation, groups)
        self.padding = padding ?? dilation * (taps - 1) / 2
    }

    /// Shape: [batch, inputs, time] → [batch, outputs, time']
    public func callAsFunction(_ x: Tensor) -> Tensor {
        conv1d(
            x, weight: weight.value, bias: bias?.value, stride: stride, dilation: dilation, padding: padding,
            groups: groups)
    }
}

/// Transposed convolution over time. Keys: `weight` [inputs, outputs / groups, taps], `bias` [outputs].
public final class ConvTranspose1d {
    public let weight: ConvolutionWeight
    public let bias: Parameter?
    public let stride, dilation, padding, outputPadding, groups: Int

    public init(
        _ inputs: Int, _ outputs: Int, taps: Int, stride: Int = 1, dilation: Int = 1, padding: Int = 0,
        outputPadding: Int = 0, groups: Int = 1, bias hasBias: Bool = true, weightNorm: Bool = false,
        initializer: Initializer? = nil, at scope: ParameterScope
    ) {
        precondition(
            groups > 0 && inputs % groups == 0 && outputs % groups == 0,
            "convTranspose1d: \(groups) groups do not divide \(inputs) inputs and \(outputs) outputs")
        let fan = outputs / groups * taps
        weight = ConvolutionWeight(
            [inputs, outputs / groups, taps], isNormed: weightNorm, initializer ?? .fanIn(fan), at: scope)
        bias = hasBias ? scope.parameter("bias", [outputs], .fanIn(fan)) : nil
        (self.stride, self.dilation, self.padding) = (stride, dilation, padding)
        (self.outputPadding, self.groups) = (outputPadding, groups)
    }

    /// Shape: [batch, inputs, time] → [batch, outputs, time']
    public func callAsFunction(_ x: Tensor) -> Tensor {
        convTranspose1d(
            x, weight: weight.value, bias: bias?.value, stride: stride, dilation: dilation, padding: padding,
            outputPadding: outputPadding, groups: groups)
    }
}

/// The weight of a convolution: plain, or kept as direction and length while it is trained.
///
/// Keys: `weight`; or `weight_g` and `weight_v` when normed. A `KeyMap` with `foldWeightNorm` makes files of the second
/// kind fit the first, which is what inference uses.
public final class ConvolutionWeight {
    private enum Form {
        case plain(Parameter)
        case normed(length: Parameter, direction: Parameter)
    }

    private let form: Form

    init(_ shape: [Int], isNormed: Bool, _ initializer: Initializer, at scope: ParameterScope) {
        guard isNormed else {
            form = .plain(scope.parameter("weight", shape, initializer))
            return
        }
        // As in PyTorch the length starts as that of the direction, so that norming changes nothing at first.
        let direction = scope.parameter("weight_v", shape, initializer)
        let others = Array(1..<shape.count)
        let length = direction.value.squared.sum(others, keepingAxes: true).sqrt
        form = .normed(
            length: scope.parameter("weight_g", length.shape, .values(length.values)), direction: direction)
    }

    /// The weight that is convolved with.
    public var value: Tensor {
        switch form {
        case .plain(let weight): weight.value
        case .normed(let length, let direction): weightNorm(direction: direction.value, length: length.value)
        }
    }
}
