import Foundation

/// A mel spectrogram front end: which signal it takes, and what it makes of it.
///
/// Both of the original's are here; all their settings are facts of the published models.
public struct MelSpectrogram: Sendable {
    /// The rate of the signals it is meant for, in Hz.
    public let sampleRate: Int
    public let filterbank: MelFilterbank
    /// 2 for a power spectrum, 1 for magnitudes.
    private let power: Int
    /// What each band's logarithm is divided by; nil for none.
    private let norms: [Float]?
    /// Whether the signal is first limited to ±1.
    private let clipsInput: Bool

    public static let fftSize = 1024
    public static let hop = 256
    /// Values below this are raised to it before the logarithm.
    public static let floor: Float = 1e-5

    /// 80 bands of 22.05 kHz audio: what the autoregressive model, the DVAE and CVVP hear.
    ///
    /// Port of TorchMelSpectrogram (neonbjb/tortoise-tts: tortoise/models/arch_util.py).
    /// - Parameter norms: One divisor per band, `data/mel_norms.safetensors`; see `loadNorms`.
    /// - Precondition: there are 80 norms.
    public static func conditioning(norms: [Float]) -> MelSpectrogram {
        precondition(norms.count == 80, "the 22 kHz mel spectrogram needs 80 norms, found \(norms.count)")
        let filterbank = MelFilterbank(
            bands: 80, bins: 513, sampleRate: SampleRate.narrow, range: 0...8000, scale: .htk)
        return MelSpectrogram(
            sampleRate: SampleRate.narrow, filterbank: filterbank, power: 2, norms: norms, clipsInput: false)
    }

    /// 100 bands of 24 kHz audio: what the diffusion decoder makes and the vocoders take.
    ///
    /// Port of TacotronSTFT (neonbjb/tortoise-tts: tortoise/utils/audio.py).
    public static let vocoder = MelSpectrogram(
        sampleRate: SampleRate.wide,
        filterbank: MelFilterbank(
            bands: 100, bins: 513, sampleRate: SampleRate.wide, range: 0...12_000, scale: .slaney),
        power: 1,
        norms: nil, clipsInput: true)

    /// The mel spectrogram of some signals.
    ///
    /// Shape: [batch, samples] → [batch, bands, samples / 256 + 1]. Gradients flow through.
    /// - Precondition: there are more than 512 samples, since both ends are reflected.
    public func callAsFunction(_ signal: Tensor) -> Tensor {
        precondition(
            signal.rank == 2 && signal.size(1) > Self.fftSize / 2,
            "mel spectrogram: expected [batch, more than \(Self.fftSize / 2) samples], found \(signal.shape)")
        let limited = clipsInput ? signal.clamped(to: -1...1) : signal
        let spectrum = stftMagnitude(limited, fftSize: Self.fftSize, hop: Self.hop, power: power)
        let weights = Tensor(filterbank.weights, shape: [filterbank.bands, filterbank.bins])
        let energies = weights.matmul(spectrum)
        let logarithms = energies.clamped(to: Self.floor...Float.greatestFiniteMagnitude).log
        return norms.map { logarithms / Tensor($0, shape: [filterbank.bands, 1]) } ?? logarithms
    }

    /// The mel spectrogram of one signal. Shape: [1, bands, samples / 256 + 1]
    public func callAsFunction(_ samples: [Float]) -> Tensor { self(Tensor(samples, shape: [1, samples.count])) }
}

/// The scale on which the diffusion decoder works: mel values brought to about −1...1.
///
/// Port of normalize_tacotron_mel and its inverse (neonbjb/tortoise-tts: tortoise/utils/audio.py).
public enum MelNormalization {
    static let maximum: Float = 2.314_338_684_082_031_2
    static let minimum: Float = -11.512_925_148_010_254

    public static func normalize(_ mel: Tensor) -> Tensor { (mel - minimum) * (2 / (maximum - minimum)) - 1 }

    public static func denormalize(_ mel: Tensor) -> Tensor { (mel + 1) * ((maximum - minimum) / 2) + minimum }
}
