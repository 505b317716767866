/// The JSON header of a safetensors file.
///
/// It is scanned by hand and not with `JSONSerialization`: that keeps one of two equal keys in silence, turns large
/// integers into doubles and takes many times longer on a header of a megabyte. The schema is fixed and two levels
/// deep, so the scanner needs no recursion.
struct SafetensorsHeader {
    struct Entry {
        let name: String
        let dtype: DType
        let shape: [Int]
        /// Relative to the end of the header.
        let range: Range<Int>
    }

    private(set) var entries: [Entry] = []
    private(set) var metadata: [String: String] = [:]

    private var scanner: JSONScanner

    /// The official reader's limit.
    static let maximumByteCount = 100_000_000
    /// PyTorch's limit of axes.
    private static let maximumRank = 64

    init(_ bytes: UnsafeRawBufferPointer, of place: String) throws {
        scanner = JSONScanner(bytes, of: place)
        guard scanner.cursor.next == UInt8(ascii: "{") else {
            throw scanner.malformed("a safetensors header starts with {")
        }
        var names: Set<String> = []
        var hasMetadata = false
        try scanner.object { header, key in
            let isNew = key == "__metadata__" ? !hasMetadata : names.insert(key).inserted
            guard isNew else { throw header.malformed("the header names \(key) twice") }
            if key == "__metadata__" {
                hasMetadata = true
                try header.object { header, key in
                    let old = metadata.updateValue(try header.string(), forKey: key)
                    guard old == nil else { throw header.malformed("the metadata names \(key) twice") }
                }
            } else {
                entries.append(try Self.entry(key, from: &header))
            }
        }
        try scanner.end()
    }

    private static func entry(_ name: String, from scanner: inout JSONScanner) throws -> Entry {
        var typeName: String?
        var shape: [Int]?
        var offsets: [Int]?
        try scanner.object { scanner, key in
            let isNew: Bool
            switch key {
            case "dtype":
                isNew = typeName == nil
                typeName = try scanner.string()
            case "shape":
                isNew = shape == nil
                shape = try scanner.integers(limit: maximumRank)
            case "data_offsets":
                isNew = offsets == nil
                offsets = try scanner.integers(limit: 2)
            default:
                throw scanner.malformed("tensor \(name) has an unknown field \(key)")
            }
            guard isNew else { throw scanner.malformed("tensor \(name) gives \(key) twice") }
        }
        guard let typeName, let shape, let offsets, offsets.count == 2 else {
            throw scanner.malformed("tensor \(name) lacks its dtype, shape or data_offsets")
        }
        guard let dtype = SafetensorsDType.dtype(named: typeName) else {
            let known = SafetensorsDType.writingOrder.map(\.name).joined(separator: ", ")
            throw InputError.model(
                "tensor \(name) has elements of type \(typeName)", at: scanner.cursor.place,
                try: "convert it to one of \(known)")
        }
        guard offsets[0] <= offsets[1] else { throw scanner.malformed("tensor \(name) ends before it starts") }
        guard let count = TensorDescriptor.elementCount(of: shape, dtype: dtype),
            count * dtype.byteCount == offsets[1] - offsets[0]
        else {
            throw scanner.malformed(
                "tensor \(name) is \(typeName) \(shape), which does not fill its \(offsets[1] - offsets[0]) bytes")
        }
        return Entry(name: name, dtype: dtype, shape: shape, range: offsets[0]..<offsets[1])
    }
}
