// Rows picked by index, and values picked along an axis.

/// The rows of a table at some indices.
///
/// - Parameters:
///   - table: [rows, width]
///   - indices: int32 [...]
/// - Returns: [..., width]
/// - Precondition: every index is a row.
public func embedding(_ table: Tensor, _ indices: Tensor) -> Tensor {
    precondition(table.rank == 2, "embedding: expected a table [rows, width], found \(table.shape)")
    let width = table.size(1)
    let index = indices.contiguousValues
    checkIndices(index, below: table.size(0), "embedding")
    let rows = table.contiguousValues
    let result = Tensor.filled(indices.shape + [width]) { y in
        withFloats(rows) { table in
            withIndices(index) { Kernel.gatherRows(y, table: table, index: $0, rows: index.count, width: width) }
        }
    }
    let shape = table.shape
    return result.recorded("embedding", from: table) { gradient in
        let dTable = Tensor.zeros(shape)
        withFloats(dTable, gradient.contiguousValues) { table, x in
            withIndices(index) { Kernel.scatterAddRows(table: table, x, index: $0, rows: index.count, width: width) }
        }
        return [dTable]
    }
}

extension Tensor {
    /// Picks values along an axis: result[..., i, ...] = self[..., indices[..., i, ...], ...].
    ///
    /// - Parameter indices: int32, of this tensor's shape except along `axis`.
    /// - Precondition: every index lies within the axis.
    public func gathered(_ axis: Int, _ indices: Tensor) -> Tensor {
        let flat = flatIndices(resolve(axis), indices)
        return embedding(reshaped(-1, 1), flat).reshaped(indices.shape)
    }

    /// The position in this tensor's row-major order that each index stands for.
    private func flatIndices(_ axis: Int, _ indices: Tensor) -> Tensor {
        var expected = shape
        expected[axis] = indices.rank == rank ? indices.shape[axis] : -1
        precondition(indices.shape == expected, "gather: indices \(indices.shape) along axis \(axis) of \(shape)")
        checkIndices(indices, below: shape[axis], "gather")
        let inner = Array(shape[(axis + 1)...]).product
        let (taken, all) = (indices.shape[axis], shape[axis])
        let flat = indices.indexValues.enumerated().map { position, index -> Int32 in
            let (column, outer) = (position % inner, position / (inner * taken))
            return Int32((outer * all + Int(index)) * inner + column)
        }
        return Tensor(indices: flat, shape: indices.shape)
    }
}

private func checkIndices(_ indices: Tensor, below limit: Int, _ operation: StaticString) {
    for index in indices.indexValues {
        precondition(index >= 0 && index < limit, "\(operation): index \(index) of \(limit)")
    }
}
