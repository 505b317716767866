/// Layer norm with a weight and a bias per feature. Keys: `weight`, `bias`.
public final class LayerNorm {
    public let weight: Parameter
    public let bias: Parameter
    public let epsilon: Float

    public init(_ width: Int, epsilon: Float = 1e-5, at scope: ParameterScope) {
        weight = scope.parameter("weight", [width], .ones)
        bias = scope.parameter("bias", [width], .zeros)
        self.epsilon = epsilon
    }

    /// Shape: [..., width] → the same
    public func callAsFunction(_ x: Tensor) -> Tensor {
        layerNorm(x, weight: weight.value, bias: bias.value, epsilon: epsilon)
    }
}

/// Root-mean-square norm with one gain. Key: the name it is given.
public final class RMSNorm {
    public let gain: Parameter
    public let epsilon: Float

    public init(_ width: Int, key: String = "weight", epsilon: Float = 1e-8, at scope: ParameterScope) {
        gain = scope.parameter(key, [width], .ones)
        self.epsilon = epsilon
    }

    /// Shape: [..., width] → the same
    public func callAsFunction(_ x: Tensor) -> Tensor { rmsNorm(x, weight: gain.value, epsilon: epsilon) }
}

/// Group norm over channels and time. Keys: `weight`, `bias`.
public final class GroupNorm {
    public let weight: Parameter
    public let bias: Parameter
    public let groups: Int
    public let epsilon: Float

    public init(groups: Int, _ channels: Int, epsilon: Float = 1e-5, at scope: ParameterScope) {
        weight = scope.parameter("weight", [channels], .ones)
        bias = scope.parameter("bias", [channels], .zeros)
        self.groups = groups
        self.epsilon = epsilon
    }

    /// Shape: [batch, channels, ...] → the same
    ///
    /// - Parameter silu: Whether SiLU follows, in the same pass.
    public func callAsFunction(_ x: Tensor, silu: Bool = false) -> Tensor {
        groupNorm(x, groups: groups, weight: weight.value, bias: bias.value, epsilon: epsilon, silu: silu)
    }
}
