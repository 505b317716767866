/// What can be done with a file of weights as such.
public enum WeightFile {
    /// Format, number of tensors and of values, after reading every tensor.
    ///
    /// - Throws: `InputError.model` when the file is damaged or a value is not finite.
    public static func summary(_ path: String) throws -> String {
        let reader = try openCheckpoint(path: path)
        let source = CheckpointSource(reader)
        var values = 0
        for name in source.names {
            guard let tensor = try source.tensor(name) else { continue }
            values += tensor.count
            let isFloat = [.float32, .float16, .bfloat16].contains(tensor.dtype)
            guard !isFloat || tensor.converted(to: .float32).sumOfSquares.isFinite else {
                throw InputError.model("\(name) has NaN or infinity", at: path)
            }
        }
        return "\(source.names.count) tensors, \(values) values"
    }

    /// Writes the tensors and the values beside them in the format that the output's name asks for.
    ///
    /// - Parameter dtype: Of float tensors; nil leaves every tensor as it is, but unpacks int8 with scales to float32.
    public static func convert(_ input: String, to output: String, dtype: WeightDType?) throws {
        let reader = try openCheckpoint(path: input)
        let source = CheckpointSource(reader)
        let tensors = try source.names.flatMap { name -> [(name: String, tensor: TensorSource)] in
            guard let tensor = try source.tensor(name) else { return [] }
            guard let dtype, [.float32, .float16, .bfloat16, .float64].contains(tensor.dtype) else {
                return [(name, TensorSource(tensor))]
            }
            return try tensor.converted(to: .float32).stored(name, as: dtype)
        }
        let values = reader.metadata.sorted { $0.key < $1.key }.map {
            (name: $0.key, value: CheckpointContent.string($0.value))
        }
        try ExportedWeights(tensors, values: values).write(to: output)
    }
}

extension ModelFiles {
    /// A line per stage: the file that would be used, and what it is; and one for an adapter, if there is one.
    public func listing() throws -> [String] {
        try ["set: \(folder)"]
            + ModelStage.allCases.map { stage in
                guard let path = find(stage) else { return "\(stage.rawValue.padding(to: 16))not there" }
                let reader = try openCheckpoint(path: path)
                let values = CheckpointSource(reader).names.reduce(0) { $0 + (reader.entries[$1]?.shape.product ?? 0) }
                let types = Set(reader.entries.values.map { "\($0.dtype)" }).sorted().joined(separator: ", ")
                return "\(stage.rawValue.padding(to: 16))\(path): \(values) values of \(types)"
            } + (adapter.map { ["\("adapter".padding(to: 16))\($0.path)"] } ?? [])
    }
}
