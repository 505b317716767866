/// Tensors that files keep as int8 with a scale per 32 values of a row: little more than half of bfloat16.
///
/// Ours, as safetensors has no such type: `name` has the values in their shape, and `name.scales` has one float32 per
/// block, [rows, ⌈row / 32⌉]; a row is what lies behind the first axis. Value = int8 · scale.
enum PackedTensor {
    static let scalesSuffix = ".scales"

    /// Vectors are kept as they are: norms, biases and scales weigh little and matter much.
    static func isWorthPacking(_ tensor: Tensor) -> Bool { tensor.rank >= 2 && tensor.count >= 1024 }

    /// Whether a name of a file is that of another tensor's scales.
    static func isScales(_ name: String, in reader: any CheckpointReader) -> Bool {
        name.hasSuffix(scalesSuffix) && hasScales(String(name.dropLast(scalesSuffix.count)), in: reader)
    }

    /// Whether a tensor of a file is packed.
    static func hasScales(_ name: String, in reader: any CheckpointReader) -> Bool {
        guard let values = reader.entries[name], values.dtype == .int8, values.shape.count >= 2 else { return false }
        return reader.entries[name + scalesSuffix]?.dtype == .float32
    }

    /// The values and their scales, under their names.
    static func pack(_ tensor: Tensor, named name: String) -> [(name: String, tensor: TensorSource)] {
        let rows = tensor.shape[0]
        let (values, scales) = tensor.converted(to: .float32).contiguous
            .reshaped([rows, tensor.count / rows]).quantizedToInt8()
        return [
            (name, TensorSource(values.reshaped(tensor.shape))), (name + scalesSuffix, TensorSource(scales)),
        ]
    }

    /// The float32 values of a packed tensor.
    ///
    /// - Throws: `InputError.model` when the scales are not those of such values.
    static func unpack(_ name: String, in reader: any CheckpointReader) throws -> Tensor {
        let values = try Tensor(of: name, in: reader)
        let scales = try Tensor(of: name + scalesSuffix, in: reader)
        let rows = values.shape[0]
        let width = rows == 0 ? 0 : values.count / rows
        guard scales.shape == [rows, Kernel.scalesPerRow(width)] else {
            throw InputError.model(
                "\(name) is int8 \(values.shape), which needs scales [\(rows), \(Kernel.scalesPerRow(width))]; "
                    + "the file has \(scales.shape)", at: reader.path, try: "write the file again")
        }
        return Parameter(name: name, value: values.reshaped([rows, width]), scales: scales).unpacked
            .reshaped(values.shape)
    }
}

extension Tensor {
    /// The values under a name in the element type that a file is to have; int8 brings its scales along.
    ///
    /// - Throws: `InputError.usage` for element types that files are not written in.
    func stored(_ name: String, as dtype: WeightDType) throws -> [(name: String, tensor: TensorSource)] {
        switch dtype {
        case .float32: return [(name, TensorSource(self))]
        case .float16: return [(name, TensorSource(converted(to: .float16)))]
        case .bfloat16: return [(name, TensorSource(converted(to: .bfloat16)))]
        case .int8:
            guard PackedTensor.isWorthPacking(self) else { return [(name, TensorSource(self))] }
            return PackedTensor.pack(self, named: name)
        case .int4, .float8E5M2, .float8E4M3:
            throw InputError.usage(
                "weights are not written as \(dtype.rawValue)", at: "weight_dtype",
                try: "choose float32, float16, bfloat16 or int8")
        }
    }
}
