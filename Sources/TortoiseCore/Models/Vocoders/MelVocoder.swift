/// Something that makes a waveform of a mel spectrogram.
public protocol MelVocoder {
    /// Bands of the mel.
    var melBands: Int { get }
    /// Samples of the waveform per mel frame.
    var samplesPerFrame: Int { get }
    /// Samples of the waveform per second.
    var sampleRate: Int { get }

    /// The waveform of a log-mel that is not normalised.
    ///
    /// Shape: [batch, bands, frames] → [batch, 1, samplesPerFrame · frames], within [−1, 1]
    /// - Parameter random: Where a vocoder that starts from noise takes it; every row of the batch has its own.
    func waveform(of mel: Tensor, _ random: RandomSource) -> Tensor
}

extension MelVocoder {
    public var sampleRate: Int { SampleRate.wide }

    /// - Throws: `InputError.model` when it is not made for the mels that diffusion makes and vocoders are trained on.
    func checkTakesMels(at place: String) throws {
        guard melBands == 100, samplesPerFrame == 256 else {
            throw InputError.model(
                "the vocoder takes mels of \(melBands) bands and makes \(samplesPerFrame) samples of each frame; "
                    + "here mels have 100 bands and 256 samples a frame", at: place, try: "correct its sizes")
        }
    }
}

/// The silence that TorToiSe's vocoders hear after the end of a mel, so that its last frames sound like those before.
enum VocoderTail {
    static let frames = 10
    /// About ln(1e-5), the floor of the log-mel, with the digits that the original has.
    static let silence: Float = -11.5129

    /// The mel with the tail.
    static func appended(to mel: Tensor) -> Tensor {
        concatenated([mel, Tensor.full([mel.size(0), mel.size(1), frames], silence)], axis: 2)
    }

    /// The waveform without the tail's part, within [−1, 1].
    static func removed(from waveform: Tensor, samplesPerFrame: Int) -> Tensor {
        waveform.sliced(2, 0..<waveform.size(2) - frames * samplesPerFrame).contiguous.clamped(to: -1...1)
    }
}

extension KeyMap {
    /// What the published vocoders need for inference. Every convolution was normed over all axes but the first, which for
    /// transposed ones is that of the inputs.
    static let foldedVocoder = KeyMap(.foldWeightNorm(axis: 0))
    /// The same for training, which keeps direction and length apart.
    static let trainableVocoder = KeyMap(
        .suffix(from: ".parametrizations.weight.original0", to: ".weight_g"),
        .suffix(from: ".parametrizations.weight.original1", to: ".weight_v"))
}
