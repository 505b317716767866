// Sums, means, variances and extremes along axes.

extension Tensor {
    /// The sum of all elements: a scalar.
    public var sum: Tensor { sum(Array(0..<rank)) }
    /// The mean of all elements: a scalar.
    public var mean: Tensor { mean(Array(0..<rank)) }

    /// The sum along an axis.
    public func sum(_ axis: Int, keepingAxes: Bool = false) -> Tensor { sum([axis], keepingAxes: keepingAxes) }
    /// The mean along an axis.
    public func mean(_ axis: Int, keepingAxes: Bool = false) -> Tensor { mean([axis], keepingAxes: keepingAxes) }

    /// The sum along axes.
    ///
    /// - Parameter keepingAxes: Whether the axes stay, with size 1.
    public func sum(_ axes: [Int], keepingAxes: Bool = false) -> Tensor {
        let plan = ReductionPlan(shape: shape, axes: axes.map(resolve))
        let shape = shape
        return reduced(.sum, plan, keepingAxes: keepingAxes).recorded("sum", from: self) { gradient in
            [gradient.reshaped(plan.keptShape).expanded(shape)]
        }
    }

    /// The mean along axes.
    public func mean(_ axes: [Int], keepingAxes: Bool = false) -> Tensor {
        let reducedCount = axes.map { size($0) }.product
        return sum(axes, keepingAxes: keepingAxes) * (1 / Float(reducedCount))
    }

    /// The variance along axes, by two passes.
    ///
    /// - Parameter correction: 1 for the sample variance, 0 for that of a whole population.
    public func variance(_ axes: [Int], correction: Int = 1, keepingAxes: Bool = false) -> Tensor {
        let reducedCount = axes.map { size($0) }.product
        let centred = self - mean(axes, keepingAxes: true)
        return centred.squared.sum(axes, keepingAxes: keepingAxes) * (1 / Float(max(0, reducedCount - correction)))
    }

    /// The largest value along an axis; equal values share the gradient.
    public func maximum(_ axis: Int, keepingAxes: Bool = false) -> Tensor {
        extreme(.maximum, "maximum", axis, keepingAxes: keepingAxes)
    }

    /// The smallest value along an axis; equal values share the gradient.
    public func minimum(_ axis: Int, keepingAxes: Bool = false) -> Tensor {
        extreme(.minimum, "minimum", axis, keepingAxes: keepingAxes)
    }

    private func extreme(_ reduction: Reduction, _ name: StaticString, _ axis: Int, keepingAxes: Bool) -> Tensor {
        precondition(size(axis) > 0, "\(name): axis \(axis) of \(shape) is empty")
        let plan = ReductionPlan(shape: shape, axes: [resolve(axis)])
        let result = reduced(reduction, plan, keepingAxes: keepingAxes)
        let extremes = result.reshaped(plan.keptShape)
        let input = detached
        return result.recorded(name, from: self) { gradient in
            // 1 where an element equals the extreme, else 0: the distance, stretched so far that only 0 stays below 1.
            let distance = (input - extremes).magnitude * 1e38 * 1e38
            let isExtreme = 1 - distance.clamped(to: 0...1)
            let share = gradient.reshaped(plan.keptShape) / isExtreme.sum(plan.axes, keepingAxes: true)
            return [isExtreme * share]
        }
    }

    /// The position of the first largest value along the last axis.
    ///
    /// Shape: [..., n] → int32 [...].
    public var argmax: Tensor {
        precondition(rank > 0 && size(-1) > 0, "argmax: the last axis of \(shape) is empty")
        let input = contiguousValues
        let result = Tensor(uninitialized: Array(shape.dropLast()), dtype: .int32)
        withIndices(result) { y in
            withFloats(input) { Kernel.argmaxRows(y, $0, rows: result.count, width: size(-1)) }
        }
        return result
    }

    /// The sum of all squares, accumulated in double precision; untracked.
    public var sumOfSquares: Double {
        let input = contiguousValues
        return withFloats(input) { Kernel.sumOfSquares($0, count: input.count) }
    }

    private func reduced(_ reduction: Reduction, _ plan: ReductionPlan, keepingAxes: Bool) -> Tensor {
        let finalShape = keepingAxes ? plan.keptShape : plan.droppedShape
        // Bring the tensor to [outer, n, inner]; only axes that lie apart need a rearranged copy.
        let input =
            plan.order == Array(0..<rank) ? contiguousValues : detached.viewPermuted(plan.order).contiguousValues
        return Tensor.filled(finalShape) { y in
            withFloats(input) { Kernel.reduce(reduction, y, $0, outer: plan.outer, n: plan.n, inner: plan.inner) }
        }
    }
}

/// How a reduction along some axes becomes one along the middle of three.
private struct ReductionPlan {
    let axes: [Int]
    /// The input's shape with size 1 along the reduced axes, and without them.
    let keptShape, droppedShape: [Int]
    /// The order of axes in which the reduced ones lie together.
    let order: [Int]
    let outer, n, inner: Int

    init(shape: [Int], axes: [Int]) {
        let reduced = Set(axes)
        self.axes = axes
        keptShape = shape.indices.map { reduced.contains($0) ? 1 : shape[$0] }
        droppedShape = shape.indices.filter { !reduced.contains($0) }.map { shape[$0] }
        let first = axes.min() ?? 0
        let last = axes.max() ?? -1
        let together = (first...max(first, last)).allSatisfy { reduced.contains($0) || shape.isEmpty }
        if axes.isEmpty {
            order = Array(shape.indices)
            (outer, n, inner) = (shape.product, 1, 1)
        } else if together {
            order = Array(shape.indices)
            outer = Array(shape[..<first]).product
            n = Array(shape[first...last]).product
            inner = Array(shape[(last + 1)...]).product
        } else {
            order = shape.indices.filter { !reduced.contains($0) } + shape.indices.filter { reduced.contains($0) }
            (outer, n, inner) = (droppedShape.product, axes.map { shape[$0] }.product, 1)
        }
    }
}
