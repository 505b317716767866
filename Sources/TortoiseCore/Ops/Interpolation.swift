// Resampling along the last axis, with PyTorch's rules.

/// How values between samples are found.
public enum InterpolationMode: Sendable {
    /// The sample at or before the position.
    case nearest
    /// A straight line between the two samples around the centre of each step (`align_corners=False`).
    case linear
}

extension Tensor {
    /// The last axis resampled to `size` elements.
    ///
    /// - Precondition: neither length is 0.
    public func interpolated(size: Int, mode: InterpolationMode = .nearest) -> Tensor {
        precondition(rank > 0 && self.size(-1) > 0 && size > 0, "interpolate: \(shape) to size \(size)")
        return interpolated(size: size, step: Float(self.size(-1)) / Float(size), mode: mode)
    }

    /// The last axis resampled to ⌊length · scale⌋ elements; positions follow from the scale, not from the sizes.
    ///
    /// - Precondition: neither length is 0.
    public func interpolated(scale: Double, mode: InterpolationMode = .nearest) -> Tensor {
        let size = Int(Double(self.size(-1)) * scale)
        precondition(rank > 0 && self.size(-1) > 0 && size > 0, "interpolate: \(shape) by \(scale)")
        return interpolated(size: size, step: Float(1 / scale), mode: mode)
    }

    /// - Parameter step: Source elements per element of the result, in single precision as PyTorch has it, since the
    ///   rounding decides which sample is the nearest.
    private func interpolated(size: Int, step: Float, mode: InterpolationMode) -> Tensor {
        let last = self.size(-1) - 1
        switch mode {
        case .nearest:
            return gatheringColumns((0..<size).map { Int32(min(last, Int(Float($0) * step))) }, "interpolate")
        case .linear:
            let positions = (0..<size).map { max(0, (Float($0) + 0.5) * step - 0.5) }
            let lower = positions.map { Int32(min(last, Int($0))) }
            let upper = lower.map { min(Int32(last), $0 + 1) }
            let fraction = zip(positions, lower).map { min(1, max(0, $0 - Float($1))) }
            return blendingColumns(lower, upper, fraction)
        }
    }

    private func blendingColumns(_ lower: [Int32], _ upper: [Int32], _ fraction: [Float]) -> Tensor {
        let (shape, source) = (shape, size(-1))
        let rows = Array(shape.dropLast()).product
        let result = Tensor(uninitialized: shape.dropLast() + [lower.count])
        withFloats(result, contiguousValues) {
            Kernel.interpolateColumns(
                $0, $1, rows: rows, from: source, lower: lower, upper: upper, fraction: fraction)
        }
        return result.recorded("interpolate", from: self) { gradient in
            let dx = Tensor.zeros(shape)
            withFloats(dx, gradient.contiguousValues) { dx, dy in
                let rest = fraction.map { 1 - $0 }
                Kernel.scatterAddColumns(dx, dy, rows: rows, to: source, index: lower, scale: rest)
                Kernel.scatterAddColumns(dx, dy, rows: rows, to: source, index: upper, scale: fraction)
            }
            return [dx]
        }
    }
}
