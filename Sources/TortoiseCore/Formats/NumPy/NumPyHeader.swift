/// The header of a `.npy` file: a Python dictionary literal with three known keys.
struct NumPyHeader {
    let type: NumPyElementType
    let isFortranOrder: Bool
    let shape: [Int]

    /// NumPy's own limit is 64 axes.
    private static let maximumRank = 64
    /// NumPy refuses longer headers, too, unless told to trust the file.
    private static let maximumByteCount = 1 << 16

    /// Reads the header and leaves the cursor at the data.
    init(_ cursor: inout ByteCursor) throws {
        guard try cursor.take(NumPyFile.magic.count, "the magic").elementsEqual(NumPyFile.magic) else {
            throw cursor.malformed("expected a NumPy file, which starts with \\x93NUMPY")
        }
        let version = try cursor.byte("the version")
        _ = try cursor.byte("the version")
        let count: Int
        switch version {
        case 1: count = Int(try cursor.integer(UInt16.self, "the header's length"))
        case 2, 3: count = Int(try cursor.integer(UInt32.self, "the header's length"))
        default: throw cursor.malformed("the NumPy file's version is \(version), known are 1 to 3")
        }
        guard count <= Self.maximumByteCount else { throw cursor.malformed("the header claims \(count) bytes") }
        var text = ByteCursor(try cursor.take(count, "the header"), of: cursor.place)

        var code: String?
        var isFortranOrder: Bool?
        var shape: [Int]?
        try Self.expect("{", &text)
        while !Self.takeIf("}", &text) {
            let key = try Self.string(&text)
            try Self.expect(":", &text)
            switch key {
            case "descr":
                guard text.next != UInt8(ascii: "[") else { throw Self.unsupported("fields of several types", text) }
                code = try Self.string(&text)
            case "fortran_order": isFortranOrder = try Self.bool(&text)
            case "shape": shape = try Self.shape(&text)
            default: throw text.malformed("the header has an unknown key \(key)")
            }
            if !Self.takeIf(",", &text) {
                try Self.expect("}", &text)
                break
            }
        }
        guard let code, let isFortranOrder, let shape else {
            throw text.malformed("the header lacks descr, fortran_order or shape")
        }
        guard let type = NumPyElementType(code) else { throw Self.unsupported("elements of type \(code)", text) }
        self.type = type
        self.isFortranOrder = isFortranOrder
        self.shape = shape
    }

    /// The header that NumPy writes, magic and padding included.
    static func bytes(code: String, shape: [Int]) -> [UInt8] {
        let sizes = shape.map(String.init)
        let tuple = sizes.count == 1 ? "(\(sizes[0]),)" : "(\(sizes.joined(separator: ", ")))"
        var text = "{'descr': '\(code)', 'fortran_order': False, 'shape': \(tuple), }"
        // NumPy leaves room for 21 digits of the first size, so that a growing file can be patched in place.
        if let first = sizes.first { text += String(repeating: " ", count: max(0, 21 - first.utf8.count)) }
        // A header of version 1 has at most 65,535 bytes, which no shape of 64 axes reaches.
        let padding = 64 - (NumPyFile.magic.count + 4 + text.utf8.count + 1) % 64
        text += String(repeating: " ", count: padding) + "\n"
        return NumPyFile.magic + [1, 0] + little(UInt16(text.utf8.count)) + Array(text.utf8)
    }

    // MARK: - Python literals

    private static func takeIf(_ character: Unicode.Scalar, _ text: inout ByteCursor) -> Bool {
        text.skip { $0 == 0x20 || $0 == 0x0A }
        guard let next = text.next, UInt32(next) == character.value else { return false }
        text.skipOne()
        text.skip { $0 == 0x20 || $0 == 0x0A }
        return true
    }

    private static func expect(_ character: Unicode.Scalar, _ text: inout ByteCursor) throws {
        guard takeIf(character, &text) else { throw text.malformed("the header should have \(character) here") }
    }

    private static func string(_ text: inout ByteCursor) throws -> String {
        let quote = try text.byte("a quote")
        guard quote == UInt8(ascii: "'") || quote == UInt8(ascii: "\"") else {
            throw text.malformed("the header should have a string here")
        }
        let start = text.position
        text.skip { $0 != quote }
        let content = String(decoding: text.bytes[start..<text.position], as: UTF8.self)
        _ = try text.byte("the end of a string")
        text.skip { $0 == 0x20 }
        return content
    }

    private static func bool(_ text: inout ByteCursor) throws -> Bool {
        let isTrue = text.next == UInt8(ascii: "T")
        guard try text.take(isTrue ? 4 : 5, "True or False").elementsEqual((isTrue ? "True" : "False").utf8) else {
            throw text.malformed("the header should have True or False here")
        }
        return isTrue
    }

    private static func shape(_ text: inout ByteCursor) throws -> [Int] {
        var shape: [Int] = []
        try expect("(", &text)
        while !takeIf(")", &text) {
            let start = text.position
            text.skip { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
            guard let size = Int(String(decoding: text.bytes[start..<text.position], as: UTF8.self)),
                shape.count < maximumRank
            else { throw text.malformed("the header's shape has something that is no size") }
            shape.append(size)
            // Python 2 wrote an L behind long integers.
            _ = takeIf("L", &text)
            if !takeIf(",", &text) {
                try expect(")", &text)
                break
            }
        }
        return shape
    }

    private static func unsupported(_ what: String, _ text: ByteCursor) -> InputError {
        .data(
            "the NumPy file has \(what), which are not supported", at: text.place,
            try: "convert it to \(NumPyElement.allCases.map(\.rawValue).joined(separator: ", "))")
    }
}
