// Matrices of weights in the precision in which they are kept, and products with them.

extension Parameter {
    /// A matrix [outputs, inputs] in the wanted precision; the stored one is used in place when it is that already.
    convenience init(name: String, matrix stored: Tensor, _ precision: WeightPrecision) {
        let shape = stored.shape
        switch precision {
        case .float32:
            self.init(name: name, value: stored.converted(to: .float32).contiguousValues)
        case .bfloat16:
            self.init(name: name, value: stored.converted(to: .bfloat16).contiguousValues)
        case .int8:
            let (values, scales) = stored.converted(to: .float32).quantizedToInt8()
            self.init(name: name, value: values, scales: scales)
        case .int4:
            let (values, scales) = stored.converted(to: .float32).quantizedToInt4()
            self.init(name: name, value: values, scales: scales, shape: shape)
        }
    }

    /// The bytes that the weights take in memory.
    public var byteCount: Int {
        value.count * value.dtype.byteCount + (scales.map { $0.count * $0.dtype.byteCount } ?? 0)
    }

    /// x Wᵀ + b for weights in any precision; records nothing for weights that are not float32.
    ///
    /// Few rows (up to 16) are multiplied by kernels that read the weights once, and give each row the same bits
    /// whatever the other rows are; more rows go through BLAS, with packed weights unpacked tile by tile.
    /// - Parameters:
    ///   - x: [..., inputs]
    ///   - bias: [outputs] or none.
    /// - Returns: [..., outputs]
    public func multiply(_ x: Tensor, bias: Tensor? = nil) -> Tensor {
        precondition(
            shape.count == 2 && x.rank >= 1 && x.size(-1) == shape[1], "\(name): input \(x.shape), weights \(shape)")
        let rows = x.count / max(shape[1], 1)
        let isTracked = x.isTracked || value.isTracked || bias?.isTracked == true
        if value.dtype == .float32, isTracked || rows > Kernel.fewRows {
            return linear(x, weight: value, bias: bias)
        }
        precondition(!isTracked, "\(name): gradients cannot pass through \(value.dtype) weights")
        let input = x.contiguousValues
        let matrix = value.contiguousValues
        let result = Tensor(uninitialized: x.shape.dropLast() + [shape[0]])
        withWeightElements(of: matrix) { weight in
            withFloats(result, input) { y, x in
                withOptionalFloats(bias?.contiguousValues) { bias in
                    if rows <= Kernel.fewRows {
                        Kernel.linear(y, x, weight, bias: bias, m: rows, n: shape[0], k: shape[1])
                    } else {
                        Kernel.linearByTiles(y, x, weight, m: rows, n: shape[0], k: shape[1])
                        if let bias { Kernel.addToRows(y, bias, rows: rows, width: shape[0]) }
                    }
                }
            }
        }
        return result
    }

    /// The weights as a float32 tensor, unpacked when they are packed.
    public var unpacked: Tensor {
        guard value.dtype != .float32 else { return value }
        let matrix = value.contiguousValues
        return Tensor.filled(shape) { y in
            withWeightElements(of: matrix) { Kernel.unpack($0, rows: 0..<shape[0], k: shape[1], into: y) }
        }
    }

    private func withWeightElements<Result>(of matrix: Tensor, _ body: (WeightElements) -> Result) -> Result {
        switch matrix.dtype {
        case .float32: return withFloats(matrix) { body(.float32($0)) }
        case .bfloat16: return withElements(matrix, as: UInt16.self) { body(.bfloat16($0)) }
        case .int8, .uint8:
            guard let scales else { preconditionFailure("\(name): \(matrix.dtype) weights without scales") }
            return withFloats(scales) { scales in
                if matrix.dtype == .int8 {
                    withElements(matrix, as: Int8.self) { body(.int8($0, scales: scales)) }
                } else {
                    withElements(matrix, as: UInt8.self) { body(.int4($0, scales: scales)) }
                }
            }
        default: preconditionFailure("\(name): weights cannot be kept as \(matrix.dtype)")
        }
    }
}
