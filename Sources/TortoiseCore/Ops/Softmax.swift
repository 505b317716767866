// Softmax and its logarithm.

extension Tensor {
    /// e^x over its sum along an axis.
    public func softmax(_ axis: Int = -1) -> Tensor { normalizedExponentials(axis, logarithm: false) }

    /// The logarithm of `softmax`, without the loss of precision.
    public func logSoftmax(_ axis: Int = -1) -> Tensor { normalizedExponentials(axis, logarithm: true) }

    private func normalizedExponentials(_ axis: Int, logarithm: Bool) -> Tensor {
        let axis = resolve(axis)
        guard axis == rank - 1 else {
            return transposed(axis, -1).normalizedExponentials(-1, logarithm: logarithm).transposed(axis, -1)
        }
        let input = contiguousValues
        let n = size(-1)
        let rows = n == 0 ? 0 : count / n
        let result = Tensor.filled(shape) { y in
            withFloats(input) { Kernel.softmaxRows(y, $0, rows: rows, width: n, logarithm: logarithm) }
        }
        return result.recorded(logarithm ? "logSoftmax" : "softmax", from: self) { gradient in
            let dy = gradient.contiguousValues
            let dx = Tensor.filled(dy.shape) { dx in
                withFloats(result, dy) { y, dy in
                    Kernel.softmaxGradientRows(dx, y: y, dy: dy, rows: rows, width: n, logarithm: logarithm)
                }
            }
            return [dx]
        }
    }
}
