// Matrix products.

extension Tensor {
    /// The matrix product over the last two axes; the axes before them broadcast.
    ///
    /// Shape: [..., m, k] × [..., k, n] → [..., m, n]. Transposed views are multiplied without a copy.
    /// - Precondition: both have two axes or more, and the inner sizes agree.
    public func matmul(_ other: Tensor) -> Tensor {
        precondition(
            rank >= 2 && other.rank >= 2 && size(-1) == other.size(-2),
            "matmul: shapes \(shape) and \(other.shape) do not multiply")
        // One matrix on the right: all rows on the left are rows of one product.
        if other.rank == 2, rank > 2 {
            return reshaped(-1, size(-1)).matmul(other).reshaped(shape.dropLast() + [other.size(-1)])
        }
        let (a, b) = (self, other)
        return Tensor.product(a.detached, b.detached).recorded("matmul", from: a, b) { gradient in
            let (aValues, bValues) = (a.detached, b.detached)
            return [
                a.isTracked ? Tensor.product(gradient, bValues.transposed()).summed(to: a.shape) : nil,
                b.isTracked ? Tensor.product(aValues.transposed(), gradient).summed(to: b.shape) : nil,
            ]
        }
    }

    /// The product without a record.
    private static func product(_ a: Tensor, _ b: Tensor) -> Tensor {
        guard let batch = broadcastShape(Array(a.shape.dropLast(2)), Array(b.shape.dropLast(2))) else {
            preconditionFailure("matmul: the leading axes of \(a.shape) and \(b.shape) do not broadcast")
        }
        let (m, k, n) = (a.size(-2), a.size(-1), b.size(-1))
        let left = a.asMatrices
        let right = b.asMatrices
        let result = Tensor(uninitialized: batch + [m, n])
        guard result.count > 0 else { return result }
        guard k > 0 else { return Tensor.zeros(result.shape) }
        let aOffsets = left.viewExpanded(batch + [m, k]).matrixOffsets
        let bOffsets = right.viewExpanded(batch + [k, n]).matrixOffsets
        withFloats(result, left, right) { c, aBase, bBase in
            let (aForm, bForm) = (left.matrixForm(at: aBase), right.matrixForm(at: bBase))
            func multiply(_ i: Int, _ multiplication: MatrixMultiplication) {
                multiplication(
                    m, n, k, 1, aForm.moved(by: aOffsets[i]), bForm.moved(by: bOffsets[i]), 0, c + i * m * n, n)
            }
            if aOffsets.count == 1 {
                multiply(0, BLAS.multiply)
            } else {
                let grain = max(1, (1 << 18) / (m * n * k))
                Execution.current.pool.forEachChunk(aOffsets.count, grain: grain) { range in
                    for i in range { multiply(i, BLAS.multiplySerially) }
                }
            }
        }
        return result
    }

    private typealias MatrixMultiplication = (
        Int, Int, Int, Float, MatrixOperand, MatrixOperand, Float, Floats, Int
    ) -> Void

    /// The tensor with its last two axes so that BLAS can read them: one of the two must have stride 1.
    private var asMatrices: Tensor { matrixLayout == nil ? contiguousValues : self }

    private var matrixLayout: (stride: Int, isTransposed: Bool)? {
        let (rows, columns) = (size(-2), size(-1))
        let (rowStride, columnStride) = (strides[rank - 2], strides[rank - 1])
        if columnStride == 1 || columns == 1, rowStride >= columns || rows == 1 {
            return (max(rowStride, columns, 1), false)
        }
        if rowStride == 1 || rows == 1, columnStride >= rows || columns == 1 {
            return (max(columnStride, rows, 1), true)
        }
        return nil
    }

    private func matrixForm(at base: UnsafePointer<Float>) -> MatrixOperand {
        let layout = matrixLayout ?? (size(-1), false)
        return MatrixOperand(base: base, stride: layout.stride, isTransposed: layout.isTransposed)
    }

    /// Where each matrix of the leading axes begins, in elements from the first.
    private var matrixOffsets: [Int] {
        var offsets = [0]
        for axis in 0..<rank - 2 {
            offsets = offsets.flatMap { start in (0..<shape[axis]).map { start + $0 * strides[axis] } }
        }
        return offsets
    }
}

extension MatrixOperand {
    func moved(by elements: Int) -> MatrixOperand {
        MatrixOperand(base: base + elements, stride: stride, isTransposed: isTransposed)
    }
}

/// The affine map y = x Wᵀ + b.
///
/// - Parameters:
///   - x: [..., k]
///   - weight: [n, k], PyTorch's orientation.
///   - bias: [n]
/// - Returns: [..., n]
/// - Precondition: the sizes agree.
public func linear(_ x: Tensor, weight: Tensor, bias: Tensor? = nil) -> Tensor {
    precondition(
        x.rank >= 1 && weight.rank == 2 && x.size(-1) == weight.size(1),
        "linear: input \(x.shape) and weight \(weight.shape)")
    precondition(
        bias == nil || bias?.shape == [weight.size(0)], "linear: weight \(weight.shape), bias \(bias?.shape ?? [])")
    let (n, k) = (weight.size(0), weight.size(1))
    let m = x.count / max(k, 1)
    let input = x.contiguousValues
    let matrix = weight.contiguousValues
    let result = Tensor(uninitialized: x.shape.dropLast() + [n])
    withFloats(result, input, matrix) { y, x, w in
        withOptionalFloats(bias?.contiguousValues) { bias in
            let a = MatrixOperand(base: x, stride: k, isTransposed: false)
            let b = MatrixOperand(base: w, stride: k, isTransposed: true)
            BLAS.multiply(m: m, n: n, k: k, a: a, b: b, c: y, cStride: n)
            if let bias { Kernel.addToRows(y, bias, rows: m, width: n) }
        }
    }
    let inputs = [x, weight] + (bias.map { [$0] } ?? [])
    return result.recorded("linear", from: inputs) { gradient in
        let rows = gradient.reshaped(m, n)
        let dx = x.isTracked ? rows.matmul(matrix).reshaped(x.shape) : nil
        let dWeight = weight.isTracked ? rows.transposed().matmul(input.reshaped(m, k)) : nil
        guard let bias else { return [dx, dWeight] }
        return [dx, dWeight, bias.isTracked ? rows.sum(0) : nil]
    }
}
