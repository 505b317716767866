import Foundation

/// How loud a clip is, by ITU-R BS.1770-4.
public enum Loudness {
    /// The integrated loudness of a clip in LUFS: K-weighted, over blocks of 400 ms with 75 % overlap, gated at −70 LUFS and at
    /// 10 LU under the mean of what remains.
    ///
    /// A clip shorter than a block counts as one block, so that single words have a loudness too.
    ///
    /// - Parameters:
    ///   - channels: Samples by channel, in the order left, right, centre, LFE, left and right surround; all of one length.
    ///   - sampleRate: Hertz.
    /// - Returns: nil for silence, for no samples, and for samples that are no numbers.
    public static func integrated(_ channels: [[Float]], sampleRate: Int) -> Double? {
        guard let count = channels.first?.count, count > 0, sampleRate > 0 else { return nil }
        precondition(channels.allSatisfy { $0.count == count }, "Loudness.integrated: channels differ in length")
        let blocks = blockPowers(channels, sampleRate: sampleRate)
        let audible = blocks.filter { level($0) > absoluteGate }
        guard !audible.isEmpty else { return nil }
        let relativeGate = level(mean(audible)) - 10
        let loud = audible.filter { level($0) > relativeGate }
        let loudness = level(mean(loud.isEmpty ? audible : loud))
        return loudness.isFinite ? loudness : nil
    }

    /// The integrated loudness of one channel in LUFS; nil for silence.
    public static func integrated(_ samples: [Float], sampleRate: Int) -> Double? {
        integrated([samples], sampleRate: sampleRate)
    }

    /// The factor that brings a clip to a loudness without its peak passing a ceiling.
    ///
    /// - Parameters:
    ///   - target: LUFS.
    ///   - ceiling: The highest peak that may come out, full scale being 1.
    /// - Returns: 1 for silence.
    public static func gain(for samples: [Float], sampleRate: Int, target: Double, ceiling: Float = 0.99) -> Float {
        guard let loudness = integrated(samples, sampleRate: sampleRate) else { return 1 }
        let peak = samples.reduce(0) { max($0, abs($1)) }
        return min(Float(pow(10, (target - loudness) / 20)), ceiling / peak)
    }

    private static let absoluteGate = -70.0

    private static func level(_ power: Double) -> Double { -0.691 + 10 * log10(power) }

    private static func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }

    /// The weighted power of each gating block, summed over the channels.
    private static func blockPowers(_ channels: [[Float]], sampleRate: Int) -> [Double] {
        let count = channels[0].count
        // Blocks start every 100 ms: powers are added up over tenths of a second, four to a block.
        let hops = max(0, Int((Double(count) / Double(sampleRate) - 0.4) / 0.1 + 1e-9) + 1)
        func edge(_ hop: Int) -> Int { min(count, Int((Double(hop) * 0.1 * Double(sampleRate)).rounded())) }
        let isShort = Double(count) < 0.4 * Double(sampleRate)
        let edges = isShort ? [0, count] : (0...(hops + 3)).map(edge)
        var sums = [Double](repeating: 0, count: edges.count - 1)
        for (channel, samples) in channels.enumerated() {
            // BS.1770-4 table 3: surround channels count 1.41, the LFE not at all.
            let weight = channels.count < 6 ? 1 : channel == 3 ? 0 : channel > 3 ? 1.41 : 1
            guard weight > 0 else { continue }
            var filter = KWeighting(sampleRate: Double(sampleRate))
            samples.withUnsafeBufferPointer { samples in
                for hop in sums.indices {
                    var sum = 0.0
                    for index in edges[hop]..<edges[hop + 1] {
                        let value = filter.next(Double(samples[index]))
                        sum += value * value
                    }
                    sums[hop] += weight * sum
                }
            }
        }
        if isShort { return [sums[0] / Double(count)] }
        return (0..<hops).map { hop in
            let length = edges[hop + 4] - edges[hop]
            return length > 0 ? sums[hop..<hop + 4].reduce(0, +) / Double(length) : 0
        }
    }
}

/// The two filters of BS.1770-4 annex 1: a shelf for the head's acoustics, then a high pass.
///
/// The standard gives coefficients for 48 kHz only; these come from the analogue prototypes that reproduce them, so that any rate
/// can be measured (derivation: De Man, "Evaluation of implementations of the EBU R128 loudness measurement", 2014).
struct KWeighting {
    private(set) var shelf: Biquad
    private(set) var highPass: Biquad

    init(sampleRate: Double) {
        // At very low rates the shelf's corner would lie beyond half the rate; there it is left flat.
        shelf = sampleRate > 4_000 ? Self.shelf(sampleRate) : Biquad(b: (1, 0, 0), a: (0, 0))
        highPass = Self.highPass(sampleRate)
    }

    @inline(__always)
    mutating func next(_ sample: Double) -> Double { highPass.next(shelf.next(sample)) }

    private static func shelf(_ rate: Double) -> Biquad {
        let k = tan(.pi * 1_681.974450955533 / rate)
        let q = 0.7071752369554196
        let high = pow(10, 3.999843853973347 / 20)
        let band = pow(high, 0.4996667741545416)
        let scale = 1 + k / q + k * k
        return Biquad(
            b: (
                (high + band * k / q + k * k) / scale, 2 * (k * k - high) / scale, (high - band * k / q + k * k) / scale
            ),
            a: (2 * (k * k - 1) / scale, (1 - k / q + k * k) / scale))
    }

    private static func highPass(_ rate: Double) -> Biquad {
        let k = tan(.pi * 38.13547087602444 / rate)
        let q = 0.5003270373238773
        let scale = 1 + k / q + k * k
        return Biquad(b: (1, -2, 1), a: (2 * (k * k - 1) / scale, (1 - k / q + k * k) / scale))
    }
}

/// A second-order recursive filter, transposed direct form II.
struct Biquad {
    let b: (Double, Double, Double)
    let a: (Double, Double)
    private var state = (0.0, 0.0)

    init(b: (Double, Double, Double), a: (Double, Double)) {
        self.b = b
        self.a = a
    }

    @inline(__always)
    mutating func next(_ x: Double) -> Double {
        let y = b.0 * x + state.0
        state.0 = b.1 * x - a.0 * y + state.1
        state.1 = b.2 * x - a.1 * y
        return y
    }
}
