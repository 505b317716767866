extension PickleMachine {
    /// Reads the value that an instruction carries with it.
    mutating func literal(_ opcode: PickleOpcode) throws -> PickleNode {
        switch opcode {
        case .newTrue: return .bool(true)
        case .newFalse: return .bool(false)
        case .uint8: return .integer(Int(try cursor.byte("an integer")))
        case .uint16: return .integer(Int(try cursor.integer(UInt16.self, "an integer")))
        case .int32: return .integer(Int(try cursor.integer(Int32.self, "an integer")))
        case .long8: return try long(count: Int(cursor.byte("an integer's length")))
        case .long32: return try long(count: Int(cursor.integer(Int32.self, "an integer's length")))
        case .float64:
            return .float(Double(bitPattern: UInt64(bigEndian: try cursor.integer(UInt64.self, "a float"))))
        case .unicode8: return try unicode(count: Int(cursor.byte("a string's length")))
        case .unicode32: return try unicode(count: Int(cursor.integer(UInt32.self, "a string's length")))
        case .unicode64: return try unicode(count: cursor.length("a string's length"))
        case .bytes8: return try bytes(count: Int(cursor.byte("a length of bytes")))
        case .bytes32: return try bytes(count: Int(cursor.integer(UInt32.self, "a length of bytes")))
        case .bytes64, .byteArray64: return try bytes(count: cursor.length("a length of bytes"))
        case .string8: return try python2String(count: Int(cursor.byte("a string's length")))
        case .string32: return try python2String(count: Int(cursor.integer(Int32.self, "a string's length")))
        case .integerText, .longText, .floatText, .stringText, .unicodeText: return try textLiteral(opcode)
        default: return .none
        }
    }

    /// The text up to the end of the line, without it.
    mutating func line() throws -> String {
        let start = cursor.position
        cursor.skip { $0 != 0x0A }
        let text = String(validating: cursor.bytes[start..<cursor.position], as: UTF8.self)
        _ = try cursor.byte("the end of a line")
        guard let text else { throw malformed("a line of the pickle is not UTF-8") }
        return text
    }

    /// Two's complement, least significant byte first.
    private mutating func long(count: Int) throws -> PickleNode {
        let bytes = try cursor.take(count, "an integer")
        guard count > 8 else {
            let isNegative = bytes.last.map { $0 & 0x80 != 0 } ?? false
            var value: UInt64 = isNegative ? .max : 0
            for byte in bytes.reversed() { value = value << 8 | UInt64(byte) }
            return .integer(Int(Int64(bitPattern: value)))
        }
        // Python itself writes the fewest bytes, and nothing here needs more than a hash has.
        guard count <= 64 else { throw malformed("an integer has \(count) bytes; at most 64 are accepted") }
        return .largeInteger(Array(bytes))
    }

    /// The fewest two's complement bytes of a decimal number that exceeds 64 bits; nil when it is none, or too long.
    private func largeInteger(_ text: String) -> [UInt8]? {
        let isNegative = text.hasPrefix("-")
        let digits = text.utf8.dropFirst(isNegative ? 1 : 0)
        guard digits.count <= 150, digits.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }), !digits.isEmpty else { return nil }
        var bytes: [UInt8] = []
        for digit in digits {
            var carry = Int(digit - 0x30)
            for index in bytes.indices {
                carry += 10 * Int(bytes[index])
                bytes[index] = UInt8(carry & 0xFF)
                carry >>= 8
            }
            if carry > 0 { bytes.append(UInt8(carry)) }
        }
        bytes.append(0)
        if isNegative {
            var carry = 1
            for index in bytes.indices {
                carry += Int(~bytes[index])
                bytes[index] = UInt8(carry & 0xFF)
                carry >>= 8
            }
        }
        // The last byte only says the sign again when the one before it says so already.
        while bytes.count > 1, bytes[bytes.count - 1] == (bytes[bytes.count - 2] & 0x80 == 0 ? 0 : 0xFF) {
            bytes.removeLast()
        }
        return bytes
    }

    private mutating func unicode(count: Int) throws -> PickleNode {
        let bytes = try cursor.take(count, "a string")
        try charge(count)
        // Python writes lone surrogates as three bytes that are not UTF-8: they become replacement characters.
        return .string(String(decoding: bytes, as: UTF8.self))
    }

    private mutating func bytes(count: Int) throws -> PickleNode {
        _ = try cursor.take(count, "bytes")
        return .bytes(.mapped(file, cursor.position - count..<cursor.position))
    }

    /// A string of Python 2, which is text when it is ASCII and bytes otherwise.
    private mutating func python2String(count: Int) throws -> PickleNode {
        let bytes = try cursor.take(count, "a string")
        try charge(count)
        if bytes.allSatisfy({ $0 < 0x80 }) { return .string(String(decoding: bytes, as: UTF8.self)) }
        return .bytes(.mapped(file, cursor.position - count..<cursor.position))
    }

    private mutating func textLiteral(_ opcode: PickleOpcode) throws -> PickleNode {
        let text = opcode == .unicodeText ? try latin1Line() : try line()
        try charge(text.utf8.count)
        switch opcode {
        case .integerText:
            if text == "00" || text == "01" { return .bool(text == "01") }
            if let value = Int(text) { return .integer(value) }
        case .longText:
            let digits = text.hasSuffix("L") ? String(text.dropLast()) : text
            if let value = Int(digits) { return .integer(value) }
            if let bytes = largeInteger(digits) { return .largeInteger(bytes) }
        case .floatText:
            if let value = Double(text) { return .float(value) }
        case .stringText:
            if let quote = text.first, quote == "'" || quote == "\"", text.count >= 2, text.last == quote,
                let plain = unescaped(text.dropFirst().dropLast(), isRaw: false)
            {
                return .string(plain)
            }
        default:
            if let plain = unescaped(Substring(text), isRaw: true) { return .string(plain) }
        }
        throw malformed("\(text.prefix(40)) is no value that the instruction could carry")
    }

    /// A line of Python's raw-unicode-escape: bytes are characters of Latin-1, the others come as `\u` escapes.
    private mutating func latin1Line() throws -> String {
        let start = cursor.position
        cursor.skip { $0 != 0x0A }
        let scalars = cursor.bytes[start..<cursor.position].map { Unicode.Scalar($0) }
        _ = try cursor.byte("the end of a line")
        return String(String.UnicodeScalarView(scalars))
    }

    /// Resolves Python's backslash escapes, of which raw text has only `\u` and `\U`; nil when one is malformed.
    private func unescaped(_ text: Substring, isRaw: Bool) -> String? {
        guard text.contains("\\") else { return String(text) }
        var result = String.UnicodeScalarView()
        var rest = text.unicodeScalars[...]
        while let scalar = rest.popFirst() {
            guard scalar == "\\" else {
                result.append(scalar)
                continue
            }
            if isRaw, rest.first != "u", rest.first != "U" {
                result.append(scalar)
                continue
            }
            guard let kind = rest.popFirst() else { return nil }
            switch kind {
            case "n": result.append("\n")
            case "r": result.append("\r")
            case "t": result.append("\t")
            case "\\", "'", "\"": result.append(kind)
            case "x", "u", "U":
                let count = kind == "x" ? 2 : kind == "u" ? 4 : 8
                let digits = String(String.UnicodeScalarView(rest.prefix(count)))
                guard digits.utf8.count == count, let value = UInt32(digits, radix: 16),
                    let decoded = Unicode.Scalar(value)
                else { return nil }
                result.append(decoded)
                rest = rest.dropFirst(count)
            default: return nil
            }
        }
        return String(result)
    }
}
