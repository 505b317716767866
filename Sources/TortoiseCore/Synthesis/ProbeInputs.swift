/// The tensors that a stage is probed with, checked as they are asked for.
struct ProbeInputs {
    private let reader: any CheckpointReader

    init(path: String) throws { reader = try openCheckpoint(path: path) }

    /// Whether there is a tensor of this name.
    func has(_ name: String) -> Bool { reader.entries[name] != nil }

    /// A float tensor, as float32.
    ///
    /// - Parameter shape: Sizes by axis; nil takes any.
    func floats(_ name: String, _ shape: [Int?]) throws -> Tensor {
        let tensor = try Tensor(of: name, in: reader)
        let isFloat = [.float32, .float16, .bfloat16, .float64].contains(tensor.dtype)
        guard isFloat else { throw fault(name, "a float tensor", "\(tensor.dtype)") }
        try check(name, tensor.shape, shape)
        return tensor.converted(to: .float32).contiguousValues
    }

    /// A tensor of indices, all from 0 to below a limit.
    func indices(_ name: String, _ shape: [Int?], below limit: Int) throws -> Tensor {
        let tensor = try Tensor(of: name, in: reader)
        guard [.int8, .uint8, .int16, .int32, .int64].contains(tensor.dtype) else {
            throw fault(name, "integers", "\(tensor.dtype)")
        }
        try check(name, tensor.shape, shape)
        let indices = tensor.converted(to: .int32).contiguousValues
        if let wrong = indices.indexValues.first(where: { $0 < 0 || Int($0) >= limit }) {
            throw fault(name, "numbers from 0 to \(limit - 1)", "\(wrong)")
        }
        return indices
    }

    /// Whole numbers from 0 on, one per row.
    func counts(_ name: String, _ count: Int) throws -> [Int] {
        try indices(name, [count], below: Int(Int32.max)).indexValues.map { Int($0) }
    }

    private func check(_ name: String, _ found: [Int], _ expected: [Int?]) throws {
        let fits =
            found.count == expected.count && zip(found, expected).allSatisfy { $1 == nil || $0 == $1 }
            && !found.contains(0)
        guard fits else {
            let wanted = expected.map { $0.map(String.init) ?? "any" }.joined(separator: ", ")
            throw fault(name, "the shape [\(wanted)]", "\(found)")
        }
    }

    private func fault(_ name: String, _ expected: String, _ found: String) -> InputError {
        .data("expected \(expected), found \(found)", at: "\(reader.path): \(name)")
    }
}
