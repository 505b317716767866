import Foundation
import Testing

@testable import TortoiseCore

@Suite struct VoiceOriginTests {
    /// Writes weights that have one tensor in the encoder of voices and one elsewhere.
    private func write(_ path: String, _ encoder: String, _ value: Float, elsewhere: Float = 0) throws {
        let tensors = [
            (name: encoder + "init.weight", tensor: TensorSource(Tensor([value, 2], shape: [2]))),
            (name: "head.weight", tensor: TensorSource(Tensor([elsewhere], shape: [1]))),
        ]
        try SafetensorsWriter.write(tensors, metadata: [:], to: path)
    }

    @Test func aSavedVoiceKnowsTheWeightsThatMadeIt() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "origin-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let (reader, decoder) = (folder + "/autoregressive.safetensors", folder + "/diffusion.safetensors")
        try write(reader, "conditioning_encoder.", 1)
        try write(decoder, "contextual_embedder.", 1)
        let models = SpeechModels(try ModelFiles(set: folder))
        let path = folder + "/anna.voice"
        let unknown = Voice(autoregressive: [1], diffusion: [1, 2], clips: ["a.wav"])
        #expect(try models.remark(on: unknown) == nil)
        try Voice(autoregressive: [1], diffusion: [1, 2], encoderHashes: models.voiceEncoderHashes()).write(to: path)
        let saved = try Voice(path: path)
        #expect(saved.encoderHashes.keys.sorted() == ["autoregressive", "diffusion"])
        #expect(try models.remark(on: saved) == nil)
        // What reads or speaks may have been finetuned: the latents are the same.
        try write(reader, "conditioning_encoder.", 1, elsewhere: 5)
        #expect(try models.remark(on: saved) == nil)
        try write(decoder, "contextual_embedder.", 3)
        #expect(try models.remark(on: saved)?.contains("other weights (diffusion)") == true)
        // In a mix a foreign voice is not hidden behind one that fits.
        let fitting = Voice(autoregressive: [1], diffusion: [3, 4], encoderHashes: try models.voiceEncoderHashes())
        #expect(try models.remark(on: Voice.mix([(fitting, 1), (unknown, 1)])) == nil)
        for parts in [[fitting, saved], [saved, saved], [unknown, saved]] {
            #expect(try models.remark(on: Voice.mix(parts.map { ($0, 1) })) != nil)
        }
    }
}
