/// The affine map y = x Wᵀ + b.
///
/// Keys: `weight` [outputs, inputs], `bias` [outputs].
public final class Linear {
    public let weight: Parameter
    public let bias: Parameter?
    /// A low-rank change of the weight, while one is attached.
    public var adapter: LowRankAdapter?

    public var inputs: Int { weight.shape[1] }
    public var outputs: Int { weight.shape[0] }

    /// - Parameter initializer: Of the weight; PyTorch's default unless given.
    public init(
        _ inputs: Int, _ outputs: Int, bias hasBias: Bool = true, initializer: Initializer? = nil,
        biasInitializer: Initializer? = nil, at scope: ParameterScope
    ) {
        weight = scope.matrix("weight", outputs, inputs, initializer ?? .fanIn(inputs))
        bias = hasBias ? scope.parameter("bias", [outputs], biasInitializer ?? .fanIn(inputs)) : nil
    }

    /// Shape: [..., inputs] → [..., outputs]
    public func callAsFunction(_ x: Tensor) -> Tensor {
        let y = weight.multiply(x, bias: bias?.value)
        guard let adapter else { return y }
        return y + adapter(x)
    }
}

/// A low-rank change of a weight matrix: ΔW = scale B A (Hu et al., "LoRA", 2021).
public final class LowRankAdapter {
    /// [rank, inputs]
    public let a: Parameter
    /// [outputs, rank]; starts at zero, so that a fresh adapter changes nothing.
    public let b: Parameter
    /// alpha / rank
    public let scale: Float

    public init(_ inputs: Int, _ outputs: Int, rank: Int, alpha: Float, keys: (a: String, b: String), at scope: ParameterScope) {
        a = scope.parameter(keys.a, [rank, inputs], .fanIn(inputs))
        b = scope.parameter(keys.b, [outputs, rank], .zeros)
        scale = alpha / Float(rank)
    }

    /// The change of the output. Shape: [..., inputs] → [..., outputs]
    public func callAsFunction(_ x: Tensor) -> Tensor { b.multiply(a.multiply(x)) * scale }

    /// The change of the weight, [outputs, inputs]: what is added when an adapter is merged.
    public var weightChange: Tensor { b.value.matmul(a.value) * scale }
}
