import Foundation
import Testing

@testable import TortoiseCore

/// The signal of Tools/goldens/audiofiles.py.
private func signal(rate: Int, seconds: Double, channel: Int, gain: Double) -> [Float] {
    (0..<Int(Double(rate) * seconds)).map { index in
        let t = Double(index) / Double(rate)
        let pitch = 220.0 * Double(1 + channel)
        let tone =
            0.5 * sin(2 * .pi * pitch * t) + 0.2 * sin(2 * .pi * 7.1 * pitch * t) + 0.1 * sin(2 * .pi * 31 * t)
        return Float(gain * (0.5 - 0.5 * cos(2 * .pi * 0.7 * t)) * tone)
    }
}

@Suite struct LoudnessTests {
    @Test func theFiltersAreTheStandardsAt48kHz() {
        let weighting = KWeighting(sampleRate: 48_000)
        // BS.1770-4, tables 1 and 2.
        let shelf = [
            weighting.shelf.b.0, weighting.shelf.b.1, weighting.shelf.b.2, weighting.shelf.a.0, weighting.shelf.a.1,
        ]
        for (value, standard) in zip(
            shelf, [1.53512485958697, -2.69169618940638, 1.19839281085285, -1.69065929318241, 0.73248077421585])
        {
            #expect(abs(value - standard) < 1e-10)
        }
        #expect(abs(weighting.highPass.a.0 - -1.99004745483398) < 1e-10)
        #expect(abs(weighting.highPass.a.1 - 0.99007225036621) < 1e-10)
    }

    @Test func loudnessIsThatOfPyloudnorm() throws {
        let rows = try JSONDecoder().decode([[Double]].self, from: Data(contentsOf: golden("Audio/loudness.json")))
        #expect(rows.count == 21)
        for row in rows {
            let channels = (0..<Int(row[1])).map {
                signal(rate: Int(row[0]), seconds: row[2], channel: $0, gain: row[3])
            }
            let loudness = try #require(Loudness.integrated(channels, sampleRate: Int(row[0])))
            #expect(abs(loudness - row[4]) < 0.01, "\(row): \(loudness)")
        }
    }

    @Test func aSineAtFullScaleIsAtMinusThree() throws {
        // BS.1770-4: a 0 dB FS, 997 Hz sine in one channel reads -3.01 LKFS.
        let sine = (0..<96_000).map { Float(sin(2 * Double.pi * 997 * Double($0) / 48_000)) }
        #expect(abs(try #require(Loudness.integrated(sine, sampleRate: 48_000)) + 3.01) < 0.01)
        // Silence between the words changes little: the gates drop it.
        let gaps = sine + [Float](repeating: 0, count: 480_000) + sine
        #expect(abs(try #require(Loudness.integrated(gaps, sampleRate: 48_000)) + 3.01) < 0.5)
    }

    @Test func edgeCases() throws {
        #expect(Loudness.integrated([Float](), sampleRate: 24_000) == nil)
        #expect(Loudness.integrated([Float](repeating: 0, count: 24_000), sampleRate: 24_000) == nil)
        #expect(Loudness.integrated([Float.nan, 1], sampleRate: 24_000) == nil)
        #expect(Loudness.integrated([Float](repeating: 0.5, count: 3), sampleRate: 1) != nil)
        let word = (0..<2_400).map { Float(0.1 * sin(Double($0) * 0.2)) }
        #expect(try #require(Loudness.integrated(word, sampleRate: 24_000)) < -15)
        let gain = Loudness.gain(for: word, sampleRate: 24_000, target: -23)
        let louder = word.map { $0 * gain }
        #expect(abs(try #require(Loudness.integrated(louder, sampleRate: 24_000)) + 23) < 0.01)
        #expect(Loudness.gain(for: word, sampleRate: 24_000, target: 40) == 0.99 / (word.map { abs($0) }.max() ?? 0))
        #expect(Loudness.gain(for: [0, 0], sampleRate: 24_000, target: -23) == 1)
    }
}
