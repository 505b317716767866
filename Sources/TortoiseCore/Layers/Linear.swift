/// The affine map y = x Wᵀ + b.
///
/// Keys: `weight` [outputs, inputs], `bias` [outputs].
public final class Linear {
    public let weight: Parameter
    public let bias: Parameter?
    /// Low-rank changes of the weight, while any are attached.
    public var adapters: [LowRankAdapter] = []

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
    public func callAsFunction(_ x: Tensor, _ run: RunContext = .inference) -> Tensor {
        let y = weight.multiply(x, bias: bias?.value)
        return adapters.enumerated().reduce(y) { $0 + $1.element(x, run["adapter"][$1.offset]) }
    }

    /// The weight with all adapters added, [outputs, inputs].
    var mergedWeight: Tensor { adapters.reduce(weight.unpacked.detached) { $0 + $1.weightChange } }
}

/// A low-rank change of a weight matrix: ΔWᵀ = scale · B A (Hu et al., "LoRA", 2021), in the reference's orientation, which is
/// that of GPT-2's matrices, [inputs, outputs].
///
/// Keys: `lora_A` [rank, outputs], `lora_B` [inputs, rank]; B starts at zero, so that a fresh adapter changes nothing.
public final class LowRankAdapter {
    public let a: Parameter
    public let b: Parameter
    /// alpha / rank
    public let scale: Float
    /// Of the elements of A, while training.
    public let dropout: Float

    public init(_ inputs: Int, _ outputs: Int, rank: Int, alpha: Float, dropout: Float = 0, at scope: ParameterScope) {
        a = scope.parameter("lora_A", [rank, outputs], .fanIn(outputs))
        b = scope.parameter("lora_B", [inputs, rank], .zeros)
        scale = alpha / Float(rank)
        self.dropout = dropout
    }

    /// The change of the output. Shape: [..., inputs] → [..., outputs]
    public func callAsFunction(_ x: Tensor, _ run: RunContext = .inference) -> Tensor {
        let flat = x.reshaped(-1, x.size(-1))
        let change = flat.matmul(b.value).matmul(run.dropout(a.value, dropout)) * scale
        return change.reshaped(x.shape.dropLast() + [a.shape[1]])
    }

    /// The change of the weight, [outputs, inputs]: what is added when an adapter is merged.
    public var weightChange: Tensor { (b.value.detached.matmul(a.value.detached) * scale).transposed() }
}
