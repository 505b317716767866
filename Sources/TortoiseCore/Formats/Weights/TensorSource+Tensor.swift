extension TensorSource {
    /// The values of a tensor, read while the file is written.
    init(_ tensor: Tensor) {
        let dense = tensor.contiguousValues
        let size = dense.dtype.byteCount
        self.init(dtype: dense.dtype, shape: dense.shape) { offset, chunk in
            guard let target = chunk.baseAddress else { return }
            target.copyMemory(from: dense.storage.base + dense.offset * size + offset, byteCount: chunk.count)
        }
    }
}
