// Element-wise arithmetic of two tensors, with broadcasting: axes are aligned at the end, and an axis of size 1 repeats.

extension Tensor {
    public static func + (a: Tensor, b: Tensor) -> Tensor {
        // Shapes only: a pullback that held the operands would keep their memory.
        let (aShape, bShape) = (a.isTracked ? a.shape : nil, b.isTracked ? b.shape : nil)
        return combine(.add, a, b).recorded("add", from: a, b) { gradient in
            [aShape.map { gradient.summed(to: $0) }, bShape.map { gradient.summed(to: $0) }]
        }
    }

    public static func - (a: Tensor, b: Tensor) -> Tensor {
        let (aShape, bShape) = (a.isTracked ? a.shape : nil, b.isTracked ? b.shape : nil)
        return combine(.subtract, a, b).recorded("subtract", from: a, b) { gradient in
            [aShape.map { gradient.summed(to: $0) }, bShape.map { (-gradient).summed(to: $0) }]
        }
    }

    public static func * (a: Tensor, b: Tensor) -> Tensor {
        combine(.multiply, a, b).recorded("multiply", from: a, b) { gradient in
            let (aValues, bValues) = (a.detached, b.detached)
            return [
                a.isTracked ? (gradient * bValues).summed(to: aValues.shape) : nil,
                b.isTracked ? (gradient * aValues).summed(to: bValues.shape) : nil,
            ]
        }
    }

    public static func / (a: Tensor, b: Tensor) -> Tensor {
        combine(.divide, a, b).recorded("divide", from: a, b) { gradient in
            let (aValues, bValues) = (a.detached, b.detached)
            let scaled = gradient / bValues
            return [
                a.isTracked ? scaled.summed(to: aValues.shape) : nil,
                b.isTracked ? (-(scaled * aValues / bValues)).summed(to: bValues.shape) : nil,
            ]
        }
    }

    public static func + (a: Tensor, b: Float) -> Tensor { a.applying(.affine(scale: 1, shift: b), "add") }
    public static func + (a: Float, b: Tensor) -> Tensor { b + a }
    public static func - (a: Tensor, b: Float) -> Tensor { a + (-b) }
    public static func - (a: Float, b: Tensor) -> Tensor { b.applying(.affine(scale: -1, shift: a), "subtract") }
    public static func * (a: Tensor, b: Float) -> Tensor { a.applying(.affine(scale: b, shift: 0), "multiply") }
    public static func * (a: Float, b: Tensor) -> Tensor { b * a }
    public static func / (a: Tensor, b: Float) -> Tensor { a * (1 / b) }
    public static func / (a: Float, b: Tensor) -> Tensor { b.applying(.reciprocal, "reciprocal") * a }
    public static prefix func - (a: Tensor) -> Tensor { a.applying(.negate, "negate") }

    /// The larger of each pair of elements; equal elements share the gradient.
    public static func maximum(_ a: Tensor, _ b: Tensor) -> Tensor {
        combine(.maximum, a, b).recorded("maximum", from: a, b) { Tensor.shareGradient($0, a, b, larger: true) }
    }

    /// The smaller of each pair of elements; equal elements share the gradient.
    public static func minimum(_ a: Tensor, _ b: Tensor) -> Tensor {
        combine(.minimum, a, b).recorded("minimum", from: a, b) { Tensor.shareGradient($0, a, b, larger: false) }
    }

    private static func shareGradient(_ gradient: Tensor, _ a: Tensor, _ b: Tensor, larger: Bool) -> [Tensor?] {
        // sign(a - b) is 1, 0 or -1: halves of (1 ± sign) are the shares.
        let difference = a.detached - b.detached
        let sign = (difference * 1e38 * 1e38).clamped(to: -1...1)
        let shareOfA = (larger ? sign : -sign) * 0.5 + 0.5
        return [
            a.isTracked ? (gradient * shareOfA).summed(to: a.shape) : nil,
            b.isTracked ? (gradient * (1 - shareOfA)).summed(to: b.shape) : nil,
        ]
    }

    /// The shape that two shapes broadcast to; `nil` when they do not.
    static func broadcastShape(_ a: [Int], _ b: [Int]) -> [Int]? {
        let rank = max(a.count, b.count)
        let longA = [Int](repeating: 1, count: rank - a.count) + a
        let longB = [Int](repeating: 1, count: rank - b.count) + b
        var shape: [Int] = []
        for (x, y) in zip(longA, longB) {
            guard x == y || x == 1 || y == 1 else { return nil }
            shape.append(x == 1 ? y : x)
        }
        return shape
    }

    private static func combine(_ function: BinaryFunction, _ a: Tensor, _ b: Tensor) -> Tensor {
        guard let shape = broadcastShape(a.shape, b.shape) else {
            preconditionFailure("\(function): shapes \(a.shape) and \(b.shape) do not broadcast")
        }
        let result = Tensor(uninitialized: shape)
        guard result.count > 0 else { return result }
        let nest = LoopNest(shape: shape, a: a.viewExpanded(shape).strides, b: b.viewExpanded(shape).strides)
        withFloats(result, a, b) { Kernel.binary(function, $0, $1, $2, nest) }
        return result
    }

    /// The sum over the axes along which this tensor was broadcast from `target`.
    func summed(to target: [Int]) -> Tensor {
        guard shape != target else { return self }
        let added = rank - target.count
        let axes = (0..<rank).filter { $0 < added || (target[$0 - added] == 1 && shape[$0] != 1) }
        return sum(axes, keepingAxes: true).reshaped(target)
    }
}
