/// Makes speech faster or slower without changing its pitch.
///
/// Waveform similarity overlap-add (Verhelst and Roelands, ICASSP 1993): windows are taken at one pace and laid down at
/// another, each from the place near its due one that continues the last best.
public enum TimeStretch {
    /// 40 ms at 24 kHz: two periods of a deep voice.
    private static let window = 960
    private static let hop = 480
    /// How far a window may be from its due place, in samples.
    private static let reach = 240

    /// What the rate of speech may be.
    public static let speeds = 0.25...4.0

    /// The samples at another speed: 2 takes half the time.
    ///
    /// - Precondition: the speed is within `speeds`.
    public static func stretched(_ samples: [Float], speed: Double) -> [Float] {
        precondition(speeds.contains(speed), "TimeStretch: speed \(speed)")
        guard speed != 1, samples.count > 2 * window + 2 * reach else { return samples }
        let count = Int(Double(samples.count) / speed)
        var result = [Float](repeating: 0, count: count + window)
        let fade = (0..<hop).map { Float($0) / Float(hop) }
        samples.withUnsafeBufferPointer { source in
            var start = 0
            for index in 0..<hop { result[index] = source[index] }
            var position = 0
            while position + window <= result.count {
                // Half of each window is faded into the half that the one before left.
                for index in 0..<hop {
                    result[position + index] += (source[start + index] - result[position + index]) * fade[index]
                    result[position + hop + index] = source[start + hop + index]
                }
                position += hop
                let due = Int(Double(position) * speed)
                guard due + window + reach < source.count else { break }
                start = best(source, like: start + hop, near: due)
            }
            result.removeLast(result.count - min(position + hop, count))
        }
        return result
    }

    /// The start near a place from which the signal continues most like it does at another.
    private static func best(_ source: UnsafeBufferPointer<Float>, like template: Int, near due: Int) -> Int {
        var (best, highest) = (due, -Float.infinity)
        let last = min(due + reach, source.count - window)
        guard template + hop <= source.count else { return due }
        for candidate in stride(from: max(0, due - reach), through: last, by: 4) {
            var (product, energy) = (Float(0), Float(1e-9))
            for index in stride(from: 0, to: hop, by: 2) {
                product += source[template + index] * source[candidate + index]
                energy += source[candidate + index] * source[candidate + index]
            }
            let likeness = product / energy.squareRoot()
            if likeness > highest { (best, highest) = (candidate, likeness) }
        }
        return best
    }
}
