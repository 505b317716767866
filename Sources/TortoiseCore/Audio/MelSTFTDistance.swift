/// How far two recordings are apart: spectral convergence and the distance of logarithms of mel spectrograms.
///
/// With the defaults of `MelSTFTLoss` in auraloss 0.4.0 as the reference's trainer uses it: 24 kHz, frames of 1,024 under a
/// periodic Hann window every 256 samples, 128 Slaney mels up to 12 kHz of magnitudes √max(|z|², 1e-8).
public enum MelSTFTDistance {
    private static let filterbank = MelFilterbank(
        bands: 128, bins: 513, sampleRate: SampleRate.wide, range: 0...12_000, scale: .slaney)

    /// ‖Y − X‖ / ‖Y‖ + mean |ln X − ln Y|, over the length that both have.
    ///
    /// - Parameters:
    ///   - samples: X, at 24 kHz.
    ///   - reference: Y.
    /// - Returns: 0 for recordings too short for a frame.
    public static func between(_ samples: [Float], _ reference: [Float]) -> Double {
        let count = min(samples.count, reference.count)
        guard count > MelSpectrogram.fftSize / 2 else { return 0 }
        let (x, y) = (mel(Array(samples.prefix(count))), mel(Array(reference.prefix(count))))
        let convergence = ((y - x).sumOfSquares / max(y.sumOfSquares, 1e-30)).squareRoot()
        return convergence + Double(l1Loss(x.log, y.log).item)
    }

    private static func mel(_ samples: [Float]) -> Tensor {
        let signal = Tensor(samples, shape: [1, samples.count])
        let power = stftMagnitude(signal, fftSize: MelSpectrogram.fftSize, hop: MelSpectrogram.hop, power: 2)
        let magnitudes = power.clamped(to: 1e-8...Float.greatestFiniteMagnitude).sqrt
        return Tensor(filterbank.weights, shape: [filterbank.bands, filterbank.bins]).matmul(magnitudes)
    }
}
