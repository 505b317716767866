import Foundation

/// Measurements of a clip, and what is wrong with it as speech to learn from or to clone.
public struct ClipCheck: Equatable, Sendable {
    /// Something about a clip that a listener would mind.
    public enum Problem: Equatable, Sendable, CustomStringConvertible {
        case empty
        case notANumber(samples: Int)
        case silent
        case clipped(samples: Int)
        case offset(Double)
        /// The sound is under way in the first or last moment: a word is probably cut.
        case startsAbruptly
        case endsAbruptly
        case quiet(loudness: Double)
        case noisy(signalToNoise: Double)

        public var description: String {
            switch self {
            case .empty: "holds no samples"
            case .notANumber(let samples): "\(samples) samples are NaN or infinite"
            case .silent: "is silent"
            case .clipped(let samples): "is clipped (\(samples) samples at full scale)"
            case .offset(let offset): String(format: "has a DC offset of %.3f", offset)
            case .startsAbruptly: "starts abruptly"
            case .endsAbruptly: "ends abruptly"
            case .quiet(let loudness): String(format: "is very quiet (%.1f LUFS)", loudness)
            case .noisy(let ratio): String(format: "is noisy (%.0f dB between speech and background)", ratio)
            }
        }
    }

    /// Seconds.
    public let duration: Double
    /// The highest absolute sample, full scale being 1.
    public let peak: Float
    /// Root mean square in dB relative to full scale; −infinity for silence.
    public let rms: Double
    /// Integrated loudness in LUFS; nil for silence.
    public let loudness: Double?
    /// The mean of all samples.
    public let offset: Double
    /// Samples that are NaN or infinite.
    public let invalidSamples: Int
    /// Samples in runs of three or more that stand at the clip's extreme near full scale.
    public let clippedSamples: Int
    /// Seconds of silence before the first and after the last sound.
    public let leadingSilence: Double
    public let trailingSilence: Double
    /// The level of the quietest tenth, in dB relative to full scale; −infinity for digital silence.
    public let noiseFloor: Double
    /// What is wrong, worst first; empty for a good clip.
    public let problems: [Problem]

    /// Measures one channel.
    ///
    /// - Parameters:
    ///   - samples: Full scale at ±1.
    ///   - sampleRate: Hertz.
    public init(_ samples: [Float], sampleRate: Int) {
        precondition(sampleRate > 0, "ClipCheck: sample rate \(sampleRate)")
        duration = Double(samples.count) / Double(sampleRate)
        let sums = Self.sums(samples)
        invalidSamples = sums.invalid
        peak = sums.peak
        let valid = max(1, samples.count - sums.invalid)
        offset = sums.sum / Double(valid)
        rms = Self.decibels((sums.squares / Double(valid)).squareRoot())
        clippedSamples = Self.clippedSamples(samples, peak: sums.peak)
        loudness = sums.invalid == 0 ? Loudness.integrated(samples, sampleRate: sampleRate) : nil
        let levels = FrameLevels(samples, sampleRate: sampleRate)
        let sorted = levels.rms.sorted()
        noiseFloor = Self.decibels(sorted.isEmpty ? 0 : sorted[sorted.count / 10])
        let sounding = SilenceTrimming.soundingRange(samples, sampleRate: sampleRate, margin: 0)
        leadingSilence = Double(sounding.lowerBound) / Double(sampleRate)
        trailingSilence = Double(samples.count - sounding.upperBound) / Double(sampleRate)

        var found: [Problem] = []
        if samples.isEmpty { found.append(.empty) }
        if invalidSamples > 0 { found.append(.notANumber(samples: invalidSamples)) }
        if !samples.isEmpty, sums.peak < Self.silentPeak { found.append(.silent) }
        if clippedSamples > 0 { found.append(.clipped(samples: clippedSamples)) }
        if sums.peak >= Self.silentPeak {
            if abs(offset) > 0.02 { found.append(.offset(offset)) }
            // Speech level: the loudest tenth of frames. A moment within 20 dB of it at an edge is sound, not silence.
            let speech = sorted[sorted.count - 1 - sorted.count / 10]
            if let first = levels.rms.first, first > speech / 10 { found.append(.startsAbruptly) }
            if let last = levels.rms.last, last > speech / 10 { found.append(.endsAbruptly) }
            if let loudness, loudness < -45 { found.append(.quiet(loudness: loudness)) }
            let ratio = Self.decibels(speech) - noiseFloor
            if ratio < 15, duration >= 1 { found.append(.noisy(signalToNoise: ratio)) }
        }
        problems = found
    }

    /// Under −80 dB nothing is heard: one step of 16 bits is −90 dB.
    private static let silentPeak: Float = 1e-4

    static func decibels(_ amplitude: Double) -> Double { amplitude > 0 ? 20 * log10(amplitude) : -.infinity }

    private static func sums(_ samples: [Float]) -> (sum: Double, squares: Double, peak: Float, invalid: Int) {
        var (sum, squares, peak, invalid) = (0.0, 0.0, Float(0), 0)
        samples.withUnsafeBufferPointer { samples in
            for sample in samples {
                guard sample.isFinite else {
                    invalid += 1
                    continue
                }
                sum += Double(sample)
                squares += Double(sample) * Double(sample)
                peak = max(peak, abs(sample))
            }
        }
        return (sum, squares, peak, invalid)
    }

    /// Flat tops: neighbours that share the extreme value. One sample at full scale is a peak, three in a row are a clipped wave.
    private static func clippedSamples(_ samples: [Float], peak: Float) -> Int {
        guard peak >= 0.98 else { return 0 }
        // Converters clip at 1, at 32767/32768 or, after a change of gain, wherever they were turned down to.
        let limit = min(peak, 1) * 0.9999
        var (total, run) = (0, 0)
        var side: FloatingPointSign = .plus
        for sample in samples {
            if abs(sample) >= limit, run == 0 || sample.sign == side {
                side = sample.sign
                run += 1
            } else {
                if run >= 3 { total += run }
                run = abs(sample) >= limit ? 1 : 0
                side = sample.sign
            }
        }
        return run >= 3 ? total + run : total
    }
}
