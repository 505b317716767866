import Foundation
import Testing

@testable import TortoiseCore

@Suite struct NumPyFileTests {
    private func path(_ name: String) throws -> String {
        try golden("Weights/NumPy/\(name)").path
    }

    /// The golden script's bytes for an array.
    private func pattern(_ element: NumPyElement, count: Int, seed: Int) -> [UInt8] {
        (0..<count * element.byteCount).map {
            let byte = UInt8(truncatingIfNeeded: 73 * $0 + seed)
            return element == .bool ? byte & 1 : byte
        }
    }

    private static let types: [(element: NumPyElement, name: String)] = [
        (.bool, "bool"), (.int8, "int8"), (.int16, "int16"), (.int32, "int32"), (.int64, "int64"), (.uint8, "uint8"),
        (.uint16, "uint16"), (.uint32, "uint32"), (.uint64, "uint64"), (.float16, "float16"), (.float32, "float32"),
        (.float64, "float64"),
    ]

    @Test(arguments: types.indices)
    func readsAndWritesEveryTypeAsNumPy(_ index: Int) throws {
        let (element, name) = Self.types[index]
        let array = try NumPyFile.readArray(path: path("type-\(name).npy"))
        #expect(array.element == element && array.shape == [2, 3])
        #expect(array.denseBytes().array == pattern(element, count: 6, seed: 90 + index))
        try withTemporaryFolder { folder in
            try NumPyFile.write(array, to: "\(folder)/a.npy")
            let written = Array(try Data(contentsOf: URL(fileURLWithPath: "\(folder)/a.npy")))
            #expect(written == (try goldenBytes("Weights/NumPy/type-\(name).npy")))
        }
    }

    @Test func readsOtherOrdersAndVersions() throws {
        let fortran = try NumPyFile.readArray(path: path("fortran.npy"))
        #expect(fortran.isFortranOrder && fortran.shape == [2, 3, 4])
        #expect(fortran.denseBytes().array == pattern(.float32, count: 24, seed: 110))
        let bigEndian = try NumPyFile.readArray(path: path("big-endian.npy"))
        let bytes = pattern(.float64, count: 4, seed: 111)
        let swapped = stride(from: 0, to: 32, by: 8).flatMap { bytes[$0..<$0 + 8].reversed() }
        #expect(bigEndian.denseBytes().array == swapped)
        let scalar = try NumPyFile.readArray(path: path("scalar.npy"))
        #expect(scalar.shape == [] && scalar.storedBytes.array == pattern(.float32, count: 1, seed: 112))
        for version in 2...3 {
            let array = try NumPyFile.readArray(path: path("version\(version).npy"))
            #expect(array.shape == [5] && array.storedBytes.array == pattern(.float32, count: 5, seed: 113))
        }
    }

    @Test func givesTypedValues() throws {
        let array = NumPyArray([1, -2, 3] as [Float], shape: [3])
        #expect(try array.values() == [1, -2, 3] as [Float])
        #expect(throws: InputError.self) { try array.values(as: Double.self) }
        #expect(array.integers() == nil)
        #expect(NumPyArray([1, .max] as [UInt64], shape: [2]).integers() == nil)
        #expect(NumPyArray([1, 65_535] as [UInt16], shape: [2]).integers() == [1, 65_535])
    }

    @Test func readsArchives() throws {
        let contents = try NumPyFile.readArchive(path: path("archive.npz"))
        guard case .array(let first) = contents["first"], case .array(let second) = contents["second"] else {
            return #expect(Bool(false), "the archive lacks its arrays")
        }
        #expect(first.storedBytes.array == pattern(.float32, count: 2, seed: 114))
        #expect(second.shape == [] && second.storedBytes.array == pattern(.int64, count: 1, seed: 115))
        #expect { try NumPyFile.readArchive(path: path("compressed.npz")) } throws: { "\($0)".contains("compressed") }
    }

    @Test(arguments: 0...5)
    func readsObjectsOfEveryProtocol(_ version: Int) throws {
        guard case .object(let root) = try NumPyFile.read(path: path("object\(version).npy")) else {
            return #expect(Bool(false), "expected an object")
        }
        expectPlainValues(root)
    }

    @Test(arguments: [("text.npy", "<U1"), ("fields.npy", "fields")])
    func namesWhatItDoesNotHold(_ name: String, _ reason: String) throws {
        #expect { try NumPyFile.read(path: path(name)) } throws: { "\($0)".contains(reason) }
    }

    @Test(arguments: [
        "{'descr': '<f4', 'fortran_order': False, 'shape': (9223372036854775807, 4), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }",
        "{'descr': '<f4', 'fortran_order': Frue, 'shape': (1,), }",
        "{'descr': '<f4', 'fortran_order': False}", "{'descr': '<f4', 'shape': (", "{'descr", "{",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'more': 1}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (__import__('os').system('id'),)}",
    ])
    func refusesAMalformedHeader(_ header: String) throws {
        let bytes = NumPyFile.magic + [1, 0] + little(UInt16(header.utf8.count)) + Array(header.utf8) + [0, 0, 0, 0]
        try withTemporaryFile(bytes) { path in
            #expect(throws: InputError.self) { try NumPyFile.read(path: path) }
        }
    }

    @Test func mutationsNeverTrap() throws {
        for name in ["object2.npy", "object4.npy", "fortran.npy", "artifact.mel"] {
            let original = try goldenBytes("Weights/NumPy/\(name)")
            try expectNoTrap(original, rounds: 1_000, seed: 3, dense: 0..<original.count) { file in
                switch try NumPyFile.read(path: file.path) {
                case .array(let array): _ = array.denseBytes()
                case .object(let root): _ = root.json
                }
            }
        }
    }
}
