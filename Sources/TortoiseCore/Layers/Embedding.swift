/// A vector per index. Key: `weight` [entries, width].
public final class Embedding {
    public let weight: Parameter

    public init(_ entries: Int, _ width: Int, standardDeviation: Float = 1, at scope: ParameterScope) {
        weight = scope.parameter("weight", [entries, width], .normal(standardDeviation: standardDeviation))
    }

    /// Shape: int32 [...] → [..., width]
    public func callAsFunction(_ indices: Tensor) -> Tensor { embedding(weight.value, indices) }
}
