/// A mapped safetensors file, checked as strictly as the official reader checks it.
///
/// Layout: an 8-byte length, a JSON header, then the tensors' bytes without gaps or overlaps. No tensor is read here.
public final class SafetensorsReader: CheckpointReader {
    public let file: MappedFile
    public let names: [String]
    public let entries: [String: TensorDescriptor]
    public let metadata: [String: String]

    /// Opens and checks a file.
    ///
    /// - Throws: `InputError` when the header is malformed, names an element type that we do not hold, or disagrees
    ///   with the size of the file.
    public convenience init(path: String) throws {
        try self.init(MappedFile(path: path))
    }

    init(_ file: MappedFile) throws {
        self.file = file
        var cursor = ByteCursor(file.bytes, of: file.path)
        let headerCount = try cursor.length("the header's length")
        guard headerCount <= SafetensorsHeader.maximumByteCount else {
            throw cursor.malformed(
                "the header claims \(headerCount) bytes, the limit is \(SafetensorsHeader.maximumByteCount)")
        }
        let header = try SafetensorsHeader(cursor.take(headerCount, "the header"), of: file.path)
        let dataStart = cursor.position

        // Sorted by place, each tensor must start where the one before it ended, and the last end with the file.
        let ordered = header.entries.sorted {
            ($0.range.lowerBound, $0.range.upperBound) < ($1.range.lowerBound, $1.range.upperBound)
        }
        var end = 0
        for entry in ordered {
            guard entry.range.lowerBound == end else {
                let fault = entry.range.lowerBound < end ? "overlaps the tensor before it" : "leaves a gap before it"
                throw cursor.malformed("tensor \(entry.name) \(fault) at byte \(entry.range.lowerBound)")
            }
            end = entry.range.upperBound
        }
        guard end == cursor.remaining else {
            throw cursor.malformed("the tensors take \(end) bytes, and the file has \(cursor.remaining) for them")
        }
        names = ordered.map(\.name)
        let descriptors = ordered.map {
            TensorDescriptor(dtype: $0.dtype, shape: $0.shape, byteOffset: dataStart + $0.range.lowerBound)
        }
        entries = Dictionary(uniqueKeysWithValues: zip(names, descriptors))
        metadata = header.metadata
    }
}
