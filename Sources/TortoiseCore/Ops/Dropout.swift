// Dropout.

extension Tensor {
    /// Zeroes elements at random and scales the others so that the mean stays.
    ///
    /// Which elements go is a pure function of the stream (Philox), so a recomputed block drops the same ones.
    /// - Parameters:
    ///   - probability: The share of elements to drop, in [0, 1).
    ///   - stream: Where the randomness comes from.
    public func dropout(_ probability: Float, _ stream: PhiloxStream) -> Tensor {
        precondition((0..<1).contains(probability), "dropout: probability \(probability) is not in [0, 1)")
        guard probability > 0 else { return self }
        func drop(_ x: Tensor) -> Tensor {
            Tensor.filled(x.shape) { y in
                withFloats(x) { Kernel.dropout(y, $0, count: x.count, probability: probability, stream: stream) }
            }
        }
        return drop(contiguousValues).recorded("dropout", from: self) { [drop($0.contiguousValues)] }
    }
}
