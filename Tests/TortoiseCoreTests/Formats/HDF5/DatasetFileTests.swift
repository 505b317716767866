import Foundation
import Testing

@testable import TortoiseCore

/// The schema that these tests use: small widths, everything stored.
let smallSchema: DatasetSchema = {
    var schema = DatasetSchema()
    schema.autoregressiveLatentWidth = 4
    schema.diffusionLatentWidth = 8
    schema.mels = [.init(name: "diffusion", bands: 5), .init(name: "dvae", bands: 3)]
    schema.waveformRate = 24_000
    schema.tokenizerHash = "t"
    schema.modelHashes = ["dvae": "d", "autoregressive": "a"]
    schema.settings = #"{"slice":"auto"}"#
    return schema
}()

/// Utterance `index` of a made-up dataset: every length differs, some are zero.
func madeUpUtterance(_ index: Int) -> Utterance {
    Utterance(
        name: "utt-\(index)", speaker: "G/s\(index % 7)", language: index % 3 == 0 ? "de" : "en",
        text: index % 5 == 0 ? "" : "Text № \(index)",
        tokens: (0..<index % 40).map { UInt16(($0 * index) % 300) },
        codes: (0..<10 + index % 90).map { UInt16(($0 * 31 + index) % 8_194) },
        sampleCount: (10 + index % 90) * 1_024, autoregressiveLatent: (0..<4).map { Float(index) + Float($0) / 8 },
        diffusionLatent: (0..<8).map { -Float(index) / Float($0 + 1) },
        mels: [
            "dvae": (0..<3 * (index % 11)).map { Float($0 * index) },
            "diffusion": (0..<5 * (index % 4)).map { Float($0) - 0.5 },
        ],
        waveform: (0..<index % 60).map { Int16($0 * 500 - 15_000) })
}

@Suite struct DatasetFileTests {
    @Test func whatIsAppendedIsReadInAnyOrder() throws {
        try withTemporaryPath { path in
            do {
                let writer = try DatasetWriter.create(path: path, schema: smallSchema)
                for index in 0..<230 {
                    try writer.append(madeUpUtterance(index))
                    if index % 50 == 49 { try writer.commit() }
                }
                try writer.commit()
                #expect(writer.contains(speaker: "G/s0", name: "utt-0"))
                #expect(throws: InputError.self) { try writer.append(madeUpUtterance(3)) }
            }
            do {
                // Another writer continues, and what it does not commit is not there.
                let writer = try DatasetWriter(appendingTo: path)
                #expect(writer.count == 230 && writer.contains(speaker: "G/s5", name: "utt-229"))
                for index in 230..<300 { try writer.append(madeUpUtterance(index)) }
                try writer.commit()
                try writer.append(madeUpUtterance(300))
            }
            let file = try DatasetFile(path: path)
            #expect(file.schema == smallSchema)
            #expect(file.count == 300)
            let expected = (0..<300).map(madeUpUtterance)
            #expect(try file.utterances(in: 0..<300, verifying: true) == expected)
            #expect(try file.utterances(in: 250..<250) == [])
            for index in [299, 0, 137, 138, 49, 50] {
                #expect(try file.utterance(at: index, verifying: true) == expected[index])
                let item = try file.autoregressiveItem(at: index)
                #expect(item.tokens == expected[index].tokens && item.codes == expected[index].codes)
                #expect(item.latent == expected[index].autoregressiveLatent)
                #expect(try file.mel("dvae", at: index) == expected[index].mels["dvae"])
                #expect(try file.waveform(at: index) == expected[index].waveform)
            }
            #expect(try file.codeCounts() == expected.map(\.codes.count))
            #expect(try file.tokenCounts() == expected.map(\.tokens.count))
            #expect(try file.durations()[5] == Double(expected[5].sampleCount) / 22_050)
            #expect(try file.speakers() == (0..<7).map { "G/s\($0)" })
            #expect(try file.speakerOfEach()[9] == 2)
            #expect(try file.languages() == ["de", "en"])
            #expect(throws: InputError.self) { try file.mel("none", at: 0) }
        }
    }

    @Test func aFileThatH5pyWroteFromTheDocumentIsRead() throws {
        let file = try DatasetFile(path: golden("HDF5/dataset.h5").path)
        #expect(file.count == 3)
        let utterances = try file.utterances(in: 0..<3, verifying: true)
        #expect(utterances.map(\.name) == ["one", "two", "née"])
        #expect(utterances.map(\.speaker) == ["G/a", "G/b", "G/a"])
        #expect(utterances.map(\.text) == ["Hello.", "", "Grüße, 日本!"])
        #expect(utterances[0].tokens == [3, 5, 255] && utterances[1].tokens == [])
        #expect(utterances[0].codes == ramp(7).map { UInt16($0 * 32) })
        #expect(utterances[2].diffusionLatent == ramp(24)[16...].map { Float($0) / 4 })
        #expect(utterances[2].mels == ["dvae": ramp(30).map { Float($0) / 16 }])
        #expect(utterances[0].waveform == ramp(10).map { Int16($0 - 100) })
        #expect(utterances[2].sampleCount == 300 * 1_024)
        #expect(file.schema.modelHashes == ["autoregressive": "1", "dvae": "2"])
    }

