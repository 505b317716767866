import Foundation
import Testing

@testable import TortoiseCore

@Suite struct WeightsTorchWriteTests {
    private var tensors: [(name: String, tensor: TensorSource)] {
        goldenTensors.map { ($0.name, patternSource($0.dtype, $0.shape, seed: $0.seed)) }
    }

    private var content: CheckpointContent {
        [
            "module": .dictionary(tensors.map { .init(.string($0.name), .tensor($0.tensor)) }),
            "stats": ["global_step": 12, "loss": 0.5, "big": .integer(.min), "none": .none],
            "config": ["name": "autoregressive", "list": [1, 300, 70_000, -1, true, false], "empty": []],
            "tuple": .tuple([.tensor(patternSource(.float32, [1, 4], seed: 81)), .tuple([])]),
            "set": .set([3]), "dtype": .name("torch.float16"), "bytes": .bytes(.copied([0, 0xFF])),
            "optimizer": ["state": .dictionary([.init(0, ["step": 3])])],
        ]
    }

    @Test func writesTheBytesThatTorchWasSeenToLoad() throws {
        try expectWritten("written.pth") { try TorchWriter.write(content, to: $0) }
    }

    @Test func writesZip64WhereNumbersNeedIt() throws {
        try expectWritten("written-zip64.pth") { try TorchWriter.write(content, to: $0, zip64Threshold: 20) }
    }

    @Test(arguments: [0xFFFF_FFFF, 20])
    func readsItsOwnFiles(_ threshold: Int) throws {
        try withTemporaryFolder { folder in
            let path = "\(folder)/a.pth"
            try TorchWriter.write(content, to: path, zip64Threshold: threshold)
            let reader = try TorchReader(path: path)
            #expect(reader.names == goldenTensors.map(\.name))
            for (name, dtype, shape, seed) in goldenTensors {
                #expect(try reader.descriptor(name).dtype == dtype && reader.descriptor(name).shape == shape)
                #expect(try reader.bytes(name).array == patternBytes(dtype, shape, seed: seed))
                #expect(try reader.descriptor(name).byteOffset.isMultiple(of: 64))
            }
            for key in ["stats", "config", "set", "dtype", "bytes", "optimizer"] {
                #expect("\(String(describing: reader.root[key]))" == "\(String(describing: reread(content[key])))")
            }
            let tensor = try #require(reader.root["tuple"]?[0]?.tensor)
            #expect(try reader.bytes(of: tensor).array == patternBytes(.float32, [1, 4], seed: 81))
        }
    }

    /// A value without tensors as the reader would give it.
    private func reread(_ value: CheckpointContent?) -> CheckpointValue? {
        switch value {
        case .some(.none): .some(.none)
        case .bool(let flag): .bool(flag)
        case .integer(let number): .integer(number)
        case .float(let number): .float(number)
        case .string(let text): .string(text)
        case .bytes(let bytes): .bytes(bytes)
        case .name(let name): .name(name)
        case .tuple(let items): .tuple(items.compactMap(reread))
        case .list(let items): .list(items.compactMap(reread))
        case .set(let items): .set(items.compactMap(reread))
        case .dictionary(let pairs):
            .dictionary(
                pairs.compactMap { pair in
                    guard let key = reread(pair.key), let value = reread(pair.value) else { return nil }
                    return CheckpointValue.Pair(key, value)
                })
        default: nil
        }
    }

    @Test(arguments: ["fp32.pth", "lora.sft", "lora.PT", "fp32.safetensors"])
    func exportsTheSameInEitherFormat(_ name: String) throws {
        let values: [(name: String, value: CheckpointContent)] = [
            ("stats", ["global_step": 12, "loss": 0.25]), ("note", "é \"quoted\""), ("dropped", .none),
            ("userdata", ["symmap": ["[STOP]": 0, "a": 14, "\u{1}": 2]]),
        ]
        try withTemporaryFolder { folder in
            let path = "\(folder)/\(name)"
            try ExportedWeights(tensors, values: values).write(to: path)
            let reader = try openCheckpoint(path: path)
            #expect(Set(reader.names) == Set(tensors.map(\.name)))
            for (name, dtype, shape, seed) in goldenTensors {
                #expect(try reader.bytes(name).array == patternBytes(dtype, shape, seed: seed))
            }
            var metadata = reader.metadata
            // PyTorch's form can hold None, safetensors cannot.
            if metadata["dropped"] == "null" { metadata["dropped"] = nil }
            #expect(
                metadata == [
                    "stats": #"{"global_step": 12, "loss": 0.25}"#, "note": "é \"quoted\"",
                    "userdata": #"{"symmap": {"[STOP]": 0, "a": 14, "\u0001": 2}}"#,
                ])
        }
    }

    @Test func refusesAnUnknownSuffix() {
        #expect { try ExportedWeights([]).write(to: "weights.bin") } throws: { "\($0)".contains(".sft") }
    }

    @Test func checksumsAsZipDoes() {
        var checksum = CRC32()
        Array("123456789".utf8).withUnsafeBytes { checksum.add($0) }
        #expect(checksum.value == 0xCBF4_3926)
    }

    @Test func anUnfinishedFileLeavesTheOldOneAlone() throws {
        struct Stop: Error {}
        try withTemporaryFolder { folder in
            let path = "\(folder)/a.pth"
            try TorchWriter.write(["a": 1], to: path)
            let before = try Data(contentsOf: URL(fileURLWithPath: path))
            let broken = TensorSource(dtype: .float32, shape: [1 << 20]) { offset, _ in if offset > 0 { throw Stop() } }
            #expect(throws: Stop.self) { try TorchWriter.write(["a": .tensor(broken)], to: path) }
            #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == before)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["a.pth"])
        }
    }

    @Test func whatAKilledProgramLeavesBehindIsRemoved() throws {
        try withTemporaryFolder { folder in
            // An unfinished file under a second name stands for one whose program died before it could clean up.
            var unfinished: AtomicFile? = try AtomicFile(path: "\(folder)/a.pth")
            try unfinished?.write([1, 2, 3])
            let name = try #require(try FileManager.default.contentsOfDirectory(atPath: folder).first)
            try FileManager.default.linkItem(atPath: "\(folder)/\(name)", toPath: "\(folder)/\(name)-dead")
            try TorchWriter.write(["a": 1], to: "\(folder)/b.pth")
            unfinished = nil
            #expect(AtomicFile.removeLeftovers(in: folder) == ["\(name)-dead"])
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["b.pth"])
        }
    }

    @Test func namesAForbiddenPlace() throws {
        #expect { try TorchWriter.write(["a": 1], to: "/nonexistent/folder/a.pth") } throws: { error in
            "\(error)".contains("/nonexistent/folder") && (error as? InputError)?.kind == .model
        }
    }

    @Test func replacesTheFileBehindALink() throws {
        try withTemporaryFolder { folder in
            try TorchWriter.write(["a": 1], to: "\(folder)/real.pth")
            try FileManager.default.createSymbolicLink(
                atPath: "\(folder)/link.pth", withDestinationPath: "real.pth")
            try TorchWriter.write(["a": 2], to: "\(folder)/link.pth")
            #expect(try TorchReader(path: "\(folder)/real.pth").root["a"] == 2)
            #expect(try FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/link.pth") == "real.pth")
        }
    }
}
