// Padding along an axis.

/// What stands beyond the ends of a padded axis.
public enum PaddingMode: Sendable {
    /// Zeros.
    case zero
    /// The values mirrored at the end, which is not repeated.
    case reflect
    /// The value at the end, repeated.
    case replicate

    /// The position that stands at `position` of an axis of `count` elements; −1 for a zero.
    func source(of position: Int, count: Int) -> Int {
        if (0..<count).contains(position) { return position }
        switch self {
        case .zero: return -1
        case .reflect: return position < 0 ? -position : 2 * (count - 1) - position
        case .replicate: return position < 0 ? 0 : count - 1
        }
    }
}

extension Tensor {
    /// The tensor made longer along an axis.
    ///
    /// - Parameters:
    ///   - axis: The axis; the last one is quickest.
    ///   - before: Elements added before the first.
    ///   - after: Elements added after the last.
    /// - Precondition: a reflection is shorter than the axis, and what is replicated is not empty.
    public func padded(axis: Int = -1, before: Int, after: Int, mode: PaddingMode = .zero) -> Tensor {
        let axis = resolve(axis)
        let count = shape[axis]
        let fits =
            switch mode {
            case .zero: true
            case .reflect: before < count && after < count
            case .replicate: count > 0
            }
        precondition(
            before >= 0 && after >= 0 && fits,
            "pad: \(before) before and \(after) after axis \(axis) of \(shape) (\(mode))")
        guard axis == rank - 1 else {
            return transposed(axis, -1).padded(axis: -1, before: before, after: after, mode: mode).transposed(axis, -1)
        }
        let index = (-before..<count + after).map { Int32(mode.source(of: $0, count: count)) }
        return gatheringColumns(index, "pad")
    }

    /// The last axis rearranged: element i of the result is the one at `index[i]`, or 0 where that is negative.
    func gatheringColumns(_ index: [Int32], _ operation: StaticString) -> Tensor {
        let (shape, source) = (shape, size(-1))
        let rows = Array(shape.dropLast()).product
        let result = Tensor(uninitialized: shape.dropLast() + [index.count])
        withFloats(result, contiguousValues) { Kernel.gatherColumns($0, $1, rows: rows, from: source, index: index) }
        return result.recorded(operation, from: self) { gradient in
            let dx = Tensor.zeros(shape)
            withFloats(dx, gradient.contiguousValues) {
                Kernel.scatterAddColumns($0, $1, rows: rows, to: source, index: index)
            }
            return [dx]
        }
    }
}
