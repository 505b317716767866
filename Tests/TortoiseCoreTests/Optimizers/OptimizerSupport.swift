import Foundation
import Testing

@testable import TortoiseCore

/// The arrays of a golden file, as float32.
struct GoldenArrays {
    private let reader: SafetensorsReader

    init(_ path: String) throws { reader = try SafetensorsReader(path: golden(path).path) }

    func tensor(_ name: String) throws -> Tensor { try Tensor(floats(name), shape: reader.descriptor(name).shape) }
    func floats(_ name: String) throws -> [Float] { try elements(name, as: Float.self, .float32) }
    func doubles(_ name: String) throws -> [Double] { try elements(name, as: Double.self, .float64) }
    func bytes(_ name: String) throws -> [UInt8] { try elements(name, as: UInt8.self, .uint8) }
    func has(_ name: String) -> Bool { reader.entries[name] != nil }

    private func elements<Element: BitwiseCopyable>(_ name: String, as type: Element.Type, _ dtype: DType) throws
        -> [Element]
    {
        let descriptor = try reader.descriptor(name)
        try #require(descriptor.dtype == dtype)
        return try reader.bytes(name).withUnsafeBytes { bytes in
            (0..<descriptor.count).map {
                bytes.loadUnaligned(fromByteOffset: $0 * MemoryLayout<Element>.stride, as: type)
            }
        }
    }
}

/// A trainable parameter.
func trainable(_ name: String, _ values: Tensor) -> Parameter {
    let parameter = Parameter(name: name, value: values)
    parameter.isTrainable = true
    return parameter
}

/// Gradients by parameter, as a backward pass would give them.
func gradients(_ pairs: [(Parameter, Tensor)]) throws -> Gradients {
    var result = Gradients()
    for (parameter, gradient) in pairs { result.accumulate(gradient, at: try #require(parameter.value.node).id) }
    return result
}

extension StateDictionary {
    /// All names and bits, for exact comparison.
    var fingerprint: [String: [UInt8]] {
        var result: [String: [UInt8]] = [:]
        for (name, value) in scalars { result[name] = withUnsafeBytes(of: value, Array.init) }
        for (name, tensor) in tensors { result[name] = tensor.bytes }
        return result
    }
}

extension Tensor {
    /// The bits of a dense tensor.
    var bytes: [UInt8] {
        withExtendedLifetime(storage) {
            Array(
                UnsafeRawBufferPointer(start: storage.base + offset * dtype.byteCount, count: count * dtype.byteCount))
        }
    }
}

/// The instruction sets of this processor.
let availableInstructionSets = TortoiseCore.InstructionSet.allCases.filter(\.isAvailable)
