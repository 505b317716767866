/// Weights for inference with what describes them, in the original trainer's layout: `fp32.sft` or `fp32.pth` for a
/// model, `lora.sft` or `lora.pth` for an adapter, `state.sft` for a checkpoint's module.
///
/// As `.pth` it is `{"module": tensors, name: value, …}`; as safetensors the values become text metadata, JSON unless
/// they are text. `CheckpointReader` gives both back alike.
public struct ExportedWeights {
    /// The tensors in their order.
    public var tensors: [(name: String, tensor: TensorSource)]
    /// `config`, `stats`, `userdata` and the like: plain values without tensors.
    public var values: [(name: String, value: CheckpointContent)]

    public init(
        _ tensors: [(name: String, tensor: TensorSource)], values: [(name: String, value: CheckpointContent)] = []
    ) {
        self.tensors = tensors
        self.values = values
    }

    /// The file formats by the suffixes that the original looks for.
    public enum Format: String, CaseIterable, Sendable {
        case safetensors
        case torch

        /// The format that a file name asks for.
        ///
        /// - Throws: `InputError` when the name ends in none of `.sft`, `.safetensors`, `.pth`, `.pt`.
        public init(path: String) throws {
            switch path.split(separator: ".").last.map({ $0.lowercased() }) {
            case "sft", "safetensors": self = .safetensors
            case "pth", "pt": self = .torch
            default:
                throw InputError.usage(
                    "expected a name that ends in .sft, .safetensors, .pth or .pt", at: path,
                    try: "name the file after its format")
            }
        }
    }

    /// Writes the file in the format that its name asks for.
    ///
    /// - Throws: `InputError` when a value has no JSON form, two tensors share a name, or the file cannot be written.
    public func write(to path: String) throws {
        switch try Format(path: path) {
        case .torch:
            let module = CheckpointContent.dictionary(tensors.map { .init(.string($0.name), .tensor($0.tensor)) })
            let rest = values.map { CheckpointContent.Pair(.string($0.name), $0.value) }
            try TorchWriter.write(.dictionary([.init("module", module)] + rest), to: path)
        case .safetensors:
            var metadata: [String: String] = [:]
            for (name, value) in values {
                if case .none = value { continue }
                guard let text = value.text ?? value.json else {
                    throw InputError.model("\(name) cannot be written as text", at: path)
                }
                metadata[name] = text
            }
            try SafetensorsWriter.write(tensors, metadata: metadata, to: path)
        }
    }
}
