/// A JSON document (RFC 8259) as it was written: the members of an object keep their order, and no two keys are merged.
///
/// Foundation's decoders go through Swift dictionaries, where two keys that are canonically equivalent ("é" as one
/// scalar or as two) are one key. Vocabularies and weight files need their keys apart, so they are read with this.
public enum JSONValue: Sendable {
    case null
    case bool(Bool)
    /// A number without fraction or exponent that fits.
    case integer(Int)
    case number(Double)
    case string(String)
    case array([JSONValue])
    case object([Member])

    /// One `"key": value` of an object.
    public struct Member: Sendable {
        public let key: String
        public let value: JSONValue

        public init(key: String, value: JSONValue) { (self.key, self.value) = (key, value) }
    }

    /// Reads a whole document.
    ///
    /// - Parameters:
    ///   - bytes: UTF-8 text.
    ///   - place: The file's name, for messages.
    ///   - kind: What sort of input the file is.
    /// - Throws: `InputError` with the byte offset of the first fault; nesting deeper than 64 is a fault.
    ///
    /// - Parameter isPython: Whether what Python's json writes is taken as well: NaN and infinities, which become null, and a byte
    ///   order mark before everything.
    public init(
        parsing bytes: some Collection<UInt8>, at place: String, kind: InputError.Kind = .data, isPython: Bool = false
    ) throws {
        var reader = JSONReader(bytes: Array(bytes), place: place, kind: kind, isPython: isPython)
        if isPython, reader.bytes.starts(with: [0xEF, 0xBB, 0xBF]) { reader.position = 3 }
        self = try reader.readDocument()
    }

    /// The value of an object's first member of that name; nil when it is missing or this is no object.
    public subscript(key: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.key.utf8.elementsEqual(key.utf8) }?.value
    }

    /// True for JSON's `null`.
    public var isNull: Bool {
        if case .null = self { true } else { false }
    }

    /// The text of a string value; nil for anything else.
    public var stringValue: String? {
        if case .string(let text) = self { text } else { nil }
    }

    /// A whole number; nil for anything else.
    public var integerValue: Int? {
        if case .integer(let number) = self { number } else { nil }
    }

    /// Any number; nil for anything else.
    public var doubleValue: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .number(let value): value
        default: nil
        }
    }

    /// `true` or `false`; nil for anything else.
    public var boolValue: Bool? {
        if case .bool(let flag) = self { flag } else { nil }
    }

    /// A string as a JSON literal with its quotation marks.
    public static func quoted(_ text: String) -> String {
        var out = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            case "\u{0}"..."\u{1F}", "\u{7F}"..."\u{9F}":
                let digits = String(scalar.value, radix: 16)
                out += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out + "\""
    }
}

/// A recursive-descent reader over the bytes of one document.
private struct JSONReader {
    static let depthLimit = 64

    let bytes: [UInt8]
    let place: String
    let kind: InputError.Kind
    let isPython: Bool
    var position = 0
    var depth = 0

    init(bytes: [UInt8], place: String, kind: InputError.Kind, isPython: Bool) {
        self.bytes = bytes
        self.isPython = isPython
        self.place = place
        self.kind = kind
    }

    mutating func readDocument() throws -> JSONValue {
        let value = try readValue()
        skipBlanks()
        guard position == bytes.count else { throw fault("expected the end of the document") }
        return value
    }

    private func fault(_ problem: String) -> InputError {
        InputError(kind, "not valid JSON: \(problem) at byte \(position)", at: place)
    }

    private var current: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func skipBlanks() {
        while let byte = current, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
    }

    private mutating func take(_ byte: Character) -> Bool {
        guard current == byte.asciiValue else { return false }
        position += 1
        return true
    }

    private mutating func readValue() throws -> JSONValue {
        skipBlanks()
        guard let byte = current else { throw fault("expected a value, found the end") }
        switch byte {
        case UInt8(ascii: "{"): return try nested { try $0.readObject() }
        case UInt8(ascii: "["): return try nested { try $0.readArray() }
        case UInt8(ascii: "\""): return .string(try readString())
        case UInt8(ascii: "t"): return try readWord("true", .bool(true))
        case UInt8(ascii: "f"): return try readWord("false", .bool(false))
        case UInt8(ascii: "n"): return try readWord("null", .null)
        case UInt8(ascii: "N") where isPython: return try readWord("NaN", .null)
        case UInt8(ascii: "I") where isPython: return try readWord("Infinity", .null)
        case UInt8(ascii: "-") where isPython && bytes[position...].starts(with: Array("-Infinity".utf8)):
            return try readWord("-Infinity", .null)
        default: return try readNumber()
        }
    }

