/// A weight file as the source of a model's parameters.
public struct CheckpointSource: ParameterSource {
    private let reader: any CheckpointReader

    public init(_ reader: any CheckpointReader) { self.reader = reader }

    public var label: String { reader.path }
    public var names: [String] { reader.names.filter { !PackedTensor.isScales($0, in: reader) } }

    /// A tensor of the file; its pages stay in the file until they are read when they are dense and aligned there.
    /// Packed values come as float32.
    public func tensor(_ name: String) throws -> Tensor? {
        guard reader.entries[name] != nil else { return nil }
        if PackedTensor.hasScales(name, in: reader) { return try PackedTensor.unpack(name, in: reader) }
        return try Tensor(of: name, in: reader)
    }
}

extension Tensor {
    /// A tensor of a weight file, in the file's element type: a view of the mapped file where that is possible.
    ///
    /// - Throws: `InputError.model` when there is no such tensor, or when it cannot be read.
    public init(of name: String, in reader: any CheckpointReader) throws {
        let descriptor = try reader.descriptor(name)
        let bytes = try descriptor.bytes(in: reader.file)
        if case .mapped(let file, let range) = bytes {
            let mapped = UnsafeRawBufferPointer(rebasing: file.bytes[range])
            if Int(bitPattern: mapped.baseAddress) % descriptor.dtype.byteCount == 0 {
                self.init(viewing: mapped, owner: file, shape: descriptor.shape, dtype: descriptor.dtype)
                return
            }
        }
        self.init(uninitialized: descriptor.shape, dtype: descriptor.dtype)
        bytes.withUnsafeBytes { source in
            if let start = source.baseAddress { storage.base.copyMemory(from: start, byteCount: source.count) }
        }
    }
}
