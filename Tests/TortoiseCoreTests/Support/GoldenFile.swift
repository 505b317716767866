import Foundation
import Testing

@testable import TortoiseCore

/// One operation applied to some inputs by PyTorch.
///
/// Keys in the file: `name/input0` …, `name/output`, `name/upstream` (the gradient of the output) and `name/gradientN`
/// for every input that has one; the attributes are JSON in the file's metadata, under the case's name.
struct GoldenCase {
    let name: String
    let inputs: [Tensor]
    let output: Tensor
    let upstream: Tensor?
    /// By input; `nil` for an input that is not differentiated.
    let gradients: [Tensor?]
    let attributes: JSONValue

    func int(_ key: String) throws -> Int { try wanted(attributes[key]?.integerValue, key) }
    func bool(_ key: String) throws -> Bool { try wanted(attributes[key]?.boolValue, key) }
    func string(_ key: String) throws -> String { try wanted(attributes[key]?.stringValue, key) }
    func has(_ key: String) -> Bool { attributes[key] != nil }

    func float(_ key: String) throws -> Float {
        switch attributes[key] {
        case .integer(let value): Float(value)
        case .number(let value): Float(value)
        default: throw InputError.data("no number \(key)", at: name)
        }
    }

    func ints(_ key: String) throws -> [Int] {
        guard case .array(let values) = attributes[key] else { throw InputError.data("no list \(key)", at: name) }
        return try values.map { try wanted($0.integerValue, key) }
    }

    private func wanted<Value>(_ value: Value?, _ key: String) throws -> Value {
        guard let value else { throw InputError.data("no such value as \(key)", at: name) }
        return value
    }
}

/// A safetensors file of goldens.
struct GoldenFile {
    private let reader: SafetensorsReader

    /// - Parameter path: Below `Goldens`, such as `Ops/softmax.safetensors`.
    init(_ path: String) throws { reader = try SafetensorsReader(path: golden(path).path) }

    /// All keys in the file's order.
    var keys: [String] { reader.names }

    /// The names of the cases, sorted.
    var names: [String] {
        Set(keys.filter { $0.hasSuffix("/output") }.map { String($0.dropLast("/output".count)) }).sorted()
    }

    /// The cases whose names start so; there must be some.
    func cases(_ prefix: String = "") throws -> [GoldenCase] {
        let found = names.filter { $0.hasPrefix(prefix) }
        try #require(!found.isEmpty, "no case starts with \(prefix); there are \(names)")
        return try found.map { try self[$0] }
    }

    subscript(_ name: String) -> GoldenCase {
        get throws {
            let inputCount = (0...).first { !has("\(name)/input\($0)") } ?? 0
            let attributes = reader.metadata[name] ?? "{}"
            return GoldenCase(
                name: name, inputs: try (0..<inputCount).map { try tensor("\(name)/input\($0)") },
                output: try tensor("\(name)/output"), upstream: try optionalTensor("\(name)/upstream"),
                gradients: try (0..<inputCount).map { try optionalTensor("\(name)/gradient\($0)") },
                attributes: try JSONValue(parsing: attributes.utf8, at: name))
        }
    }

    func has(_ key: String) -> Bool { reader.entries[key] != nil }

    /// The metadata under a key.
    func metadata(_ key: String) throws -> JSONValue {
        try JSONValue(parsing: #require(reader.metadata[key], "no metadata \(key)").utf8, at: key)
    }

    /// A copy of a tensor, float32 or int32.
    func tensor(_ key: String) throws -> Tensor {
        let descriptor = try reader.descriptor(key)
        let result = Tensor(uninitialized: descriptor.shape, dtype: descriptor.dtype)
        try reader.bytes(key).withUnsafeBytes { bytes in
            UnsafeMutableRawBufferPointer(start: result.storage.base, count: bytes.count).copyMemory(from: bytes)
        }
        return result
    }

    private func optionalTensor(_ key: String) throws -> Tensor? { has(key) ? try tensor(key) : nil }
}
