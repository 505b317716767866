import Foundation
import Testing

@testable import TortoiseCore

/// Mel spectrograms, resampling and conditioning clips against torchaudio and librosa.
@Suite struct FrontEndTests {
    private func golden(_ name: String) throws -> Tensor {
        try Tensor(of: name, in: SafetensorsReader(path: TortoiseCoreTests.golden("Audio/frontends.safetensors").path))
    }

    private var norms: [Float] {
        get throws {
            let folder = #filePath.split(separator: "/").dropLast(4).joined(separator: "/")
            return try MelNorms.load(path: "/\(folder)/data/mel_norms.safetensors")
        }
    }

    @Test func conditioningMel() throws {
        let mel = try MelSpectrogram.conditioning(norms: norms)(try golden("conditioning/input").values)
        expectClose(mel, try golden("conditioning/mel"), 1e-5, "conditioning mel")
    }

    @Test func theDistanceOfRecordingsIsAuralosss() throws {
        let path = try TortoiseCoreTests.golden("Audio/mel_stft.safetensors").path
        let reader = try SafetensorsReader(path: path)
        let (samples, reference) = (try Tensor(of: "samples", in: reader), try Tensor(of: "reference", in: reader))
        let expected = Double(try Tensor(of: "distance", in: reader).values[0])
        let distance = MelSTFTDistance.between(samples.values, reference.values)
        #expect(abs(distance - expected) < 1e-4 * expected, "\(distance), expected \(expected)")
        #expect(MelSTFTDistance.between(samples.values, samples.values) == 0)
    }

    @Test func vocoderMel() throws {
        let mel = MelSpectrogram.vocoder(try golden("vocoder/input").values)
        expectClose(mel, try golden("vocoder/mel"), 1e-5, "vocoder mel")
        let scaled = MelNormalization.normalize(mel)
        expectClose(MelNormalization.denormalize(scaled), mel, 1e-6, "normalised and back")
        #expect(scaled.values.allSatisfy { $0 >= -1.0001 })
    }

    /// The values that the reference implementation gives for a tone.
    @Test func toneHasTheReferenceValues() throws {
        func tone(_ rate: Int) -> [Float] {
            (0..<rate).map { 0.5 * Float(sin(2 * Double.pi * 440 * Double($0) / Double(rate))) }
        }
        let conditioning = try MelSpectrogram.conditioning(norms: norms)(tone(22_050))
        #expect(conditioning.shape == [1, 80, 87])
        for (band, value) in [(0, 1.642484), (10, 2.831395), (20, 1.901728), (40, 1.821804), (79, 1.214157)] {
            #expect(abs(Double(conditioning.sliced(1, band..<band + 1).sliced(2, 10..<11).item) - value) < 2e-4)
        }
        // The quiet bands hold the rounding errors of the reference's convolution; their logarithms show them.
        let vocoder = MelSpectrogram.vocoder(tone(24_000))
        #expect(vocoder.shape == [1, 100, 94])
        for (band, value) in [(0, -8.806307), (10, -2.461656), (20, -7.157673), (99, -11.512925)] {
            #expect(abs(Double(vocoder.sliced(1, band..<band + 1).sliced(2, 10..<11).item) - value) < 1e-2)
        }
    }

    @Test(arguments: [
        (22_050, 24_000), (24_000, 22_050), (44_100, 22_050), (24_000, 16_000), (48_000, 22_050), (16_000, 22_050),
        (8_000, 24_000), (96_000, 24_000),
    ])
    func resampling(_ from: Int, _ to: Int) throws {
        let input = try golden("resample/\(from)/\(to)/input").values
        let expected = try golden("resample/\(from)/\(to)/output")
        let output = try Resampler(from: from, to: to)(input)
        #expect(output.count == expected.count)
        expectClose(Tensor(output), expected, 1e-5, "\(from) to \(to)")
    }

    @Test func resamplingEdges() throws {
        #expect(try Resampler(from: 24_000, to: 24_000)([1, 2, 3]) == [1, 2, 3])
        #expect(try Resampler(from: 8_000, to: 24_000)([]).isEmpty)
        #expect(try Resampler(from: 44_100, to: 24_000)([0.5]).count == 1)
        #expect(throws: InputError.self) { try Resampler(from: 0, to: 24_000) }
        #expect(throws: InputError.self) { try Resampler(from: Int.max, to: Int.max - 1) }
    }

    /// A tape that ran a little fast: no table of filters holds all phases.
    @Test(arguments: [(44_101, 24_000), (24_001, 22_050)])
    func resamplingOddRates(_ from: Int, _ to: Int) throws {
        func tone(_ rate: Int) -> [Float] {
            (0..<rate / 4).map { Float(sin(2 * Double.pi * 440 * Double($0) / Double(rate))) }
        }
        let (output, expected) = (try Resampler(from: from, to: to)(tone(from)), tone(to))
        #expect(abs(output.count - expected.count) <= 1)
        let inner = 100..<expected.count - 100
        #expect(inner.allSatisfy { abs(output[$0] - expected[$0]) < 2e-3 })
    }

    @Test func conditioningClips() {
        let short = ConditioningClip.autoregressive([1, 2, 3], RandomSource(seed: 0))
        #expect(short.count == 132_300 && Array(short.prefix(4)) == [1, 2, 3, 0])
        let long = (0..<200_000).map(Float.init)
        var starts: Set<Float> = []
        for seed in 0..<20 {
            let clip = ConditioningClip.autoregressive(long, RandomSource(seed: UInt64(seed)))
            #expect(clip.count == 132_300 && clip.last.map { $0 - clip[0] } == 132_299)
            starts.insert(clip[0])
        }
        #expect(starts.count > 15)
        let diffusion = ConditioningClip.diffusion(long)
        #expect(diffusion.count == 102_400 && diffusion[0] == 0 && diffusion.last == 102_399)
        #expect(ConditioningClip.diffusion([1]).count == 102_400)
    }
}
