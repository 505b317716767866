import Foundation
import Testing

@testable import TortoiseCore

@Suite struct WeightsTorchReadTests {
    private func open(_ name: String) throws -> TorchReader {
        try TorchReader(path: golden("Weights/\(name)").path)
    }

    /// The bytes of the tensor of seed 50 at row-major indices that a view picks.
    private func base(_ indices: [Int]) -> [UInt8] {
        let bytes = patternBytes(.float32, [4, 6], seed: 50)
        return indices.flatMap { bytes[4 * $0..<4 * $0 + 4] }
    }

    @Test(arguments: ["zip.pth", "legacy.pth"])
    func readsEveryTypeAndView(_ name: String) throws {
        let reader = try open(name)
        for (name, dtype, shape, seed) in goldenTensors {
            let descriptor = try reader.descriptor(name)
            #expect(descriptor.dtype == dtype && descriptor.shape == shape)
            #expect(try reader.bytes(name).array == patternBytes(dtype, shape, seed: seed))
        }
        let views: [(name: String, shape: [Int], indices: [Int])] = [
            ("base", [4, 6], Array(0..<24)),
            ("transposed", [4, 2], (1..<5).flatMap { column in (1..<3).map { 6 * $0 + column } }),
            ("column", [4], [2, 8, 14, 20]),
            ("repeated", [3, 6], Array(6..<12) + Array(6..<12) + Array(6..<12)),
            ("parameter", [2, 6], Array(12..<24)),
            ("every_other", [2, 2], [0, 3, 12, 15]),
        ]
        for (name, shape, indices) in views {
            #expect(try reader.descriptor(name).shape == shape)
            #expect(try reader.bytes(name).array == base(indices))
        }
        // Dense tensors are used where they lie; views of one storage share its bytes.
        guard case .mapped(_, let whole) = try reader.bytes("base"),
            case .mapped(_, let part) = try reader.bytes("parameter")
        else { return #expect(Bool(false), "a dense tensor was copied") }
        #expect(part == whole.lowerBound + 48..<whole.upperBound)
    }

    @Test(arguments: ["zip.pth", "legacy.pth"])
    func unwrapsTheWeightsAndKeepsTheRestAsMetadata(_ name: String) throws {
        let reader = try open(name)
        let expected = Set(
            goldenTensors.map(\.name)
                + ["base", "transposed", "column", "repeated", "parameter", "every_other", "h.0.lora_A"])
        #expect(Set(reader.names) == expected && reader.entries.count == expected.count)
        #expect(try reader.bytes("h.0.lora_A").array == patternBytes(.float16, [2, 3], seed: 60))
        #expect(
            reader.metadata == [
                "stats": #"{"global_step": 12, "loss": 0.5}"#, "config": #"{"name": "autoregressive", "path": null}"#,
                "note": "a text",
            ])
        let state = reader.root["optimizer"]?["state"]?.pairs?.first
        #expect(state?.key == 0 && state?.value["step"] == 3)
        let average = try #require(state?.value["exp_avg"]?.tensor)
        #expect(try reader.bytes(of: average).array == patternBytes(.float32, [2], seed: 61))
    }

    @Test func reachesBareTensorsAndTuples() throws {
        #expect(try open("bare.pth").bytes("tensor").array == patternBytes(.float32, [80], seed: 80))
        let latents = try open("latents.pth")
        #expect(latents.names == ["0", "1"])
        #expect(try latents.bytes("1").array == patternBytes(.float32, [1, 8], seed: 82))
        #expect(latents.root[0]?.tensor == latents.entries["0"])
    }

    @Test(arguments: ["vocoder.pth", "zip64.pth", "rootless.pth"])
    func readsArchivesOfAnyPrefixAndSize(_ name: String) throws {
        let reader = try open(name)
        #expect(reader.names == ["a.weight"] && reader.metadata == ["epoch": "3"])
        #expect(try reader.bytes("a.weight").array == patternBytes(.float32, [2], seed: 83))
    }

    @Test(arguments: 1...5)
    func readsPlainValuesOfEveryProtocol(_ version: Int) throws {
        let root = try open("protocol\(version).pth").root
        expectPlainValues(root)
        #expect(root["size"] == .tuple([1, 2]))
        #expect(root["device"] == "cuda:1")
        #expect(root["dtype"] == .name("torch.bfloat16"))
        #expect(root["numpy_float"] == 2.5 && root["numpy_int"] == -4 && root["numpy_bool"] == true)
        #expect(root["path"] == "/a/b")
        #expect(root["default"] == ["k": [1]])
        let array = try #require(root["array"]?.array)
        #expect(array.shape == [2, 3] && array.denseBytes().array == patternBytes(.float32, [2, 3], seed: 70))
        let bigEndian = patternBytes(.int16, [3], seed: 71)
        #expect(root["big_endian"]?.array?.denseBytes().array == [1, 0, 3, 2, 5, 4].map { bigEndian[$0] })
        #expect(root["fortran"]?.array?.denseBytes().array == patternBytes(.int16, [2, 3], seed: 72))
        #expect(root["fortran"]?.array?.element == .uint16)
    }

