/// States of optimizers and the like as safetensors files: tensors under their names, numbers as metadata, bit for bit.
enum StateFile {
    /// Writes several states to one file, each under a prefix.
    static func write(_ states: [(prefix: String, state: StateDictionary)], to path: String) throws {
        var tensors: [(name: String, tensor: TensorSource)] = []
        var metadata: [String: String] = [:]
        for (prefix, state) in states {
            metadata["\(prefix)/kind"] = state.kind
            // The shortest decimal that reads back as the same double.
            for (name, value) in state.scalars { metadata["\(prefix)/number/\(name)"] = "\(value)" }
            tensors += state.tensors.map { ("\(prefix)/\($0.name)", TensorSource($0.tensor)) }
        }
        try SafetensorsWriter.write(tensors, metadata: metadata, to: path)
    }

    /// Reads the state under a prefix; nil when there is none.
    static func read(_ prefix: String, from reader: any CheckpointReader) throws -> StateDictionary? {
        guard let kind = reader.metadata["\(prefix)/kind"] else { return nil }
        var state = StateDictionary(kind: kind)
        let marker = "\(prefix)/number/"
        for (key, text) in reader.metadata.sorted(by: { $0.key < $1.key }) where key.hasPrefix(marker) {
            guard let value = Double(text) else {
                throw InputError.model("expected a number, found '\(text.prefix(40))'", at: "\(reader.path): \(key)")
            }
            state.append(String(key.dropFirst(marker.count)), value)
        }
        for name in reader.names where name.hasPrefix(prefix + "/") {
            state.append(String(name.dropFirst(prefix.count + 1)), try Tensor(of: name, in: reader))
        }
        return state
    }
}
