import Foundation

/// Where the sound of a clip begins and ends.
public enum SilenceTrimming {
    /// The part of a clip between its first and last sound, with a margin.
    ///
    /// The clip is silent where the level of 20 ms lies further under the loudest 20 ms than the threshold.
    ///
    /// - Parameters:
    ///   - samples: One channel.
    ///   - sampleRate: Hertz.
    ///   - threshold: Decibels relative to the loudest moment, such as −45.
    ///   - margin: Seconds of silence to keep at both ends.
    /// - Returns: The range to keep; empty when nothing sounds.
    public static func soundingRange(
        _ samples: [Float], sampleRate: Int, threshold: Double = -45, margin: Double = 0.1
    ) -> Range<Int> {
        let levels = FrameLevels(samples, sampleRate: sampleRate)
        guard let loudest = levels.rms.max(), loudest > 0 else { return 0..<0 }
        let limit = loudest * pow(10, threshold / 20)
        guard let first = levels.rms.firstIndex(where: { $0 >= limit }),
            let last = levels.rms.lastIndex(where: { $0 >= limit })
        else { return 0..<0 }
        let keep = Int(max(0, min(margin * Double(sampleRate), Double(samples.count))))
        return max(
            0, levels.range(of: first).lowerBound - keep)..<min(samples.count, levels.range(of: last).upperBound + keep)
    }

    /// A clip without its silent ends.
    public static func trimmed(
        _ samples: [Float], sampleRate: Int, threshold: Double = -45, margin: Double = 0.1
    ) -> [Float] {
        Array(samples[soundingRange(samples, sampleRate: sampleRate, threshold: threshold, margin: margin)])
    }
}

/// The level of a clip over time: root mean square of 20 ms every 5 ms.
struct FrameLevels {
    /// RMS by frame, full scale being 1; a sample that is no number counts as silence.
    let rms: [Double]
    private let length: Int
    private let hop: Int
    private let count: Int

    init(_ samples: [Float], sampleRate: Int) {
        precondition(sampleRate > 0, "FrameLevels: sample rate \(sampleRate)")
        hop = max(1, sampleRate / 200)
        length = 4 * hop
        count = samples.count
        guard !samples.isEmpty else {
            rms = []
            return
        }
        // Frames share quarters, so each sample is squared once.
        let (hop, length) = (hop, length)
        let quarters = stride(from: 0, to: samples.count, by: hop).map { start in
            samples[start..<min(start + hop, samples.count)].reduce(0.0) {
                $0 + ($1.isFinite ? Double($1) * Double($1) : 0)
            }
        }
        rms = (0..<max(1, quarters.count - 3)).map { frame in
            let sum = quarters[frame..<min(frame + 4, quarters.count)].reduce(0, +)
            return (sum / Double(min(length, samples.count - frame * hop))).squareRoot()
        }
    }

    /// The samples that a frame covers.
    func range(of frame: Int) -> Range<Int> {
        frame * hop..<min(frame * hop + length, count)
    }
}
