/// The published vocoder of TorToiSe: turns noise into a waveform under the guidance of a mel spectrogram.
///
/// Port of `UnivNetGenerator` (tortoise/models/vocoder.py; Jang et al., "UnivNet: A neural vocoder with multi-resolution
/// spectrogram discriminators for high-fidelity waveform generation", 2021). Keys: `res_stack.N`, `conv_pre`, `conv_post.1`.
public final class UnivNetModel {
    public let config: UnivNetConfig
    private let blocks: [LocationVariableBlock]
    private let input, output: Conv1d

    private static let outerTaps = 7

    /// - Parameter trainable: Keeps direction and length of the convolutions' weights apart, as training needs them.
    public init(_ config: UnivNetConfig, trainable: Bool = false, at scope: ParameterScope) {
        self.config = config
        var hop = 1
        blocks = config.strides.enumerated().map { index, stride in
            hop *= stride
            return LocationVariableBlock(
                config, stride: stride, hop: hop, isNormed: trainable, at: scope["res_stack"][index])
        }
        input = Conv1d(
            config.noiseChannels, config.channels, taps: Self.outerTaps, padding: 0, weightNorm: trainable,
            at: scope["conv_pre"])
        output = Conv1d(
            config.channels, 1, taps: Self.outerTaps, padding: 0, weightNorm: trainable, at: scope["conv_post"][1])
    }

    /// For inference: weight norms are folded.
    public static let keyMap = KeyMap.foldedVocoder
    /// For training.
    public static let trainableKeyMap = KeyMap.trainableVocoder

    /// The waveform as training sees it.
    ///
    /// Shape: log-mel [batch, bands, frames], standard normal noise [batch, noise channels, frames] → [batch, 1, samples]
    /// - Precondition: there are at least four frames, since the noise is mirrored at its ends.
    public func callAsFunction(_ mel: Tensor, noise: Tensor) -> Tensor {
        precondition(
            mel.rank == 3 && mel.size(1) == config.melBands
                && noise.shape == [mel.size(0), config.noiseChannels, mel.size(2)],
            "univnet: mel \(mel.shape), noise \(noise.shape)")
        let start = input(reflected(noise))
        let shaped = blocks.reduce(start) { $1($0, mel: mel) }
        return output(reflected(shaped.leakyReLU(slope: Float(config.slope)))).tanh
    }

    /// The waveform of a mel whose end is followed by silence, which is cut off again.
    ///
    /// Shape: log-mel [batch, bands, frames], noise [batch, noise channels, frames + 10] → [batch, 1, samples]
    public func inference(_ mel: Tensor, noise: Tensor) -> Tensor {
        VocoderTail.removed(from: self(VocoderTail.appended(to: mel), noise: noise), samplesPerFrame: samplesPerFrame)
    }

    private func reflected(_ x: Tensor) -> Tensor {
        x.padded(before: Self.outerTaps / 2, after: Self.outerTaps / 2, mode: .reflect)
    }
}

extension UnivNetModel: MelVocoder {
    public var melBands: Int { config.melBands }
    public var samplesPerFrame: Int { config.samplesPerFrame }

    public func waveform(of mel: Tensor, _ random: RandomSource) -> Tensor {
        let shape = [1, config.noiseChannels, mel.size(2) + VocoderTail.frames]
        let noise = (0..<mel.size(0)).map { Tensor(random[$0].stream.normals(shape.product), shape: shape) }
        return inference(mel, noise: concatenated(noise, axis: 0))
    }
}
