import Foundation

/// From spectra to a waveform under a periodic Hann window: frames overlap and are added, and what the windows add up to is
/// divided out.
///
/// As a transposed convolution with the waves of the Fourier transform, so that gradients flow through it; frame i is centred on
/// samples [i · hop, (i + 1) · hop). Port of `ISTFT` with "same" padding (gemelo-ai/vocos: vocos/spectral_ops.py).
struct InverseSTFT {
    let fftSize, hop: Int
    /// cos and −sin of every bin under the window: [2 · bins, 1, fftSize]
    private let waves: Tensor
    private let window: [Float]

    init(fftSize: Int, hop: Int) {
        (self.fftSize, self.hop) = (fftSize, hop)
        let bins = fftSize / 2 + 1
        let angles = (0..<fftSize).map { 2 * Double.pi * Double($0) / Double(fftSize) }
        let (cosines, sines) = (angles.map { cos($0) }, angles.map { sin($0) })
        let window = cosines.map { 0.5 - 0.5 * $0 }
        var values = [Float](repeating: 0, count: 2 * bins * fftSize)
        for bin in 0..<bins {
            // All but the first and the last bin stand for two of the whole spectrum.
            let weight = (bin == 0 || bin == fftSize / 2 ? 1 : 2) / Double(fftSize)
            for n in 0..<fftSize {
                let turn = bin * n % fftSize
                values[bin * fftSize + n] = Float(weight * cosines[turn] * window[n])
                values[(bins + bin) * fftSize + n] = Float(-weight * sines[turn] * window[n])
            }
        }
        waves = Tensor(values, shape: [2 * bins, 1, fftSize])
        self.window = window.map { Float($0) }
    }

    /// Shape: real and imaginary parts [batch, bins, frames] → [batch, 1, frames · hop]
    func callAsFunction(real: Tensor, imaginary: Tensor) -> Tensor {
        let sum = convTranspose1d(
            concatenated([real, imaginary], axis: 1), weight: waves, stride: hop, padding: (fftSize - hop) / 2)
        return sum * envelope(frames: real.size(2))
    }

    /// One over what the squared windows add up to, [1, 1, frames · hop].
    private func envelope(frames: Int) -> Tensor {
        let margin = (fftSize - hop) / 2
        var sums = [Float](repeating: 0, count: frames * hop + 2 * margin)
        for frame in 0..<frames {
            for n in 0..<fftSize { sums[frame * hop + n] += window[n] * window[n] }
        }
        return Tensor(sums[margin..<margin + frames * hop].map { 1 / max($0, 1e-11) }, shape: [1, 1, frames * hop])
    }
}
