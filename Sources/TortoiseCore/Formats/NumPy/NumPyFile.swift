/// Reads and writes `.npy` files, versions 1 to 3 (NumPy's `lib/format.py` describes them), and reads stored `.npz`.
public enum NumPyFile {
    /// What a `.npy` file holds.
    public enum Content: Sendable {
        case array(NumPyArray)
        /// A pickled object, such as the dictionary of a `.mel` file, as plain data.
        case object(CheckpointValue)
    }

    static let magic: [UInt8] = [0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59]

    /// Reads a file; an array's elements stay mapped.
    ///
    /// - Throws: `InputError` when the file is malformed, holds elements that we do not, or a pickle of more than data.
    public static func read(path: String) throws -> Content {
        let file = try MappedFile(path: path, kind: .data)
        return try read(file, 0..<file.bytes.count)
    }

    /// Reads a file that must hold an array.
    ///
    /// - Throws: `InputError` as `read`, and when it holds an object.
    public static func readArray(path: String) throws -> NumPyArray {
        guard case .array(let array) = try read(path: path) else {
            throw InputError.data("expected an array and found a pickled object", at: path)
        }
        return array
    }

    /// Reads the arrays of an `.npz` archive by name, without the names' `.npy`.
    ///
    /// - Throws: `InputError` when the archive is malformed, or was compressed (`np.savez_compressed`).
    public static func readArchive(path: String) throws -> [String: Content] {
        let archive = try ZipArchive(MappedFile(path: path, kind: .data))
        var contents: [String: Content] = [:]
        for entry in archive.entries {
            guard let range = try archive.range(of: entry.name) else { continue }
            let name = entry.name.hasSuffix(".npy") ? String(entry.name.dropLast(4)) : entry.name
            contents[name] = try read(archive.file, range)
        }
        return contents
    }

    /// Writes an array as NumPy itself would, to a file that appears complete or not at all.
    public static func write(_ array: NumPyArray, to path: String) throws {
        try AtomicFile.write(to: path) { file in
            try file.write(NumPyHeader.bytes(code: array.element.description, shape: array.shape))
            try array.denseBytes().withUnsafeBytes { try file.write($0) }
        }
    }

    /// Writes a value as `np.save` writes a dictionary: an array of one pickled object, without axes.
    public static func write(object: CheckpointContent, to path: String) throws {
        let (pickle, tensors) = PickleWriter.pickle(object, version: .three, asObjectScalar: true)
        precondition(tensors.isEmpty, "NumPy files hold arrays, not tensors")
        try AtomicFile.write(to: path) { file in
            try file.write(NumPyHeader.bytes(code: "|O", shape: []))
            try file.write(pickle)
        }
    }

    private static func read(_ file: MappedFile, _ range: Range<Int>) throws -> Content {
        let bytes = UnsafeRawBufferPointer(rebasing: file.bytes[..<range.upperBound])
        var cursor = ByteCursor(bytes, at: range.lowerBound, of: file.path)
        let header = try NumPyHeader(&cursor)
        switch header.type.kind {
        case .plain(let element):
            guard let count = NumPyArray.byteCount(element, header.shape), count <= cursor.remaining,
                let array = NumPyArray(
                    element, shape: header.shape, isFortranOrder: header.isFortranOrder,
                    isBigEndian: header.type.isBigEndian,
                    bytes: .mapped(file, cursor.position..<cursor.position + count))
            else {
                throw cursor.malformed(
                    "an array of shape \(header.shape) needs more than its \(cursor.remaining) bytes")
            }
            return .array(array)
        case .object:
            var machine = PickleMachine(file, start: cursor.position, end: range.upperBound)
            let root = try machine.run()
            return .object(try machine.value(root) { _ in throw machine.refused("a tensor in a NumPy file") })
        }
    }
}
