import Foundation
import Testing

@testable import TortoiseCore

/// The bytes that `Tools/goldens/weights.py` puts into a tensor: byte k is (73 k + seed) mod 256.
func patternBytes(_ dtype: DType, _ shape: [Int], seed: Int) -> [UInt8] {
    (0..<shape.reduce(1, *) * dtype.byteCount).map {
        let byte = UInt8(truncatingIfNeeded: 73 * $0 + seed)
        return dtype == .bool ? byte & 1 : byte
    }
}

/// A tensor of pattern bytes on its way to a file.
func patternSource(_ dtype: DType, _ shape: [Int], seed: Int) -> TensorSource {
    TensorSource(patternBytes(dtype, shape, seed: seed), dtype: dtype, shape: shape)
}

/// The element types in the order in which the golden script numbers them.
let goldenDTypes: [DType] = [
    .float32, .float16, .bfloat16, .float64, .int8, .uint8, .int16, .int32, .int64, .bool,
]

/// The tensors of `every_dtype()` in the golden script.
let goldenTensors: [(name: String, dtype: DType, shape: [Int], seed: Int)] =
    goldenDTypes.enumerated().map { ($1.rawValue, $1, [3, 5], $0 + 1) } + [
        ("empty", .float32, [0, 4], 0), ("scalar", .float32, [], 40), ("quoted \"é\" \\ \u{1}", .float32, [2], 41),
    ]

/// Calls a closure with the path of a new folder, and removes the folder afterwards.
@discardableResult
func withTemporaryFolder<Result>(_ body: (String) throws -> Result) throws -> Result {
    let folder = FileManager.default.temporaryDirectory.appending(path: "tortoise-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    return try body(folder.path)
}

/// Writes bytes to a file of a temporary folder and calls a closure with its path.
@discardableResult
func withTemporaryFile<Result>(_ bytes: [UInt8], _ body: (String) throws -> Result) throws -> Result {
    try withTemporaryFolder { folder in
        let path = "\(folder)/file"
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        return try body(path)
    }
}

extension TensorBytes {
    /// The bytes as an array.
    var array: [UInt8] { withUnsafeBytes { Array($0) } }
}

/// The bytes of a golden file.
func goldenBytes(_ path: String) throws -> [UInt8] {
    Array(try Data(contentsOf: golden(path)))
}

/// Writes a file and expects the bytes of a golden that `Tools/check_weights.py` loaded with the official readers.
///
/// To change a writer, run its test with `TORTOISE_RECORD` naming the folder of the goldens, then that script.
func expectWritten(_ name: String, _ write: (String) throws -> Void) throws {
    try withTemporaryFolder { folder in
        let path = "\(folder)/\(name)"
        try write(path)
        let written = try Data(contentsOf: URL(fileURLWithPath: path))
        if let record = ProcessInfo.processInfo.environment["TORTOISE_RECORD"] {
            try written.write(to: URL(fileURLWithPath: "\(record)/\(name)"))
        } else {
            #expect(try Array(written) == goldenBytes("Weights/\(name)"))
        }
    }
}
