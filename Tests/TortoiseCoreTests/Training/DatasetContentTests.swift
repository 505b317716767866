import Testing

@testable import TortoiseCore

/// A dataset and a model that were not made for each other are told so before anything is computed.
@Suite struct DatasetContentTests {
    private var schema: DatasetSchema {
        var schema = DatasetSchema()
        schema.autoregressiveLatentWidth = 384
        schema.mels = [.init(name: "dvae", bands: 80)]
        schema.waveformRate = 24_000
        return schema
    }

    @Test func whatFitsPasses() throws {
        for content in [DatasetContent.latents(width: 384), .dvaeMels(bands: 80), .waveforms] {
            try content.check(in: schema, "data.h5")
        }
    }

    @Test func otherSizesAndMissingPartsAreNamed() throws {
        for (content, says) in [
            (DatasetContent.latents(width: 1_024), "1024"), (.dvaeMels(bands: 100), "100"),
            (.diffusionMels(bands: 100), "does not store"), (.diffusedMels(bands: 100), "diffused mels"),
        ] { #expect { try content.check(in: schema, "data.h5") } throws: { "\($0)".contains(says) } }
        var other = schema
        other.waveformRate = 22_050
        #expect(throws: InputError.self) { try DatasetContent.waveforms.check(in: other, "data.h5") }
    }

    @Test func codesAndTokensBeyondTheModelAreNamed() throws {
        let limits = DatasetSelection.Limits(codes: 10, tokens: 10, codeVocabulary: 16, tokenVocabulary: 8)
        func utterance(_ tokens: [UInt16], _ codes: [UInt16]) -> Utterance {
            Utterance(name: "n", speaker: "g/s", text: "", tokens: tokens, codes: codes, sampleCount: 0)
        }
        try limits.check(utterance([7], [15]), at: "data.h5")
        #expect { try limits.check(utterance([7], [16]), at: "data.h5") } throws: { "\($0)".contains("--dvae") }
        #expect { try limits.check(utterance([8], [15]), at: "data.h5") } throws: { "\($0)".contains("--tokenizer") }
    }
}
