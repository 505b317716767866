import Foundation
import Yams

extension YAMLValue {
    /// The value as YAML text that both this package and YAML 1.1 readers (PyYAML) read back to the same value.
    ///
    /// - Throws: `InputError` when the value holds text that YAML cannot carry.
    public func serialized() throws -> String {
        do {
            return try Yams.serialize(node: node, width: 120, allowUnicode: true)
        } catch {
            throw InputError.usage("cannot be written as YAML: \(error)")
        }
    }

    /// The value as a tree of the YAML library.
    var node: Node {
        switch self {
        case .null: Node("null", .implicit, .plain)
        case .bool(let value): Node(value ? "true" : "false", .implicit, .plain)
        case .int(let value): Node(String(value), .implicit, .plain)
        case .double(let value): Node(Self.spelling(of: value), .implicit, .plain)
        case .string(let value): Self.node(for: value)
        case .sequence(let values):
            // Lists of plain values stay on one line, as in `duration_range: [1.0, 12.0]`.
            Node(values.map(\.node), .implicit, values.allSatisfy(\.isScalar) && values.count <= 8 ? .flow : .block)
        case .mapping(let entries):
            Node(entries.map { (Self.node(for: $0.key), $0.value.node) }, .implicit, entries.isEmpty ? .flow : .block)
        }
    }

    private var isScalar: Bool {
        switch self {
        case .sequence, .mapping: false
        default: true
        }
    }

    /// YAML 1.1 calls `1e-05` text: a number needs its point, and its exponent a sign.
    private static func spelling(of value: Double) -> String {
        guard value.isFinite else { return value.isNaN ? ".nan" : value < 0 ? "-.inf" : ".inf" }
        let text = "\(value)"
        guard let exponent = text.firstIndex(of: "e"), !text.contains(".") else { return text }
        return text[..<exponent] + ".0" + text[exponent...]
    }

    private static func node(for text: String) -> Node {
        var isText = false
        if case .string = YAMLValue(plainScalar: text) { isText = true }
        // Base-60 numbers, dates and the merge and value keys mean something to YAML 1.1 readers: first character decides.
        let first = text.utf8.first ?? 0
        let isSafe = isText && !(0x30...0x39).contains(first) && !"+-.=<~".utf8.contains(first)
        return Node(text, .implicit, isSafe ? .any : .doubleQuoted)
    }
}
