extension PickleValue {
    /// The value as JSON, as Python's `json.dumps(…, ensure_ascii=False)` gives it; nil when it holds tensors,
    /// arrays, bytes or integers beyond 64 bits.
    ///
    /// Dictionaries keep their order. Keys that are no strings are written as Python writes them.
    public var json: String? {
        switch self {
        case .none: return "null"
        case .bool(let value): return value ? "true" : "false"
        case .integer(let value): return String(value)
        case .float(let value):
            if value.isNaN { return "NaN" }
            return value.isInfinite ? (value > 0 ? "Infinity" : "-Infinity") : value.description
        case .string(let text), .name(let text): return jsonString(text)
        case .tuple(let items), .list(let items), .set(let items):
            let parts = items.compactMap(\.json)
            return parts.count == items.count ? "[\(parts.joined(separator: ", "))]" : nil
        case .dictionary(let pairs):
            let parts = pairs.compactMap { pair -> String? in
                guard let key = pair.key.keyText, let value = pair.value.json else { return nil }
                return "\(jsonString(key)): \(value)"
            }
            return parts.count == pairs.count ? "{\(parts.joined(separator: ", "))}" : nil
        case .largeInteger, .bytes, .tensor, .array: return nil
        }
    }

    /// The text of a dictionary's key: strings as they are, numbers in digits; nil for what cannot name anything.
    var keyText: String? {
        switch self {
        case .string(let text): text
        case .integer(let value): String(value)
        case .bool(let value): value ? "true" : "false"
        case .float(let value): value.description
        case .none: "null"
        default: nil
        }
    }
}
