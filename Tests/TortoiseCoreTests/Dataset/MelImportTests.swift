import Foundation
import Testing

@testable import TortoiseCore

@Suite struct MelImportTests {
    private func artifact(_ codes: [UInt16], tokens: [UInt8]?, width: Int = 4) -> MelArtifact {
        func pair(_ first: [Int], _ second: [Int], _ value: Float) -> MelArtifact.Pair {
            func array(_ shape: [Int]) -> NumPyArray {
                NumPyArray([Float](repeating: value, count: shape.reduce(1, *)), shape: shape)
            }
            return .init(autoregressive: array(first), diffusion: array(second))
        }
        return MelArtifact(
            codes: codes, conditioningMels: pair([1, 1, 80, 3], [1, 1, 100, 2], 0),
            latents: pair([1, width], [1, 2 * width], 0.5), tokens: tokens, originalLength: 48_001, sampleRate: 48_000,
            duration: 1, text: tokens == nil ? nil : "hello", language: tokens == nil ? nil : "de")
    }

    private func withFolder(_ body: (_ folder: String, _ output: String) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "mels-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        for speaker in ["G/a", "G/b", "Noise/rain"] {
            try FileManager.default.createDirectory(
                atPath: "\(folder)/\(speaker)", withIntermediateDirectories: true)
        }
        try artifact([7, 8, 9], tokens: [3, 5]).write(to: folder + "/G/a/one.mel")
        try artifact([1], tokens: [2]).write(to: folder + "/G/b/two.mel")
        try artifact([4], tokens: nil).write(to: folder + "/Noise/rain/drop.mel")
        try artifact([4], tokens: [1], width: 8).write(to: folder + "/G/b/wide.mel")
        try Data("no NumPy".utf8).write(to: URL(filePath: folder + "/G/a/broken.mel"))
        try body(folder, folder + "/data.h5")
    }

    @Test func whatThePythonTrainerPreparedIsTakenOver() throws {
        try withFolder { folder, output in
            #expect(MelImport.applies(to: folder))
            let report = try MelImport(folder, output: output, tokenizerHash: "abc", language: "en").run { _, _ in }
            #expect(report.kept == 2 && report.present == 0)
            #expect(
                Dictionary(uniqueKeysWithValues: report.dropped.map { ($0.name, $0.reason) }) == [
                    "G/a/broken": .unreadableArtifact, "G/b/wide": .unreadableArtifact, "Noise/rain/drop": .emptyText,
                ])
            let file = try DatasetFile(path: output)
            #expect(file.schema.autoregressiveLatentWidth == 4 && file.schema.diffusionLatentWidth == 8)
            #expect(file.schema.tokenizerHash == "abc")
            let first = try file.utterance(at: 0, verifying: true)
            #expect(first.speaker == "G/a" && first.name == "one" && first.text == "hello" && first.language == "de")
            #expect(first.codes == [7, 8, 9] && first.tokens == [3, 5])
            #expect(first.sampleCount == 22_051)
            #expect(first.autoregressiveLatent == [0.5, 0.5, 0.5, 0.5] && first.diffusionLatent.count == 8)
        }
    }

    @Test func anImportGoesOnWhereItWas() throws {
        try withFolder { folder, output in
            struct Stop: Error {}
            let artifacts = try MelImport(folder, output: output, tokenizerHash: "abc", language: "en")
            #expect(throws: Stop.self) { try artifacts.run { done, _ in if done == 3 { throw Stop() } } }
            let report = try artifacts.run { _, _ in }
            #expect(report.kept + report.present == 2 && report.present > 0)
            #expect(try DatasetFile(path: output).count == 2)
            let other = try MelImport(folder, output: output, tokenizerHash: "other", language: "en")
            #expect(throws: InputError.self) { try other.run { _, _ in } }
        }
    }

    @Test func anEmptyFolderIsNamed() {
        #expect(!MelImport.applies(to: "/nowhere"))
        #expect(throws: InputError.self) {
            try MelImport("/nowhere", output: "x.h5", tokenizerHash: "", language: "en")
        }
    }
}
