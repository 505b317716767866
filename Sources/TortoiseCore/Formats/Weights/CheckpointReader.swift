/// A weight file that is open for reading: names, where each tensor lies, and the file's own metadata.
public protocol CheckpointReader: AnyObject, Sendable {
    /// The mapped file.
    var file: MappedFile { get }
    /// The tensors' names in the file's order.
    var names: [String] { get }
    /// Where each tensor lies; every element was checked to lie in the file.
    var entries: [String: TensorDescriptor] { get }
    /// What the file says of itself; values that are no text are given as JSON.
    var metadata: [String: String] { get }
}

extension CheckpointReader {
    /// The path that was opened, for messages.
    public var path: String { file.path }

    /// The `config` that the file carries: a model's entry of a configuration, or an adapter's; nil when it has none.
    ///
    /// - Throws: `InputError` when it cannot be read.
    public func storedConfiguration() throws -> YAMLValue? {
        try metadata["config"].map { try YAMLNode.parse($0, file: "\(path): config").value() }
    }

    /// Where a tensor lies.
    ///
    /// - Throws: `InputError` with the nearest names when there is no such tensor.
    public func descriptor(_ name: String) throws -> TensorDescriptor {
        if let entry = entries[name] { return entry }
        let near = nearestNames(to: name, among: names)
        throw InputError.model(
            "the file has no tensor named \(name)", at: path,
            try: near.isEmpty ? "it has \(names.count) tensors" : "did you mean \(near.joined(separator: ", "))?")
    }

    /// The dense little-endian bytes of a tensor: in place (of any alignment) when it is contiguous, else a copy.
    ///
    /// - Throws: `InputError` when there is no such tensor, or when its dense form is larger than the file.
    public func bytes(_ name: String) throws -> TensorBytes {
        try descriptor(name).bytes(in: file)
    }

    /// Lets the pages of the file leave resident memory; they are read again when they are touched.
    public func releasePages() {
        file.releasePages()
    }
}
