import Foundation
import Testing

@testable import TortoiseCore

@Suite struct NumPyMelArtifactTests {
    @Test func readsWhatTheOriginalTrainerSaves() throws {
        let artifact = try MelArtifact(path: golden("Weights/NumPy/artifact.mel").path)
        let codes = patternBytes(.int16, [1, 9], seed: 120)
        #expect(artifact.codes == (0..<9).map { UInt16(codes[2 * $0]) | UInt16(codes[2 * $0 + 1]) << 8 })
        #expect(artifact.conditioningMels.autoregressive.shape == [1, 1, 4, 5])
        #expect(artifact.conditioningMels.diffusion.storedBytes.array == patternBytes(.float32, [20], seed: 122))
        #expect(artifact.latents.autoregressive.storedBytes.array == patternBytes(.float32, [6], seed: 123))
        #expect(artifact.latents.diffusion.shape == [1, 7])
        #expect(artifact.tokens == patternBytes(.uint8, [11], seed: 125))
        #expect(artifact.originalLength == 22_050 && artifact.sampleRate == 44_100 && artifact.duration == 0.5)
        #expect(artifact.text == "Tortoise, é." && artifact.language == "en")
    }

    /// `Tools/check_weights.py` loads the golden of this test with NumPy.
    @Test func writesTheBytesThatNumPyWasSeenToLoad() throws {
        let artifact = try MelArtifact(path: golden("Weights/NumPy/artifact.mel").path)
        try expectWritten("written.mel") { path in
            try artifact.write(to: path)
            #expect(try MelArtifact(path: path) == artifact)
        }
    }

    @Test func namesWhatIsMissing() throws {
        let zeros = NumPyArray([0, 0] as [UInt16], shape: [1, 2])
        let floats = NumPyArray([0.5] as [Float], shape: [1])
        let pair = CheckpointContent.tuple([.array(floats), .array(floats)])
        let cases: [(CheckpointContent, String)] = [
            (["codes": "none"], "codes"), (["codes": .array(zeros)], "conds"),
            (["codes": .array(zeros), "conds": pair, "latent": .tuple([.array(floats)])], "latent"),
            (["codes": .array(zeros), "conds": pair, "latent": pair], "all codes are 0"),
            ([1, 2], "dictionary"),
        ]
        for (object, reason) in cases {
            try withTemporaryFolder { folder in
                try NumPyFile.write(object: object, to: "\(folder)/a.mel")
                #expect { try MelArtifact(path: "\(folder)/a.mel") } throws: { "\($0)".contains(reason) }
            }
        }
    }
}
