import Foundation
import Testing

@testable import TortoiseCore

@Suite struct LocalCatalogTests {
    private func withFolder(_ body: (String) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "catalog-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try body(folder)
    }

    private func touch(_ path: String) throws {
        try FileManager.default.createDirectory(
            atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        try Data([1, 2, 3]).write(to: URL(filePath: path))
    }

    private func catalog(_ folder: String) throws -> LocalCatalog {
        for name in ["autoregressive", "hifigan"] { try touch("\(folder)/set/\(name).sft") }
        try touch("\(folder)/runs/a/b/ckpt/autoregressive/fp32.sft")
        try touch("\(folder)/runs/c/ckpt/lora-r2/lora.pth")
        try touch("\(folder)/runs/c/ckpt/autoregressive/100/state.sft")
        return LocalCatalog(
            try ModelFiles(set: folder + "/set"), trainings: folder + "/runs", savedVoices: folder + "/voices",
            fetched: folder + "/fetched")
    }

    @Test func modelsAreFoundAndChosen() throws {
        try withFolder { folder in
            let catalog = try catalog(folder)
            let models = catalog.models()
            let own = try #require(models.first { $0.id == "set" })
            #expect(
                own.isDefault && own.files.map(\.stage) == ["autoregressive", "hifigan"] && own.files[0].bytes == 3)
            #expect(models.filter { $0.kind == .checkpoint }.map(\.id) == ["a/b/autoregressive/fp32.sft"])
            #expect(models.filter { $0.kind == .adapter }.map(\.id) == ["c/lora-r2/lora.pth"])
            let (files, adapters) = try catalog.resolve(
                ModelChoice(
                    id: "a/b/autoregressive/fp32.sft", adapters: [.init(id: "c/lora-r2/lora.pth", strength: 0.5)]))
            #expect(files.find(.autoregressive)?.hasSuffix("a/b/ckpt/autoregressive/fp32.sft") == true)
            #expect(files.find(.hifigan)?.hasSuffix("set/hifigan.sft") == true)
            #expect(adapters.map(\.strength) == [0.5])
            for id in ["nothing", "../set", "/etc/passwd", "c/lora-r2/lora.pth"] {
                #expect(throws: InputError.self) { try catalog.resolve(ModelChoice(id: id)) }
            }
            #expect(throws: InputError.self) { try catalog.resolve(ModelChoice(adapters: [.init(id: "set")])) }
            #expect(catalog.published().allSatisfy { !$0.isThere })
        }
    }

    @Test(arguments: ["anna", "Anna B. 2", "é-_x", "a"]) func namesOfVoices(name: String) throws {
        try LocalCatalog.checkVoiceName(name)
    }

    @Test(arguments: [
        "", ".", "..", "../x", "a/b", ".hidden", "random", " a", "a ", "a\u{0}", "a\nb", "a:1", "a+b", "a;b",
        String(repeating: "x", count: 61),
    ])
    func namesThatAreNone(name: String) {
        #expect(throws: InputError.self) { try LocalCatalog.checkVoiceName(name) }
    }

    @Test func onlySavedVoicesAreRemoved() throws {
        try withFolder { folder in
            let catalog = try catalog(folder)
            try touch(folder + "/voices/anna.voice")
            try touch(folder + "/other.voice")
            #expect(throws: InputError.self) { try catalog.deleteVoice("../other") }
            #expect(throws: InputError.self) { try catalog.deleteVoice("nobody") }
            try catalog.deleteVoice("anna")
            #expect(!FileManager.default.fileExists(atPath: folder + "/voices/anna.voice"))
            #expect(FileManager.default.fileExists(atPath: folder + "/other.voice"))
        }
    }

    @Test func descriptionsAreNamesOnly() throws {
        let known = ["anna", "ben", "a:b"]
        for fine in ["anna", "anna+ben", "anna:0.7+ben:0.3", "random", "random:2+anna", "a:b", "a:b:0.5"] {
            try VoiceLibrary.checkNames(fine, among: known)
        }
        for other in [
            "", "/etc/passwd", "../anna", "anna;ben", "anna+", "+", "anna+/x:1", "Anna", "anna:x", "anna.wav",
        ] {
            #expect(throws: InputError.self, "\(other)") { try VoiceLibrary.checkNames(other, among: known) }
        }
    }
}

@Suite struct JSONWritingTests {
    @Test func whatIsWrittenIsReadAgain() throws {
        let value: JSONValue = [
            "text": "a \"b\" \\ \n é 😀", "number": 1.5, "whole": -3, "flag": true, "none": JSONValue(String?.none),
            "list": [1, "x", []], "nan": .number(.nan),
        ]
        let text = value.serialized
        #expect(try JSONValue(parsing: Array(text.utf8), at: "x").serialized == text)
        #expect(text.hasSuffix("\"nan\":null}") && text.contains("\"list\":[1,\"x\",[]]"))
    }
}
