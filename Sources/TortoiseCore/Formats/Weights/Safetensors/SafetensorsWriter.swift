/// Writes safetensors files, byte for byte as the official writer does.
public enum SafetensorsWriter {
    /// Writes tensors, streamed, to a file that appears complete or not at all.
    ///
    /// Tensors are ordered by element size and then by name, and the header is padded with spaces to a multiple of 8
    /// bytes, so that all are aligned. Metadata keys are sorted (the official writer leaves them in any order).
    ///
    /// - Throws: `InputError` when two tensors have one name, a name is reserved, or the file cannot be written.
    public static func write(
        _ tensors: [(name: String, tensor: TensorSource)], metadata: [String: String] = [:], to path: String
    ) throws {
        let ordered = tensors.sorted { a, b in
            let ranks = (SafetensorsDType.rank(of: a.tensor.dtype), SafetensorsDType.rank(of: b.tensor.dtype))
            return ranks.0 != ranks.1 ? ranks.0 < ranks.1 : a.name.utf8.lexicographicallyPrecedes(b.name.utf8)
        }
        let header = try header(ordered, metadata: metadata, of: path)
        try AtomicFile.write(to: path, kind: .model) { file in
            try withUnsafeBytes(of: UInt64(header.count).littleEndian) { try file.write($0) }
            try file.write(header)
            for (_, tensor) in ordered {
                try tensor.forEachChunk { try file.write($0) }
            }
        }
    }

    private static func header(
        _ tensors: [(name: String, tensor: TensorSource)], metadata: [String: String], of path: String
    ) throws -> [UInt8] {
        var fields: [String] = []
        if !metadata.isEmpty {
            let pairs = metadata.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
                .map { "\(jsonString($0.key)):\(jsonString($0.value))" }
            fields.append("\"__metadata__\":{\(pairs.joined(separator: ","))}")
        }
        var names: Set<String> = ["__metadata__"]
        var offset = 0
        for (name, tensor) in tensors {
            guard names.insert(name).inserted else {
                throw InputError.model("two tensors are named \(name), or the name is reserved", at: path)
            }
            let shape = tensor.shape.map(String.init).joined(separator: ",")
            let end = offset + tensor.byteCount
            fields.append(
                "\(jsonString(name)):{\"dtype\":\"\(SafetensorsDType.name(of: tensor.dtype))\","
                    + "\"shape\":[\(shape)],\"data_offsets\":[\(offset),\(end)]}")
            offset = end
        }
        var header = Array("{\(fields.joined(separator: ","))}".utf8)
        header.append(contentsOf: repeatElement(0x20, count: (8 - header.count % 8) % 8))
        return header
    }
}

/// A JSON string with its quotes; only quotes, backslashes and control characters are escaped.
func jsonString(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "\"": result += "\\\""
        case "\\": result += "\\\\"
        case "\n": result += "\\n"
        case "\r": result += "\\r"
        case "\t": result += "\\t"
        case "\u{8}": result += "\\b"
        case "\u{C}": result += "\\f"
        case "\u{0}"..<" ":
            let digits = String(scalar.value, radix: 16)
            result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        default: result.unicodeScalars.append(scalar)
        }
    }
    return result + "\""
}
