// Spectrograms that gradients flow through, for losses and discriminators.

/// The magnitude spectrogram, or power spectrogram, of signals under a periodic Hann window.
///
/// As `torch.stft(…).abs()` there is no epsilon: where a bin is exactly 0, so is its gradient.
///
/// - Parameters:
///   - x: [batch, time]
///   - fftSize: Samples of a frame; any number, powers of two are quickest.
///   - hop: Samples from frame to frame.
///   - windowLength: Samples of the window, which stands in the middle of the frame; nil for the whole frame.
///   - padding: What is added on both sides, half a frame each, so that frames are centred on their time; nil for none.
///   - power: 1 for magnitudes, 2 for their squares.
/// - Returns: [batch, fftSize / 2 + 1, frames], frames = (time + padding − fftSize) / hop + 1.
/// - Precondition: there is at least one frame.
public func stftMagnitude(
    _ x: Tensor, fftSize: Int, hop: Int, windowLength: Int? = nil, padding: PaddingMode? = .reflect, power: Int = 1
) -> Tensor {
    let window = windowLength ?? fftSize
    precondition(
        x.rank == 2 && fftSize > 0 && hop > 0 && (1...fftSize).contains(window) && (power == 1 || power == 2),
        "stftMagnitude: input \(x.shape), frames of \(fftSize), hop \(hop), window \(window), power \(power)")
    if let padding {
        let padded = x.padded(before: fftSize / 2, after: fftSize / 2, mode: padding)
        return stftMagnitude(
            padded, fftSize: fftSize, hop: hop, windowLength: windowLength, padding: nil, power: power)
    }
    let (batch, length) = (x.size(0), x.size(1))
    precondition(length >= fftSize, "stftMagnitude: input \(x.shape) is shorter than a frame of \(fftSize)")
    let plan = FourierPlan.hann(size: fftSize, windowLength: window)
    let frames = (length - fftSize) / hop + 1
    let result = Tensor(uninitialized: [batch, plan.bins, frames])
    let re = Tensor(uninitialized: result.shape)
    let im = Tensor(uninitialized: result.shape)
    withFloats(result, re, im, x.contiguousValues) { y, re, im, x in
        Kernel.fourierFrames(re: re, im: im, x, batch: batch, length: length, hop: hop, frames: frames, plan)
        Kernel.magnitude(y, re: re, im: im, count: result.count, squared: power == 2)
    }
    return result.recorded("stftMagnitude", from: x) { gradient in
        let dx = Tensor.zeros([batch, length])
        // A pullback runs once, so the spectrum may make room for its gradient.
        withFloats(dx, re, im, gradient.contiguousValues) { dx, re, im, dy in
            Kernel.magnitudeGradient(re: re, im: im, dy: dy, count: gradient.count, squared: power == 2)
            Kernel.fourierFramesGradient(
                dx, dRe: re, dIm: im, batch: batch, length: length, hop: hop, frames: frames, plan)
        }
        return [dx]
    }
}
