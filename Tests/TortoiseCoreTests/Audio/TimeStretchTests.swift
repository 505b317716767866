import Foundation
import Testing

@testable import TortoiseCore

@Suite struct TimeStretchTests {
    /// Crossings of zero in a second: twice the pitch of a tone.
    private func crossings(_ samples: [Float]) -> Double {
        let count = zip(samples, samples.dropFirst()).count { ($0 < 0) != ($1 < 0) }
        return Double(count) * 24_000 / Double(samples.count)
    }

    @Test(arguments: [0.25, 0.5, 0.8, 1.25, 2, 4]) func lengthChangesAndPitchStays(speed: Double) {
        let tone = (0..<48_000).map { 0.5 * sin(2 * Float.pi * 220 * Float($0) / 24_000) }
        let result = TimeStretch.stretched(tone, speed: speed)
        #expect(abs(Double(result.count) * speed / 48_000 - 1) < 0.06, "\(result.count)")
        #expect(abs(crossings(result) / 440 - 1) < 0.02, "\(crossings(result))")
        #expect(result.allSatisfy { abs($0) <= 0.51 })
    }

    @Test func littleAndUnchangedSoundStaysAsItIs() {
        let tone = (0..<10_000).map { sin(Float($0)) }
        #expect(TimeStretch.stretched(tone, speed: 1) == tone)
        for count in [0, 1, 500, 2_400] {
            #expect(TimeStretch.stretched(Array(tone.prefix(count)), speed: 2).count == count)
        }
    }
}