    private mutating func nested(_ read: (inout JSONReader) throws -> JSONValue) throws -> JSONValue {
        guard depth < Self.depthLimit else { throw fault("nested deeper than \(Self.depthLimit)") }
        depth += 1
        defer { depth -= 1 }
        position += 1
        return try read(&self)
    }

    private mutating func readObject() throws -> JSONValue {
        var members: [JSONValue.Member] = []
        skipBlanks()
        if take("}") { return .object(members) }
        repeat {
            skipBlanks()
            guard current == UInt8(ascii: "\"") else { throw fault("expected a key in quotation marks") }
            let key = try readString()
            skipBlanks()
            guard take(":") else { throw fault("expected ':' after a key") }
            members.append(JSONValue.Member(key: key, value: try readValue()))
            skipBlanks()
        } while take(",")
        guard take("}") else { throw fault("expected ',' or '}'") }
        return .object(members)
    }

    private mutating func readArray() throws -> JSONValue {
        var values: [JSONValue] = []
        skipBlanks()
        if take("]") { return .array(values) }
        repeat {
            values.append(try readValue())
            skipBlanks()
        } while take(",")
        guard take("]") else { throw fault("expected ',' or ']'") }
        return .array(values)
    }

    private mutating func readWord(_ word: StaticString, _ value: JSONValue) throws -> JSONValue {
        let wanted = Array("\(word)".utf8)
        guard bytes[position...].starts(with: wanted) else { throw fault("expected \(word)") }
        position += wanted.count
        return value
    }

    private mutating func readString() throws -> String {
        position += 1
        var text: [UInt8] = []
        while let byte = current {
            position += 1
            switch byte {
            case UInt8(ascii: "\""):
                guard let string = String(validating: text, as: UTF8.self) else { throw fault("a string is not UTF-8") }
                return string
            case UInt8(ascii: "\\"): try readEscape(into: &text)
            case 0..<0x20: throw fault("a control character inside a string")
            default: text.append(byte)
            }
        }
        throw fault("a string has no closing quotation mark")
    }

    private mutating func readEscape(into text: inout [UInt8]) throws {
        guard let byte = current else { throw fault("an unfinished escape") }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"):
            var code = try readFourHexDigits()
            if code & 0xFC00 == 0xD800 {
                guard take("\\"), take("u") else { throw fault("a lone surrogate in an escape") }
                let low = try readFourHexDigits()
                guard low & 0xFC00 == 0xDC00 else { throw fault("a lone surrogate in an escape") }
                code = 0x10000 + (code & 0x3FF) << 10 + (low & 0x3FF)
            }
            guard let scalar = Unicode.Scalar(code) else { throw fault("a lone surrogate in an escape") }
            text.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
        default: throw fault("an unknown escape")
        }
    }

    private mutating func readFourHexDigits() throws -> UInt32 {
        var code: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = current, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
                throw fault("expected four hexadecimal digits")
            }
            code = code << 4 | UInt32(digit)
            position += 1
        }
        return code
    }

    private mutating func readNumber() throws -> JSONValue {
        let start = position
        _ = take("-")
        let firstDigit = current
        let digits = skipDigits()
        guard digits > 0 else { throw fault("expected a value") }
        guard firstDigit != UInt8(ascii: "0") || digits == 1 else { throw fault("a number with a leading zero") }
        var isWhole = true
        if take(".") {
            isWhole = false
            guard skipDigits() > 0 else { throw fault("expected a digit after the decimal point") }
        }
        if take("e") || take("E") {
            isWhole = false
            if !take("+") { _ = take("-") }
            guard skipDigits() > 0 else { throw fault("expected a digit in the exponent") }
        }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        if isWhole, let number = Int(text) { return .integer(number) }
        guard let number = Double(text), number.isFinite else { throw fault("a number out of range") }
        return .number(number)
    }

    private func isDigit(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") }

    private mutating func skipDigits() -> Int {
        let start = position
        while let byte = current, isDigit(byte) { position += 1 }
        return position - start
    }
}
