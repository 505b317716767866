import CKernels

/// The kernels behind the operations: each function splits its work over the pool and calls the C kernel of the
/// instruction set in use. Shapes are the caller's business; pointers are to dense float32 unless strides are given.
enum Kernel {
    /// Elements per chunk where each costs about a memory access.
    static let memoryGrain = 16_384
    /// Elements per chunk where each costs an exponential or so.
    static let mathGrain = 4_096

    /// Rows per chunk when each row has `n` elements.
    static func rowGrain(_ n: Int, elements: Int = mathGrain) -> Int { max(1, elements / max(n, 1)) }
}

/// An element-wise function of one input; see `tk_unary` in the C header for the formulas.
enum UnaryFunction {
    case negate, abs, exp, log, sqrt, rsqrt, reciprocal, square, sin, cos, tanh, sigmoid, softplus, relu
    case leakyReLU(slope: Float)
    case clamp(ClosedRange<Float>)
    case pow(Float)
    case geluTanh, geluErf, silu
    case affine(scale: Float, shift: Float)

    /// Whether the derivative is found from the output rather than from the input.
    var gradientUsesOutput: Bool {
        switch self {
        case .exp, .sqrt, .rsqrt, .reciprocal, .tanh, .sigmoid, .relu: true
        default: false
        }
    }

    /// Whether the derivative is a constant, so that nothing need be kept for it.
    var isAffine: Bool {
        switch self {
        case .negate, .affine: true
        default: false
        }
    }

    var code: (op: tk_unary, p: Float, q: Float) {
        switch self {
        case .negate: (TK_NEGATE, 0, 0)
        case .abs: (TK_ABS, 0, 0)
        case .exp: (TK_EXP, 0, 0)
        case .log: (TK_LOG, 0, 0)
        case .sqrt: (TK_SQRT, 0, 0)
        case .rsqrt: (TK_RSQRT, 0, 0)
        case .reciprocal: (TK_RECIPROCAL, 0, 0)
        case .square: (TK_SQUARE, 0, 0)
        case .sin: (TK_SIN, 0, 0)
        case .cos: (TK_COS, 0, 0)
        case .tanh: (TK_TANH, 0, 0)
        case .sigmoid: (TK_SIGMOID, 0, 0)
        case .softplus: (TK_SOFTPLUS, 0, 0)
        case .relu: (TK_RELU, 0, 0)
        case .leakyReLU(let slope): (TK_LEAKY_RELU, slope, 0)
        case .clamp(let range): (TK_CLAMP, range.lowerBound, range.upperBound)
        case .pow(let exponent): (TK_POW, exponent, 0)
        case .geluTanh: (TK_GELU_TANH, 0, 0)
        case .geluErf: (TK_GELU_ERF, 0, 0)
        case .silu: (TK_SILU, 0, 0)
        case .affine(let scale, let shift): (TK_AFFINE, scale, shift)
        }
    }

    var grain: Int {
        switch self {
        case .negate, .abs, .square, .relu, .leakyReLU, .clamp, .affine, .reciprocal: Kernel.memoryGrain
        default: Kernel.mathGrain
        }
    }
}

/// Zeroing elements at random: which ones go is a function of the stream and of their position.
public struct Dropout: Sendable {
    public let probability: Float
    public let stream: PhiloxStream

    /// - Precondition: the probability is in [0, 1).
    public init(_ probability: Float, _ stream: PhiloxStream) {
        precondition((0..<1).contains(probability), "dropout: probability \(probability) is not in [0, 1)")
        self.probability = probability
        self.stream = stream
    }

    /// Elements are kept where the random number is at least this.
    var threshold: UInt32 { UInt32(Double(probability) * 4_294_967_296) }
    /// What kept elements are multiplied by, so that the mean stays.
    var scale: Float { 1 / (1 - probability) }
}

/// An element-wise function of two inputs.
enum BinaryFunction {
    case add, subtract, multiply, divide, maximum, minimum

    var code: tk_binary {
        switch self {
        case .add: TK_ADD
        case .subtract: TK_SUBTRACT
        case .multiply: TK_MULTIPLY
        case .divide: TK_DIVIDE
        case .maximum: TK_MAXIMUM
        case .minimum: TK_MINIMUM
        }
    }
}

extension Kernel {
    /// y = f(x); y may be x.
    static func unary(_ function: UnaryFunction, _ y: Floats, _ x: UnsafePointer<Float>, count: Int) {
        let (op, p, q) = function.code
        let execution = Execution.current
        execution.pool.forEachChunk(count, grain: function.grain) { range in
            let start = range.lowerBound
            execution.table.unary(op, y + start, x + start, range.count, p, q)
        }
    }

