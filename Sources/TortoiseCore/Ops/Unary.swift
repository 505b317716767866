// Element-wise functions of one tensor. `tk_unary` in the C header has the formulas; forward and gradient kernels stand
// side by side in `Sources/CKernels/bodies/elementwise.inc`.

extension Tensor {
    public var exp: Tensor { applying(.exp, "exp") }
    public var log: Tensor { applying(.log, "log") }
    public var sqrt: Tensor { applying(.sqrt, "sqrt") }
    /// 1 / √x
    public var rsqrt: Tensor { applying(.rsqrt, "rsqrt") }
    /// 1 / x
    public var reciprocal: Tensor { applying(.reciprocal, "reciprocal") }
    public var squared: Tensor { applying(.square, "square") }
    public var sin: Tensor { applying(.sin, "sin") }
    public var cos: Tensor { applying(.cos, "cos") }
    public var tanh: Tensor { applying(.tanh, "tanh") }
    /// 1 / (1 + e⁻ˣ)
    public var sigmoid: Tensor { applying(.sigmoid, "sigmoid") }
    /// log(1 + eˣ), without overflow.
    public var softplus: Tensor { applying(.softplus, "softplus") }
    /// |x|; its gradient at 0 is 0.
    public var magnitude: Tensor { applying(.abs, "abs") }
    /// max(x, 0); its gradient at 0 is 0.
    public var relu: Tensor { applying(.relu, "relu") }
    /// x where positive, else `slope` x.
    public func leakyReLU(slope: Float) -> Tensor { applying(.leakyReLU(slope: slope), "leakyReLU") }
    /// x sigmoid(x), also called swish.
    public var silu: Tensor { applying(.silu, "silu") }
    /// The exact GELU: x Φ(x) by the error function.
    public var gelu: Tensor { applying(.geluErf, "gelu") }
    /// GPT-2's approximation of GELU by tanh.
    public var geluTanh: Tensor { applying(.geluTanh, "geluTanh") }
    /// Values brought into a range; the gradient passes inside it.
    public func clamped(to range: ClosedRange<Float>) -> Tensor { applying(.clamp(range), "clamp") }
    /// x to a constant power.
    public func power(_ exponent: Float) -> Tensor { applying(.pow(exponent), "power") }

    func applying(_ function: UnaryFunction, _ name: StaticString) -> Tensor {
        let input = contiguousValues
        let result = Tensor.filled(shape) { y in
            withFloats(input) { Kernel.unary(function, y, $0, count: input.count) }
        }
        guard isTracked else { return result }
        // An affine function's gradient reads nothing; keep neither input nor output for it.
        let saved = function.isAffine ? nil : (function.gradientUsesOutput ? result : input)
        return result.recorded(name, from: self) { gradient in
            let dy = gradient.contiguousValues
            return [
                Tensor.filled(dy.shape) { dx in
                    withFloats(saved ?? dy, dy) { saved, dy in
                        Kernel.unaryGradient(function, dx, saved: saved, dy: dy, count: gradient.count)
                    }
                }
            ]
        }
    }
}
