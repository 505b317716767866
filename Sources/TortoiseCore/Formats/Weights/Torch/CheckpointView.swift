/// A saved object as named tensors and metadata, by the rules that `TorchReader` documents.
struct CheckpointView {
    private(set) var names: [String] = []
    private(set) var entries: [String: TensorDescriptor] = [:]
    private(set) var metadata: [String: String] = [:]

    /// Bytes that all names together may still take: a long key above many tensors would multiply otherwise.
    private var allowance: Int

    init(_ root: CheckpointValue, of file: MappedFile) throws {
        allowance = PickleMachine.freeAllowance + 2 * file.bytes.count
        try unwrap(root, file.path)
    }

    private mutating func unwrap(_ value: CheckpointValue, _ place: String) throws {
        guard let pairs = value.pairs else { return try collect(value, under: "", place) }
        let isPlain = pairs.contains { $0.value.tensor != nil }
        let wrapped = isPlain ? [] : pairs.filter(Self.isWrapper)
        for pair in pairs where !pair.value.holdsTensors {
            guard let key = pair.key.text, metadata[key] == nil, let text = pair.value.text ?? pair.value.json else {
                continue
            }
            metadata[key] = text
        }
        if wrapped.isEmpty {
            try collect(value, under: "", place)
        } else {
            for pair in wrapped { try unwrap(pair.value, place) }
        }
    }

    private static func isWrapper(_ pair: CheckpointValue.Pair) -> Bool {
        guard let key = pair.key.text, TorchReader.wrappers.contains(key), pair.value.pairs != nil else { return false }
        return pair.value.holdsTensors
    }

    private mutating func collect(_ value: CheckpointValue, under prefix: String, _ place: String) throws {
        switch value {
        case .tensor(let descriptor):
            let name = prefix.isEmpty ? "tensor" : prefix
            allowance -= name.utf8.count
            guard allowance >= 0 else {
                throw InputError.model("the tensors' names are larger than the file", at: place)
            }
            guard entries.updateValue(descriptor, forKey: name) == nil else {
                throw InputError.model("two tensors are named \(name)", at: place)
            }
            names.append(name)
        case .tuple(let items), .list(let items):
            for (index, item) in items.enumerated() { try collect(item, under: join(prefix, "\(index)"), place) }
        case .dictionary(let pairs):
            for pair in pairs {
                guard let key = pair.key.keyText else { continue }
                try collect(pair.value, under: join(prefix, key), place)
            }
        default: break
        }
    }

    private func join(_ prefix: String, _ key: String) -> String {
        prefix.isEmpty ? key : "\(prefix).\(key)"
    }
}
