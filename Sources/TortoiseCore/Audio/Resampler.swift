import Foundation

/// Changes the sample rate of signals by a windowed sinc.
///
/// The filter, its float32 rounding and the length of the result are those of torchaudio's `functional.resample`
/// (sinc_interp_hann, width 6, rolloff 0.99), so that models hear what they heard in training.
public struct Resampler: Sendable {
    public let from: Int
    public let to: Int
    /// The rates without their common divisor.
    private let step, phases: Int
    /// Samples that the filter reaches back.
    private let width: Int
    /// [phases, width + step + width]
    private let filters: [Float]

    private static let lowpassWidth = 6.0
    private static let rolloff = 0.99
    /// No recording has a rate beyond this.
    private static let highestRate = 1 << 30
    /// Larger tables come from rates without a common divisor, such as a tape's that ran a little fast: then every sample's taps are
    /// computed for it.
    private static let largestTable = 1 << 24

    /// - Throws: `InputError.data` when a rate is not positive, or beyond all recordings.
    public init(from: Int, to: Int) throws {
        let rates = 1...Self.highestRate
        guard rates.contains(from), rates.contains(to) else {
            throw InputError.data(
                "cannot resample from \(from) Hz to \(to) Hz", try: "rates are from 1 to \(Self.highestRate) Hz")
        }
        (self.from, self.to) = (from, to)
        let divisor = Self.greatestCommonDivisor(from, to)
        (step, phases) = (from / divisor, to / divisor)
        let base = Self.rolloff * Double(min(step, phases))
        width = Int((Self.lowpassWidth * Double(step) / base).rounded(.up))
        let (taps, isLarge) = (2 * width + step).multipliedReportingOverflow(by: phases)
        let hasTable = from != to && !isLarge && taps <= Self.largestTable
        filters = hasTable ? Self.makeFilters(step: step, phases: phases, width: width, base: base) : []
    }

    /// The signal at the new rate: ⌈samples · to / from⌉ samples.
    public func callAsFunction(_ samples: [Float]) -> [Float] {
        guard from != to, !samples.isEmpty else { return samples }
        guard !filters.isEmpty else { return resampledWithoutTable(samples) }
        let (step, phases, width) = (step, phases, width)
        let taps = 2 * width + step
        let count = (samples.count * phases + step - 1) / step
        let padded = [Float](repeating: 0, count: width) + samples + [Float](repeating: 0, count: width + step)
        return [Float](unsafeUninitializedCapacity: count) { output, initialized in
            guard let result = output.baseAddress else { return }
            padded.withUnsafeBufferPointer { signal in
                filters.withUnsafeBufferPointer { filters in
                    guard let signal = signal.baseAddress, let filters = filters.baseAddress else { return }
                    Kernel.polyphase(result, signal, filters, count: count, step: step, phases: phases, taps: taps)
                }
            }
            initialized = count
        }
    }

    /// The same sums; taps that are zero are left out.
    private func resampledWithoutTable(_ samples: [Float]) -> [Float] {
        let base = Self.rolloff * Double(min(step, phases))
        let scale = base / Double(step)
        let reach = Self.lowpassWidth / scale
        let (count, isLong) = samples.count.multipliedReportingOverflow(by: phases)
        precondition(!isLong, "resample: \(samples.count) samples")
        return (0..<(count + step - 1) / step).map { number in
            // Where this sample lies among the old ones.
            let (whole, rest) = (number * step / phases, number * step % phases)
            let place = Double(whole) + Double(rest) / Double(phases)
            let first = max(0, Int((place - reach).rounded(.up)))
            let last = min(samples.count - 1, Int((place + reach).rounded(.down)))
            var sum = 0.0
            for index in first...max(first, last) where index <= last {
                let angle = (Double(index) - place) * scale * Double.pi
                let window = cos(angle / Self.lowpassWidth / 2)
                sum += Double(samples[index]) * (angle == 0 ? 1 : sin(angle) / angle) * window * window
            }
            return Float(sum * scale)
        }
    }

    /// The filters of all phases, computed in single precision as torchaudio does when it is given float32 audio.
    private static func makeFilters(step: Int, phases: Int, width: Int, base: Double) -> [Float] {
        let (base, reach) = (Float(base), Float(lowpassWidth))
        let scale = base / Float(step)
        return (0..<phases).flatMap { phase -> [Float] in
            let shift = Float(-phase) / Float(phases)
            return (-width..<width + step).map { tap in
                let time = min(max((shift + Float(tap) / Float(step)) * base, -reach), reach)
                let angle = time * Float.pi
                let window = cosf(angle / reach / 2)
                let sinc = angle == 0 ? 1 : sinf(angle) / angle
                return sinc * (window * window * scale)
            }
        }
    }

    private static func greatestCommonDivisor(_ a: Int, _ b: Int) -> Int {
        b == 0 ? a : greatestCommonDivisor(b, a % b)
    }
}
