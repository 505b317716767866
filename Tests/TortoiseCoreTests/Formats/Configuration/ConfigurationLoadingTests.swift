import Foundation
import Testing

@testable import TortoiseCore

@Suite struct ConfigurationLoadingTests {
    private func temporaryFolder() throws -> String {
        let url = FileManager.default.temporaryDirectory.appending(path: "tortoise-configuration-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        return url.path
    }

    @Test func flagsWinOverTheEnvironment() {
        let environment = ["TORTOISE_YAML": "e.yaml", "TORTOISE_MODEL": "e.sft", "TORTOISE_LORA": "l.sft"]
        let fromEnvironment = ConfigurationSource(environment: environment)
        #expect((fromEnvironment.yaml, fromEnvironment.model, fromEnvironment.lora) == ("e.yaml", "e.sft", "l.sft"))
        let byHand = ConfigurationSource(yaml: "f.yaml", lora: "f.sft", environment: environment)
        #expect((byHand.yaml, byHand.model, byHand.lora) == ("f.yaml", nil, "f.sft"))
        #expect(ConfigurationSource(environment: ["TORTOISE_YAML": ""]).yaml == nil)
        #expect(
            ConfigurationSource.expandBareArguments(["yaml=a b.yaml", "--x", "yaml="]) == [
                "--yaml", "a b.yaml", "--x", "yaml=",
            ])
    }

    @Test func pathsLieBesideTheYAML() throws {
        let folder = try temporaryFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try "dataset: {hdf5_name: d.h5}".write(toFile: folder + "/config.yaml", atomically: true, encoding: .utf8)
        let loaded = try Configuration.load(.init(yaml: folder + "/config.yaml", environment: [:]), startTime: 12)
        #expect(loaded.paths.root == folder)
        #expect(loaded.paths.logs == folder + "/logs/12")
        #expect(loaded.paths.checkpoints == folder + "/ckpt")
        #expect(loaded.paths.resolve(loaded.configuration.dataset.hdf5Name) == folder + "/d.h5")
        #expect(try TextFrontEnd.vocabulary(of: loaded) == DataFolder.path(of: "tokenizer.json"))
        try "{}".write(toFile: folder + "/tokenizer.json", atomically: true, encoding: .utf8)
        #expect(try TextFrontEnd.vocabulary(of: loaded) == folder + "/tokenizer.json")
        var other = loaded
        other.configuration.tokenizerPath = "none.json"
        #expect(throws: InputError.self) { try TextFrontEnd.vocabulary(of: other) }
        #expect(try Configuration.load(.init(environment: [:])).paths.root == "data")
        #expect(throws: InputError.self) {
            try Configuration.load(.init(yaml: folder + "/none.yaml", environment: [:]))
        }
    }

    @Test func aModelFileBringsItsOwnEntry() throws {
        let stored = try YAMLNode.parse(
            #"{"name": "autoregressive", "kwargs": {"layers": 6}, "teacher": false}"#, file: "x"
        ).value()
        let loaded = try Configuration.load(
            .init(yaml: "ignored.yaml", model: "/m/ar.sft", lora: "/m/lora.sft", environment: [:])
        ) { path in path == "/m/ar.sft" ? stored : nil }
        #expect(loaded.configuration.models.count == 1)
        #expect(loaded.configuration.models[0].name == "autoregressive")
        #expect(loaded.configuration.models[0].path == "/m/ar.sft")
        #expect(loaded.configuration.models[0].kwargs["layers"] == .int(6))
        #expect(loaded.configuration.trainer.loadStateDict)
        #expect(loaded.configuration.lora?.path == "/m/lora.sft")
        #expect(loaded.paths.root == "/m")
    }

    @Test func speakerPatternsAreReadNotRun() throws {
        let path = "voices/LibriTTS/84/utterance.wav"
        #expect(try SpeakerPattern.stockName.name(for: path) == "LibriTTS_84")
        for text in [
            "lambda p: f'{p.parts[-3]}_{p.parts[-2]}'", "lambda p : f\"{p.parts[-3]}_{p.parts[-2]}\"",
            "{parts[-3]}_{parts[-2]}",
        ] {
            #expect(SpeakerPattern(text) == SpeakerPattern.stockName, "\(text)")
        }
        #expect(try SpeakerPattern("{parts[0]}-x")?.name(for: path) == "voices-x")
        for text in [
            "", "{", "{}", "}", "{parts[x]}", "lambda p: p", "lambda p: f'{p}'", "lambda p: f'", "{parts[-3].upper()}",
        ] {
            #expect(SpeakerPattern(text) == nil, "\(text)")
        }
        #expect(throws: InputError.self) { try SpeakerPattern.stockName.name(for: "a/b") }
        #expect(throws: InputError.self) { try SpeakerPattern("{parts[-9223372036854775808]}")?.name(for: "a/b") }
    }

    @Test func speakerGlobsLookInTheDatasetThenMetadataThenData() throws {
        let folder = try temporaryFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let paths = RunPaths(root: folder, startTime: 0)
        for name in ["metadata/A", "data/B/one", "data/A/three"] {
            try FileManager.default.createDirectory(atPath: "\(folder)/\(name)", withIntermediateDirectories: true)
        }
        for name in ["A/one.json", "A/two.json", "A/note.txt"] {
            try "{}".write(toFile: "\(folder)/metadata/\(name)", atomically: true, encoding: .utf8)
        }
        #expect(
            try expandSpeakers(["A/*", "A/one", "B/*", "C/x"], paths: paths) == ["A/one", "A/two", "B/one", "C/x"])
        #expect(try expandSpeakers(["A/*"], known: ["A/zero", "B/zero"], paths: paths) == ["A/zero"])
        #expect(throws: InputError.self) { try expandSpeakers(["Z/*"], paths: paths) }
        #expect(try expandSpeakers(["Z/*"], paths: paths, allowEmpty: true) == [])
    }
}
