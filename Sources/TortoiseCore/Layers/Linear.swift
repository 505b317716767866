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

/// A low-rank change of a weight matrix: ΔW = scale · A B (Hu et al., "LoRA", 2021).
///
/// Both matrices are kept as linear layers keep theirs, so that few rows are multiplied by the same kernels and a row's bits
/// do not depend on the others. The reference's files have them in GPT-2's orientation, that is, transposed.
/// Keys: `lora_A` [outputs, rank], `lora_B` [rank, inputs]; B starts at zero, so that a fresh adapter changes nothing.
public final class LowRankAdapter {
    public let a: Parameter
    public let b: Parameter
    /// alpha / rank, times the strength that was asked for.
    public let scale: Float
    /// Of the elements of A, while training.
    public let dropout: Float

    public init(_ inputs: Int, _ outputs: Int, rank: Int, scale: Float, dropout: Float = 0, at scope: ParameterScope) {
        a = scope.matrix("lora_A", outputs, rank, .fanIn(outputs))
        b = scope.matrix("lora_B", rank, inputs, .zeros)
        self.scale = scale
        self.dropout = dropout
    }

    /// The change of the output. Shape: [..., inputs] → [..., outputs]
    public func callAsFunction(_ x: Tensor, _ run: RunContext = .inference) -> Tensor {
        let inner = b.multiply(x)
        guard run.isTraining, dropout > 0 else { return a.multiply(inner) * scale }
        return linear(inner, weight: run.dropout(a.value, dropout)) * scale
    }

    /// The change of the weight, [outputs, inputs]: what is added when an adapter is merged.
    public var weightChange: Tensor { a.unpacked.detached.matmul(b.unpacked.detached) * scale }
}