    @Test func aFileWithoutSignalsHoldsOnlyWhatItNeeds() throws {
        try withTemporaryPath { path in
            var schema = DatasetSchema()
            schema.packsIntegers = false
            schema.autoregressiveLatentWidth = 0
            schema.diffusionLatentWidth = 0
            let utterance = Utterance(
                name: "a", speaker: "g/s", text: "x", tokens: [1], codes: [8_193, 0], sampleCount: 2_048)
            do {
                let writer = try DatasetWriter.create(path: path, schema: schema)
                try writer.append(utterance)
                try writer.commit()
                try writer.commit()
                var wrong = utterance
                wrong.name = "b"
                wrong.autoregressiveLatent = [1]
                #expect(throws: InputError.self) { try writer.append(wrong) }
                wrong.autoregressiveLatent = []
                wrong.mels = ["dvae": [1]]
                #expect(throws: InputError.self) { try writer.append(wrong) }
                wrong.mels = [:]
                wrong.waveform = [1]
                #expect(throws: InputError.self) { try writer.append(wrong) }
            }
            let file = try DatasetFile(path: path)
            #expect(try file.utterance(at: 0, verifying: true) == utterance)
            #expect(throws: InputError.self) { try file.waveform(at: 0) }
        }
    }

    private func utterances(_ path: String) throws -> [(split: String, utterance: Utterance)] {
        var found: [(String, Utterance)] = []
        try PythonDatasetFile.read(path) { item in
            if case .utterance(let split, let utterance) = item { found.append((split, utterance)) }
        }
        return found
    }

    @Test func thePythonLayoutIsRead() throws {
        let path = try golden("HDF5/python.h5").path
        let all = try utterances(path)
        let names = all.map { "\($0.split)/\($0.utterance.speaker)/\($0.utterance.name)" }
        #expect(
            names == [
                "noise/Noise/rain/drop", "training/LibriTTS/84/utt_00000", "training/LibriTTS/84/utt_00001",
                "training/Other/x/a",
            ])
        let second = all[2].utterance
        #expect(second.codes == ramp(75).map { UInt16($0 * 31) })
        #expect(second.tokens == Array("world".utf8).map(UInt16.init))
        #expect(second.text == "world" && second.language == "en" && second.speaker == "LibriTTS/84")
        #expect(second.sampleCount == 75 * 1_024)
        #expect(second.autoregressiveLatent.isEmpty)
        #expect(all[0].utterance.tokens == [])
        var vocabulary: [PythonDatasetFile.Item] = []
        try PythonDatasetFile.read(path) { if case .vocabulary = $0 { vocabulary.append($0) } }
        #expect(vocabulary == [.vocabulary(#"{"[STOP]": 0, "a": 14}"#)])
    }

    @Test func anotherLayoutIsNamed() throws {
        let path = try golden("HDF5/python.h5").path
        let error = #expect(throws: InputError.self) { try DatasetFile(path: path) }
        #expect(error?.problem.contains("no conditioning latents") == true)
        for name in ["arrays", "short"] {
            let other = try golden("HDF5/\(name).h5").path
            #expect { try PythonDatasetFile.read(other) { _ in } } throws: { "\($0)".contains("found none of them") }
            #expect { try DatasetFile(path: other) } throws: { "\($0)".contains("found another HDF5 file") }
        }
        let ours = try golden("HDF5/dataset.h5").path
        #expect(try !PythonDatasetFile.isLayout(ours))
        #expect(throws: InputError.self) { try PythonDatasetFile.read(ours) { _ in } }
    }

    @Test func thePythonLayoutIsReadHoweverItIsPacked() throws {
        let all = try utterances(golden("HDF5/packed.h5").path)
        #expect(all.map(\.utterance.name) == ["chunked", "compact", "contiguous", "gzip", "lzf", "shuffle"])
        for entry in all { #expect(entry.utterance.codes == Array(0..<40)) }
    }

    @Test func aSecondWriterIsRefused() throws {
        try withTemporaryPath { path in
            let writer = try DatasetWriter.create(path: path, schema: smallSchema)
            let error = #expect(throws: InputError.self) { try DatasetWriter(appendingTo: path) }
            #expect(error?.problem == "another process is writing to this dataset")
            try withExtendedLifetime(writer) { try writer.commit() }
        }
    }

    @Test func damageIsFoundByTheChecksum() throws {
        try withTemporaryPath { path in
            var schema = smallSchema
            schema.packsIntegers = false
            do {
                let writer = try DatasetWriter.create(path: path, schema: schema)
                for index in 0..<20 { try writer.append(madeUpUtterance(index)) }
                try writer.commit()
            }
            var bytes = try Array(Data(contentsOf: URL(filePath: path)))
            let needle = Array("Text № 7".utf8)
            let place = try #require(
                bytes.indices.dropLast(needle.count).first { Array(bytes[$0..<$0 + needle.count]) == needle })
            bytes[place] = UInt8(ascii: "X")
            try Data(bytes).write(to: URL(filePath: path))
            let file = try DatasetFile(path: path)
            #expect(try file.utterance(at: 7).text == "Xext № 7")
            let error = #expect(throws: InputError.self) { try file.utterance(at: 7, verifying: true) }
            #expect(error?.problem.contains("utterance 7 does not match its checksum") == true)
            #expect(try file.utterance(at: 8, verifying: true) == madeUpUtterance(8))
        }
    }
}