    @Test func decidesByContent() throws {
        #expect(try openCheckpoint(path: golden("Weights/legacy.pth").path) is TorchReader)
        #expect(try openCheckpoint(path: golden("Weights/zip.pth").path) is TorchReader)
        #expect(try openCheckpoint(path: golden("Weights/dtypes.safetensors").path) is SafetensorsReader)
        for (bytes, hint) in [
            (Array("version https://git-lfs.github.com/spec/v1\n".utf8), "Git LFS"),
            (Array("<!doctype html>".utf8), "web page"),
            ([], "empty"), ([0x80, 2, 0x4E, 0x2E], "bare pickle"),
            ([UInt8](repeating: 0, count: 257) + Array("ustar".utf8), "tar"),
        ] {
            try withTemporaryFile(bytes) { path in
                #expect { try openCheckpoint(path: path) } throws: { "\($0)".contains(hint) }
            }
        }
    }

    @Test func refusesWhatCannotBeMapped() throws {
        #expect { try open("deflated.pth") } throws: { "\($0)".contains("compressed") && "\($0)".contains("zip -0") }
        let bytes = try goldenBytes("Weights/zip.pth")
        try withTemporaryFile(Array(bytes.dropLast(100))) { path in
            #expect { try TorchReader(path: path) } throws: { "\($0)".contains("no directory at its end") }
        }
    }

    @Test(arguments: ["zip.pth", "legacy.pth", "protocol4.pth", "zip64.pth"])
    func mutationsNeverTrap(_ name: String) throws {
        let original = try goldenBytes("Weights/\(name)")
        try expectNoTrap(original, rounds: 1_500, seed: 2, dense: 0..<original.count) { file in
            let reader = try TorchReader(file)
            for name in reader.names { _ = try reader.bytes(name).array }
        }
    }

    /// The pickle alone, so that a change of its length does not already break the archive around it.
    @Test(arguments: ["zip.pth", "protocol2.pth", "protocol5.pth"])
    func mutationsOfThePickleNeverTrap(_ name: String) throws {
        let archive = try ZipArchive(MappedFile(path: golden("Weights/\(name)").path))
        let prefix = name.dropLast(4)
        let original = Array(archive.file.bytes[try #require(try archive.range(of: "\(prefix)/data.pkl"))])
        try expectNoTrap(original, rounds: 4_000, seed: 4, dense: 0..<original.count) { file in
            var machine = PickleMachine(file, start: 0, end: file.bytes.count)
            let id = try machine.run()
            let root = try machine.value(id) { storage in
                guard storage.count * storage.elementByteCount <= file.bytes.count else {
                    throw machine.malformed("no room for the storage")
                }
                return 0
            }
            let view = try CheckpointView(root, of: file)
            for descriptor in view.entries.values { _ = try descriptor.bytes(in: file).array }
        }
    }
}

/// Expects what `plain_values()` of the golden script holds.
func expectPlainValues(_ root: CheckpointValue, sourceLocation: SourceLocation = #_sourceLocation) {
    let expected: CheckpointValue = [
        "none": .none, "yes": true, "no": false, "small": 7, "negative": -3, "wide": 70000,
        "wider": .integer(1 << 40), "lowest": .integer(.min), "huge": .largeInteger([5, 0, 0, 0, 0, 0, 0, 0, 0x40]),
        "hugely_negative": .largeInteger([0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFE]),
        "float": 0.1, "text": "é\n😀\\ŷ", "empty": "", "list": [1, [2, [3]]], "tuple": .tuple([1, 2, 3, 4]),
        "pair": .tuple([1, 2]), "nothing": .tuple([]), "bytes": .bytes(.copied([0, 0xFF])),
        "nested": ["a": ["b": ["c": 1]]], "set": .set([3]), "ordered": ["x": 1, "y": 2],
    ]
    for pair in expected.pairs ?? [] {
        #expect(root[pair.key.text ?? ""] == pair.value, sourceLocation: sourceLocation)
    }
    #expect(root.pairs?.first { $0.key == 5 }?.value == "five", sourceLocation: sourceLocation)
}
