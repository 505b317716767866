// Element types: how stored weights become float32 and back.

extension Tensor {
    /// The same values in another element type; untracked.
    ///
    /// To bfloat16 and float16 values are rounded to nearest even. Integers and truth values become float32 as numbers.
    /// - Precondition: the conversion is to float32, bfloat16 or float16, or from an integer type to int32.
    public func converted(to type: DType) -> Tensor {
        guard type != dtype else { return detached }
        let source = contiguousValues
        let result = Tensor(uninitialized: shape, dtype: type)
        switch (dtype, type) {
        case (.float32, .bfloat16):
            withFloats(source) { x in
                withElements(result, as: UInt16.self) { Kernel.convert($0, toBFloat16: x, count: count) }
            }
        case (.float32, .float16):
            withFloats(source) { x in
                withElements(result, as: UInt16.self) { Kernel.convert($0, toFloat16: x, count: count) }
            }
        case (.bfloat16, .float32):
            withElements(source, as: UInt16.self) { x in
                withFloats(result) { Kernel.convert($0, fromBFloat16: x, count: count) }
            }
        case (.float16, .float32):
            withElements(source, as: UInt16.self) { x in
                withFloats(result) { Kernel.convert($0, fromFloat16: x, count: count) }
            }
        case (.bfloat16, .float16), (.float16, .bfloat16): return converted(to: .float32).converted(to: type)
        case (_, .float32), (_, .bfloat16), (_, .float16):
            let floats = source.map(to: Float.self, as: .float32) { Float($0) }
            return floats.converted(to: type)
        case (.int64, .int32):
            withElements(source, as: Int64.self) { x in
                withElements(result, as: Int32.self) { y in for i in 0..<count { y[i] = Int32(clamping: x[i]) } }
            }
        case (.int16, .int32), (.int8, .int32), (.uint8, .int32), (.bool, .int32):
            return source.map(to: Int32.self, as: .int32) { Int32($0) }
        default: preconditionFailure("convert: \(dtype) to \(type)")
        }
        return result
    }

    /// Converts element by element, through doubles, which hold every index exactly.
    private func map<Target>(to type: Target.Type, as dtype: DType, _ convert: (Double) -> Target) -> Tensor {
        let result = Tensor(uninitialized: shape, dtype: dtype)
        withElements(result, as: Target.self) { y in
            func fill<Source>(_ source: Source.Type, _ value: (Source) -> Target) {
                withElements(self, as: Source.self) { x in for i in 0..<count { y[i] = value(x[i]) } }
            }
            switch self.dtype {
            case .float64: fill(Double.self) { convert($0) }
            case .int8: fill(Int8.self) { convert(Double($0)) }
            case .uint8, .bool: fill(UInt8.self) { convert(Double($0)) }
            case .int16: fill(Int16.self) { convert(Double($0)) }
            case .int32: fill(Int32.self) { convert(Double($0)) }
            case .int64: fill(Int64.self) { convert(Double($0)) }
            case .float32, .float16, .bfloat16: preconditionFailure("convert: \(self.dtype) has a kernel of its own")
            }
        }
        return result
    }

    /// The rows of a float32 matrix as int8, with a scale per 32 values.
    func quantizedToInt8() -> (values: Tensor, scales: Tensor) {
        let (rows, k) = matrixSize
        let values = Tensor(uninitialized: shape, dtype: .int8)
        let scales = Tensor(uninitialized: [rows, Kernel.scalesPerRow(k)])
        withFloats(scales, contiguousValues) { scales, x in
            withElements(values, as: Int8.self) { Kernel.quantizeInt8($0, scales: scales, x, rows: rows, k: k) }
        }
        return (values, scales)
    }

    /// The rows of a float32 matrix as int4, two values a byte, with a scale per 32 values.
    func quantizedToInt4() -> (values: Tensor, scales: Tensor) {
        let (rows, k) = matrixSize
        let values = Tensor(uninitialized: [rows, Kernel.int4BytesPerRow(k)], dtype: .uint8)
        let scales = Tensor(uninitialized: [rows, Kernel.scalesPerRow(k)])
        withFloats(scales, contiguousValues) { scales, x in
            withElements(values, as: UInt8.self) { Kernel.quantizeInt4($0, scales: scales, x, rows: rows, k: k) }
        }
        return (values, scales)
    }

    private var matrixSize: (rows: Int, columns: Int) {
        precondition(rank == 2, "quantize: expected a matrix, found \(shape)")
        return (shape[0], shape[1])
    }
}