    /// dx = dy f'; `saved` is the output or the input (`UnaryFunction.gradientUsesOutput`); dx may be dy.
    static func unaryGradient(
        _ function: UnaryFunction, _ dx: Floats, saved: UnsafePointer<Float>, dy: UnsafePointer<Float>, count: Int
    ) {
        let (op, p, q) = function.code
        let execution = Execution.current
        execution.pool.forEachChunk(count, grain: function.grain) { range in
            let start = range.lowerBound
            execution.table.unary_gradient(op, dx + start, saved + start, dy + start, range.count, p, q)
        }
    }

    /// y = a op b over a broadcast nest; y is dense in the nest's order.
    static func binary(
        _ function: BinaryFunction, _ y: Floats, _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ nest: LoopNest
    ) {
        let op = function.code
        let execution = Execution.current
        // One long row is cut by hand, since the kernel only takes whole rows.
        if nest.extents.count == 1 {
            let (aStride, bStride) = (nest.a[0], nest.b[0])
            execution.pool.forEachChunk(nest.rowLength, grain: memoryGrain) { range in
                let start = range.lowerBound
                var part = nest.slice(outermost: range).nest.kernelForm
                execution.table.binary(op, y + start, a + start * aStride, b + start * bStride, &part, 0, 1)
            }
            return
        }
        let form = nest.kernelForm
        execution.pool.forEachChunk(nest.rows, grain: rowGrain(nest.rowLength, elements: memoryGrain)) { range in
            var form = form
            execution.table.binary(op, y, a, b, &form, range.lowerBound, range.upperBound)
        }
    }

    /// y += scale x.
    static func accumulate(_ y: Floats, _ x: UnsafePointer<Float>, count: Int, scale: Float = 1) {
        let execution = Execution.current
        execution.pool.forEachChunk(count, grain: memoryGrain) { range in
            execution.table.accumulate(y + range.lowerBound, x + range.lowerBound, range.count, scale)
        }
    }

    /// y += t (x - y).
    static func interpolate(_ y: Floats, toward x: UnsafePointer<Float>, count: Int, by t: Float) {
        let execution = Execution.current
        execution.pool.forEachChunk(count, grain: memoryGrain) { range in
            execution.table.lerp(y + range.lowerBound, x + range.lowerBound, range.count, t)
        }
    }

    /// y = x scaled by 1 / (1 - probability) where the random stream keeps it, else 0; y may be x.
    static func dropout(_ y: Floats, _ x: UnsafePointer<Float>, count: Int, _ dropout: Dropout) {
        let (stream, threshold, scale) = (dropout.stream, dropout.threshold, dropout.scale)
        let execution = Execution.current
        execution.pool.forEachChunk(count, grain: mathGrain) { range in
            let start = range.lowerBound
            execution.table.dropout(
                y + start, x + start, range.count, stream.key, stream.counter, UInt64(start), threshold, scale)
        }
    }

    /// Snake on each of `rows` channels: y = x + inverseBeta sin²(alpha x), with one alpha and one inverseBeta per row.
    static func snake(
        _ y: Floats, _ x: UnsafePointer<Float>, rows: Int, length: Int, channels: Int, alpha: UnsafePointer<Float>,
        inverseBeta: UnsafePointer<Float>
    ) {
        let execution = Execution.current
        execution.pool.forEachChunk(rows, grain: rowGrain(length)) { range in
            for row in range {
                let channel = row % channels
                execution.table.snake(
                    y + row * length, x + row * length, length, alpha[channel], inverseBeta[channel])
            }
        }
    }

    /// The gradient of `snake`; the parameters' gradients come per row.
    static func snakeGradient(
        _ dx: Floats, _ dAlpha: Floats, _ dInverseBeta: Floats, dy: UnsafePointer<Float>, x: UnsafePointer<Float>,
        rows: Int, length: Int, channels: Int, alpha: UnsafePointer<Float>, inverseBeta: UnsafePointer<Float>
    ) {
        let execution = Execution.current
        execution.pool.forEachChunk(rows, grain: rowGrain(length)) { range in
            for row in range {
                let (start, channel) = (row * length, row % channels)
                execution.table.snake_gradient(
                    dx + start, dAlpha + row, dInverseBeta + row, dy + start, x + start, length, alpha[channel],
                    inverseBeta[channel])
            }
        }
    }
}
