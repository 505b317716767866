import Foundation
import Testing

@testable import TortoiseCore

/// Half a second of tone between silences, at 24 kHz, with a soft start and end.
private func word(amplitude: Double = 0.3, before: Int = 12_000, after: Int = 6_000, noise: Double = 0) -> [Float] {
    var generator = SeededGenerator(seed: 5)
    return (0..<before + 12_000 + after).map { index in
        let place = Double(index - before) / 12_000
        let envelope = place >= 0 && place <= 1 ? sin(.pi * place).squareRoot() : 0
        let hiss = noise * (Double(generator.next() >> 11) * 0x1p-53 - 0.5)
        return Float(amplitude * envelope * sin(0.1 * Double(index)) + hiss)
    }
}

@Suite struct ClipCheckTests {
    @Test func aGoodClipHasNoProblems() throws {
        let check = ClipCheck(word(noise: 0.001), sampleRate: 24_000)
        #expect(check.problems == [])
        #expect(check.duration == 1.25)
        #expect(abs(check.peak - 0.3) < 0.01)
        #expect(abs(check.leadingSilence - 0.5) < 0.03)
        #expect(abs(check.trailingSilence - 0.25) < 0.03)
        #expect(check.invalidSamples == 0 && check.clippedSamples == 0)
        // Uniform noise of width 0.001 has an RMS of 0.001/sqrt(12), -70.8 dB.
        #expect(abs(check.noiseFloor + 70.8) < 0.5)
        // Over the tone: envelope² averages 2/π, sine² one half, two fifths of the clip sound.
        #expect(abs(check.rms - 10 * log10(0.09 * 2 / .pi * 0.5 * 0.4)) < 0.1)
        #expect(try #require(check.loudness) > -25)
    }

    @Test func eachProblemIsFound() {
        #expect(ClipCheck([], sampleRate: 24_000).problems == [.empty])
        #expect(ClipCheck([Float](repeating: 0, count: 100), sampleRate: 24_000).problems == [.silent])
        var spoiled = word(noise: 0.001)
        spoiled[77] = .nan
        spoiled[78] = -.infinity
        #expect(ClipCheck(spoiled, sampleRate: 24_000).problems == [.notANumber(samples: 2)])

        let clipped = word(amplitude: 2, noise: 0.001).map { min(max($0, -1), 1) }
        let check = ClipCheck(clipped, sampleRate: 24_000)
        #expect(check.clippedSamples > 1_000)
        #expect(check.problems == [.clipped(samples: check.clippedSamples)])

        let offset = ClipCheck(word(noise: 0.001).map { $0 + 0.1 }, sampleRate: 24_000)
        #expect(
            offset.problems.contains { if case .offset(let value) = $0 { abs(value - 0.1) < 0.001 } else { false } })

        let cut = Array(word(noise: 0.001)[15_000..<20_000])
        #expect(ClipCheck(cut, sampleRate: 24_000).problems.contains(.startsAbruptly))
        #expect(ClipCheck(cut, sampleRate: 24_000).problems.contains(.endsAbruptly))
        #expect(ClipCheck(Array(word(noise: 0.001)[15_000...]), sampleRate: 24_000).problems == [.startsAbruptly])

        let quiet = ClipCheck(word(amplitude: 0.001), sampleRate: 24_000)
        #expect(quiet.problems.contains { if case .quiet = $0 { true } else { false } })
        let noisy = ClipCheck(word(amplitude: 0.1, noise: 0.15), sampleRate: 24_000)
        #expect(noisy.problems.contains { if case .noisy = $0 { true } else { false } })
    }

    @Test func peaksAreNotClipping() {
        var samples = word(noise: 0.001)
        samples[14_000] = 1
        samples[15_000] = -1
        samples[15_001] = 1
        samples[15_002] = -1
        #expect(ClipCheck(samples, sampleRate: 24_000).clippedSamples == 0)
        samples[16_000...16_003] = [1, 1, 1, 1]
        #expect(ClipCheck(samples, sampleRate: 24_000).clippedSamples == 4)
    }

    @Test(arguments: [1, 7, 199, 8_000, 24_000, 48_000]) func anyLengthAndRateIsMeasured(rate: Int) {
        for count in [0, 1, 2, 3, 5, 100, 961] {
            let samples = (0..<count).map { Float(sin(Double($0))) }
            let check = ClipCheck(samples, sampleRate: rate)
            #expect(check.duration == Double(count) / Double(rate))
            let range = SilenceTrimming.soundingRange(samples, sampleRate: rate)
            #expect(range.lowerBound >= 0 && range.upperBound <= count)
        }
        let extreme: [Float] = [.greatestFiniteMagnitude, -.greatestFiniteMagnitude, .nan, .infinity, 0]
        #expect(ClipCheck(extreme, sampleRate: rate).invalidSamples == 2)
    }

    @Test func silenceIsTrimmedWithAMargin() {
        let samples = word(noise: 0.000_1)
        let range = SilenceTrimming.soundingRange(samples, sampleRate: 24_000, threshold: -40, margin: 0.05)
        // The tone runs from 12,000 to 24,000; the margin is 1,200 and a frame 480.
        #expect(abs(range.lowerBound - 10_800) <= 480)
        #expect(abs(range.upperBound - 25_200) <= 480)
        #expect(SilenceTrimming.trimmed(samples, sampleRate: 24_000, threshold: -40, margin: 0.05).count == range.count)
        #expect(SilenceTrimming.soundingRange(samples, sampleRate: 24_000, margin: 1e30) == 0..<samples.count)
        #expect(SilenceTrimming.soundingRange([0, 0, 0], sampleRate: 24_000).isEmpty)
    }
}
