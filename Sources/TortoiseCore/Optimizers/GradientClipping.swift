/// The size of all gradients together, and what to multiply them by.
public struct GradientNorm: Equatable, Sendable {
    /// The L2 norm over all parameters before clipping; NaN or infinite when some gradient is.
    public let value: Double
    /// What brings the norm down to the limit, for `Optimizer.step(_:gradientScale:)`.
    public let scale: Float
    /// The parameters whose gradients hold NaN or infinity; no step should be made then.
    public let nonFinite: [String]

    /// Whether a step can be made.
    public var isFinite: Bool { nonFinite.isEmpty && value.isFinite }
}

extension Gradients {
    /// Measures the gradients of some parameters for clipping by global norm (Pascanu, Mikolov and Bengio, 2013).
    ///
    /// The sum of squares is taken in double precision over fixed blocks, so that it does not depend on the number of
    /// threads. Nothing is changed: the factor joins the optimizer's pass over the gradients.
    ///
    /// - Parameters:
    ///   - parameters: Whose gradients count; those without one are passed over.
    ///   - maximum: The largest norm; 0 clips nothing. Above it the factor is maximum / (norm + 10⁻⁶), PyTorch's.
    ///   - scale: A factor that the gradients still lack, such as the inverse of a loss scale; it is part of the norm
    ///     and of the resulting factor.
    public func norm(of parameters: [Parameter], clippingAt maximum: Double = 0, scale: Float = 1) -> GradientNorm {
        var sum = 0.0
        var nonFinite: [String] = []
        for parameter in parameters {
            guard let gradient = dense(of: parameter) else { continue }
            let squares = withFloats(gradient) { Kernel.sumOfSquares($0, count: gradient.count) }
            if !squares.isFinite { nonFinite.append(parameter.name) }
            sum += squares
        }
        let norm = sum.squareRoot() * Double(abs(scale))
        let isClipped = maximum > 0 && norm.isFinite
        let factor = isClipped ? min(1, maximum / (norm + 1e-6)) : 1
        return GradientNorm(value: norm, scale: Float(factor * Double(scale)), nonFinite: nonFinite)
    }
}
