import Foundation
import Testing

@testable import TortoiseCore

@Suite struct WeightsSafetensorsTests {
    @Test func readsEveryTypeAsTheOfficialWriterWroteIt() throws {
        let reader = try SafetensorsReader(path: golden("Weights/dtypes.safetensors").path)
        #expect(reader.metadata == ["config": #"{"a": "é\n"}"#])
        #expect(Set(reader.names) == Set(goldenTensors.map(\.name)))
        for (name, dtype, shape, seed) in goldenTensors {
            let descriptor = try reader.descriptor(name)
            #expect(descriptor.dtype == dtype && descriptor.shape == shape)
            #expect(try reader.bytes(name).array == patternBytes(dtype, shape, seed: seed))
        }
    }

    @Test func writesTheOfficialBytes() throws {
        try withTemporaryFolder { folder in
            let path = "\(folder)/written.safetensors"
            try SafetensorsWriter.write(
                goldenTensors.shuffled().map { ($0.name, patternSource($0.dtype, $0.shape, seed: $0.seed)) },
                metadata: ["config": #"{"a": "é\n"}"#], to: path)
            let written = Array(try Data(contentsOf: URL(fileURLWithPath: path)))
            #expect(written == (try goldenBytes("Weights/dtypes.safetensors")))
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["written.safetensors"])
        }
    }

    @Test func streamsTensorsLargerThanAChunk() throws {
        try withTemporaryFolder { folder in
            let count = 3 * TensorSource.chunkByteCount / 4 + 5
            let values = (0..<count).map { Float($0) }
            var offsets: [Int] = []
            let streamed = TensorSource(dtype: .float32, shape: [count]) { offset, chunk in
                offsets.append(offset)
                values.withUnsafeBytes { chunk.copyMemory(from: .init(rebasing: $0[offset..<offset + chunk.count])) }
            }
            try values.withUnsafeBytes { bytes in
                try SafetensorsWriter.write(
                    [("a", streamed), ("b", TensorSource(dtype: .float32, shape: [count], bytes: bytes))],
                    to: "\(folder)/w")
            }
            #expect(offsets == (0...3).map { $0 * TensorSource.chunkByteCount })
            let reader = try SafetensorsReader(path: "\(folder)/w")
            for name in ["a", "b"] {
                #expect(try reader.bytes(name).withUnsafeBytes { $0.bindMemory(to: Float.self).elementsEqual(values) })
            }
        }
    }

    @Test func namesTheNearestTensor() throws {
        let reader = try SafetensorsReader(path: golden("Weights/dtypes.safetensors").path)
        #expect(throws: InputError.self) { try reader.bytes("float31") }
        #expect { try reader.bytes("float31") } throws: { "\($0)".contains("did you mean float32") }
    }

    /// A file with this header and this many bytes after it.
    private func file(_ header: String, _ byteCount: Int, claimed: UInt64? = nil) -> [UInt8] {
        withUnsafeBytes(of: (claimed ?? UInt64(header.utf8.count)).littleEndian) { Array($0) }
            + Array(header.utf8) + [UInt8](repeating: 0, count: byteCount)
    }

    /// A header of these entries.
    private static func header(_ entries: String...) -> String {
        "{\(entries.joined(separator: ","))}"
    }

    /// An entry for a vector of floats at these bytes.
    private static func float(_ name: String, _ count: any CustomStringConvertible & Sendable, _ start: Int, _ end: Int)
        -> String
    {
        #""\#(name)":{"dtype":"F32","shape":[\#(count)],"data_offsets":[\#(start),\#(end)]}"#
    }

    @Test(arguments: [
        (header(float("a", 1, 0, 4), float("a", 1, 4, 8)), 8, "twice"),
        (header(float("a", 2, 0, 4)), 4, "does not fill"),
        (header(float("a", 1, 4, 8)), 8, "gap"),
        (header(float("a", 1, 0, 4)), 8, "take 4 bytes"),
        (header(float("a", 1, 0, 4)), 3, "take 4 bytes"),
        (header(float("a", 1, 0, 4), float("b", 1, 2, 6)), 6, "overlaps"),
        (header(float("a", 1, 0, 4), float("b", 1, 0, 4)), 4, "overlaps"),
        (header(float("a", 1, 4, 0)), 4, "ends before it starts"),
        (#"{"a":{"dtype":"F8_E4M3","shape":[4],"data_offsets":[0,4]}}"#, 4, "F8_E4M3"),
        (#"{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}}"#, 0, "does not fill"),
        (header(float("a", "99999999999999999999", 0, 0)), 0, "exceeds 64 bits"),
        (#"{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,0]}}"#, 0, "unsigned integer"),
        (#"{"a":{"dtype":"F32","shape":[1.0],"data_offsets":[0,4]}}"#, 4, "expected ]"),
        (header(float("a", "01", 0, 4)), 4, "starts with 0"),
        (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4,8]}}"#, 4, "more than 2 items"),
        (#"{"a":{"dtype":"F32","shape":[1]}}"#, 4, "lacks"),
        (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"dtype":"F32"}}"#, 4, "gives dtype twice"),
        (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"extra":[[[]]]}}"#, 4, "unknown field extra"),
        (#"{"__metadata__":{"a":1}}"#, 0, "expected \""),
        (#"{"__metadata__":{"a":"1","a":"2"}}"#, 0, "twice"),
        (#"{"__metadata__":{"a":"\ud800"}}"#, 0, "surrogate"),
        (#"{"__metadata__":{"a":"\x"}}"#, 0, "unknown escape"),
        (#"{"__metadata__":{"a":"1"}} x"#, 0, "last brace"),
        (#" {}"#, 0, "starts with {"),
        (#"{"#, 0, "expected"),
        (#"{"a"#, 0, "end of a string"),
    ])
    func refusesAMalformedHeader(_ header: String, _ byteCount: Int, _ reason: String) throws {
        try withTemporaryFile(file(header, byteCount)) { path in
            #expect { try SafetensorsReader(path: path) } throws: { error in
                "\(error)".contains(reason) && "\(error)".contains(path) && error is InputError
            }
        }
    }

    @Test(arguments: [0, 1 << 40, UInt64.max, 100_000_001])
    func refusesAnImpossibleHeaderLength(_ length: UInt64) throws {
        try withTemporaryFile(file("{}", 0, claimed: length)) { path in
            #expect(throws: InputError.self) { try SafetensorsReader(path: path) }
        }
    }

    @Test func readsEscapesOfEveryKind() throws {
        let header = #"{"__metadata__":{"k":"\"\\\/\b\f\n\r\té\u00e9\ud83d\ude00"}}  "#
        try withTemporaryFile(file(header, 0)) { path in
            let value = try SafetensorsReader(path: path).metadata["k"]
            #expect(value == "\"\\/\u{8}\u{C}\n\r\téé😀")
        }
    }

    @Test func mutationsNeverTrap() throws {
        let original = try goldenBytes("Weights/dtypes.safetensors")
        try expectNoTrap(original, rounds: 10_000, seed: 1, dense: 0..<1100) { file in
            let reader = try SafetensorsReader(file)
            for name in reader.names { _ = try reader.bytes(name).array }
        }
    }
}
