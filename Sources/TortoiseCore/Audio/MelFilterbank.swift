import Foundation

/// How frequencies are spaced on the mel scale.
public enum MelScale: Sendable {
    /// 2595 log₁₀(1 + f / 700), torchaudio's default.
    case htk
    /// Linear below 1 kHz, logarithmic above: librosa's default.
    case slaney

    func mel(_ frequency: Double) -> Double {
        switch self {
        case .htk: return 2595 * log10(1 + frequency / 700)
        case .slaney:
            let linear = 200.0 / 3
            return frequency < 1000 ? frequency / linear : 15 + log(frequency / 1000) / (log(6.4) / 27)
        }
    }

    func frequency(_ mel: Double) -> Double {
        switch self {
        case .htk: return 700 * (pow(10, mel / 2595) - 1)
        case .slaney: return mel < 15 ? mel * 200 / 3 : 1000 * exp((mel - 15) * log(6.4) / 27)
        }
    }
}

/// Overlapping triangles over the bins of a spectrum, each of unit area (Slaney's norm).
public struct MelFilterbank: Sendable {
    public let bands: Int
    public let bins: Int
    /// [bands, bins], row-major.
    public let weights: [Float]

    /// - Parameters:
    ///   - bins: fftSize / 2 + 1.
    ///   - range: The lowest and the highest frequency in Hz.
    public init(bands: Int, bins: Int, sampleRate: Int, range: ClosedRange<Double>, scale: MelScale) {
        precondition(bands > 0 && bins > 1, "mel filterbank: \(bands) bands over \(bins) bins")
        let (low, high) = (scale.mel(range.lowerBound), scale.mel(range.upperBound))
        let points = (0..<bands + 2).map { scale.frequency(low + (high - low) * Double($0) / Double(bands + 1)) }
        // torchaudio spaces its bins up to the integer half of the rate; the rates here are even.
        let spacing = Double(sampleRate / 2) / Double(bins - 1)
        var weights = [Float](repeating: 0, count: bands * bins)
        for band in 0..<bands {
            let (left, centre, right) = (points[band], points[band + 1], points[band + 2])
            for bin in 0..<bins {
                let frequency = Double(bin) * spacing
                let height = min((frequency - left) / (centre - left), (right - frequency) / (right - centre))
                weights[band * bins + bin] = Float(max(0, height) * 2 / (right - left))
            }
        }
        self.bands = bands
        self.bins = bins
        self.weights = weights
    }
}
