import Foundation

/// A YAML value without its place in a file: what free-form settings such as `optimizer_params` or model `kwargs` hold.
///
/// Scalars are resolved as the reference's loader (YAML 1.1) resolves them, with one kindness: `1e-4` is a number too.
public enum YAMLValue: Equatable, Sendable {
    case null
    case bool(Bool)
    case int(Int)
    case double(Double)
    case string(String)
    case sequence([YAMLValue])
    /// Keys in the order of the file.
    case mapping([Entry])

    /// One key of a mapping and its value.
    public struct Entry: Equatable, Sendable {
        public var key: String
        public var value: YAMLValue

        public init(_ key: String, _ value: YAMLValue) {
            self.key = key
            self.value = value
        }
    }

    /// The value of a key when this is a mapping that has it.
    public subscript(key: String) -> YAMLValue? {
        guard case .mapping(let entries) = self else { return nil }
        return entries.last { $0.key == key }?.value
    }

    /// What a reader would call this value, for messages: "the text 'abc'", "a list".
    var spoken: String {
        switch self {
        case .null: "nothing"
        case .bool(let value): "\(value)"
        case .int(let value): "\(value)"
        case .double(let value): "\(value)"
        case .string(let value): "the text '\(value.prefix(60))'"
        case .sequence: "a list"
        case .mapping: "a section"
        }
    }
}

// MARK: - Scalars

extension YAMLValue {
    /// What a scalar written without quotes means.
    init(plainScalar text: String) {
        if let number = YAMLValue.number(text) {
            self = number
            return
        }
        switch text {
        case "", "~", "null", "Null", "NULL": self = .null
        case "true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON": self = .bool(true)
        case "false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF": self = .bool(false)
        default: self = .string(text)
        }
    }

    /// A number in YAML 1.1's notations, except base 60; nil when the text is none. An integer beyond 64 bits becomes a double.
    private static func number(_ text: String) -> YAMLValue? {
        guard let first = text.utf8.first, text.utf8.count <= 400 else { return nil }
        let signed = first == UInt8(ascii: "-") || first == UInt8(ascii: "+")
        let negative = first == UInt8(ascii: "-")
        let body = String(signed ? text.dropFirst() : text[...]).replacing("_", with: "")
        switch body.lowercased() {
        case ".inf": return .double(negative ? -.infinity : .infinity)
        case ".nan": return signed ? nil : .double(.nan)
        default: break
        }
        guard let digit = body.utf8.first, digit == UInt8(ascii: ".") || isDigit(digit), !text.hasPrefix("_") else {
            return nil
        }
        // `08` is no octal number, and more likely a name than eight.
        let isLikelyName = body.hasPrefix("0") && body.utf8.allSatisfy(isDigit) && body.utf8.contains { $0 > 0x37 }
        guard !isLikelyName else { return nil }
        if let integer = integer(body, negative: negative) { return integer }
        let allowed = body.utf8.allSatisfy { isDigit($0) || "+-.eE".utf8.contains($0) }
        guard allowed, body.utf8.contains(where: isDigit), let value = Double(body.hasSuffix(".") ? body + "0" : body)
        else {
            return nil
        }
        return .double(negative ? -value : value)
    }

    private static func integer(_ body: String, negative: Bool) -> YAMLValue? {
        var digits = body[...]
        var radix = 10
        if body.hasPrefix("0x") || body.hasPrefix("0X") {
            (digits, radix) = (body.dropFirst(2), 16)
        } else if body.hasPrefix("0b") {
            (digits, radix) = (body.dropFirst(2), 2)
        } else if body.hasPrefix("0o") {
            (digits, radix) = (body.dropFirst(2), 8)
        } else if body.count > 1, body.hasPrefix("0"), body.utf8.allSatisfy({ (0x30...0x37).contains($0) }) {
            radix = 8
        }
        guard let first = digits.utf8.first, first != UInt8(ascii: "+"), first != UInt8(ascii: "-") else { return nil }
        if let value = Int((negative ? "-" : "") + String(digits), radix: radix) { return .int(value) }
        guard radix == 10, digits.utf8.allSatisfy(isDigit), let value = Double(String(digits)) else { return nil }
        return .double(negative ? -value : value)
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
}
