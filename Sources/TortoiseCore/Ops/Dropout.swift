// Dropout.

extension Tensor {
    /// Zeroes elements at random and scales the others so that the mean stays.
    ///
    /// Which elements go is a pure function of the stream (Philox), so a recomputed block drops the same ones.
    /// - Precondition: the probability is in [0, 1).
    public func dropout(_ probability: Float, _ stream: PhiloxStream) -> Tensor {
        guard probability != 0 else { return self }
        let dropout = Dropout(probability, stream)
        func drop(_ x: Tensor) -> Tensor {
            Tensor.filled(x.shape) { y in withFloats(x) { Kernel.dropout(y, $0, count: x.count, dropout) } }
        }
        return drop(contiguousValues).recorded("dropout", from: self) { [drop($0.contiguousValues)] }
    }
}
