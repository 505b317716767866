/// How a parameter gets its first values when no file has them.
public enum Initializer: Sendable, Equatable {
    case constant(Float)
    /// A normal distribution around 0.
    case normal(standardDeviation: Float)
    /// These values, in row-major order.
    case values([Float])
    /// Evenly spread over [−bound, bound].
    case uniform(bound: Float)

    public static let zeros = Initializer.constant(0)
    public static let ones = Initializer.constant(1)

    /// PyTorch's default for linear and convolution weights and biases: uniform within 1 / √fanIn.
    public static func fanIn(_ inputs: Int) -> Initializer { .uniform(bound: 1 / Float(max(inputs, 1)).squareRoot()) }

    /// Glorot and Bengio (2010): uniform within √(6 / (inputs + outputs)).
    public static func xavier(_ inputs: Int, _ outputs: Int) -> Initializer {
        .uniform(bound: (6 / Float(max(inputs + outputs, 1))).squareRoot())
    }

    /// The values for a shape; the same source gives the same values.
    func values(_ shape: [Int], _ random: RandomSource) -> Tensor {
        switch self {
        case .constant(let value): Tensor.full(shape, value)
        case .values(let values): Tensor(values, shape: shape)
        case .normal(let deviation): Tensor(random.stream.normals(shape.product).map { $0 * deviation }, shape: shape)
        case .uniform(let bound):
            Tensor(random.stream.uniforms(shape.product).map { (2 * $0 - 1) * bound }, shape: shape)
        }
    }
}
