/// Dilated convolutions, each behind an anti-aliased activation and inside a residual.
///
/// Source: `AMPBlock1` and `AMPBlock2` of NVIDIA/BigVGAN. Keys: `convs1.N` and `convs2.N`, or `convs.N`; `activations.N`, those of the
/// two convolutions of a pair beside each other.
private final class PeriodicBlock {
    private let convolutions: [Conv1d]
    private let activations: [AntiAliasedActivation]
    /// How many convolutions a residual goes around.
    private let perResidual: Int

    init(
        _ config: BigVGANConfig, _ channels: Int, taps: Int, dilations: [Int], isNormed: Bool, at scope: ParameterScope
    ) {
        func convolution(_ dilation: Int, _ key: String, _ index: Int) -> Conv1d {
            Conv1d(channels, channels, taps: taps, dilation: dilation, weightNorm: isNormed, at: scope[key][index])
        }
        switch config.residualBlock {
        case .paired:
            perResidual = 2
            let first = dilations.enumerated().map { convolution($1, "convs1", $0) }
            let second = dilations.indices.map { convolution(1, "convs2", $0) }
            convolutions = zip(first, second).flatMap { [$0, $1] }
        case .single:
            perResidual = 1
            convolutions = dilations.enumerated().map { convolution($1, "convs", $0) }
        }
        activations = convolutions.indices.map { AntiAliasedActivation(config, channels, at: scope["activations"][$0]) }
    }

    /// Shape: [batch, channels, time] → the same
    func callAsFunction(_ x: Tensor) -> Tensor {
        stride(from: 0, to: convolutions.count, by: perResidual).reduce(x) { x, first in
            x + (first..<first + perResidual).reduce(x) { convolutions[$1](activations[$1]($0)) }
        }
    }
}

/// A vocoder of much capacity: turns a mel spectrogram into a waveform, without noise.
///
/// Port of the generator of NVIDIA/BigVGAN (Lee et al., "BigVGAN: A universal neural vocoder with large-scale training", 2023).
/// Keys: `conv_pre`, `ups.N.0`, `resblocks.N`, `activation_post`, `conv_post`.
public final class BigVGANModel {
    public let config: BigVGANConfig
    private let input, output: Conv1d
    private let lengthen: [ConvTranspose1d]
    /// The blocks of each stage, whose results are averaged.
    private let blocks: [[PeriodicBlock]]
    private let lastActivation: AntiAliasedActivation

    private static let outerTaps = 7

    /// - Parameter trainable: Keeps direction and length of the convolutions' weights apart, as training needs them.
    public init(_ config: BigVGANConfig, trainable: Bool = false, at scope: ParameterScope) {
        self.config = config
        let channels = (0...config.upsampleFactors.count).map { config.initialChannels >> $0 }
        input = Conv1d(config.melBands, channels[0], taps: Self.outerTaps, weightNorm: trainable, at: scope["conv_pre"])
        lengthen = config.upsampleFactors.indices.map { stage in
            let (taps, stride) = (config.upsampleKernelSizes[stage], config.upsampleFactors[stage])
            return ConvTranspose1d(
                channels[stage], channels[stage + 1], taps: taps, stride: stride, padding: (taps - stride) / 2,
                weightNorm: trainable, at: scope["ups"][stage][0])
        }
        let kinds = Array(zip(config.kernelSizes, config.dilations))
        blocks = config.upsampleFactors.indices.map { stage in
            kinds.indices.map { index in
                PeriodicBlock(
                    config, channels[stage + 1], taps: kinds[index].0, dilations: kinds[index].1, isNormed: trainable,
                    at: scope["resblocks"][stage * kinds.count + index])
            }
        }
        let last = channels[channels.count - 1]
        lastActivation = AntiAliasedActivation(config, last, at: scope["activation_post"])
        output = Conv1d(last, 1, taps: Self.outerTaps, weightNorm: trainable, at: scope["conv_post"])
    }

    /// For inference: weight norms are folded, and the constant filters that files hold are passed over.
    public static let keyMap = KeyMap(
        .drop("**.upsample.filter"), .drop("**.downsample.lowpass.filter"), .foldWeightNorm(axis: 0))
    /// For training.
    public static let trainableKeyMap = KeyMap(
        .drop("**.upsample.filter"), .drop("**.downsample.lowpass.filter"),
        .suffix(from: ".parametrizations.weight.original0", to: ".weight_g"),
        .suffix(from: ".parametrizations.weight.original1", to: ".weight_v"))

    /// The waveform as training sees it.
    ///
    /// Shape: log-mel [batch, bands, frames] → [batch, 1, samples]
    public func callAsFunction(_ mel: Tensor) -> Tensor {
        precondition(mel.rank == 3 && mel.size(1) == config.melBands, "bigvgan: mel \(mel.shape)")
        let shaped = lengthen.indices.reduce(input(mel)) { x, stage in
            let longer = lengthen[stage](x)
            return averaged(blocks[stage].map { $0(longer) })
        }
        return output(lastActivation(shaped)).tanh
    }

    /// The waveform of a mel whose end is followed by silence, which is cut off again.
    ///
    /// Shape: log-mel [batch, bands, frames] → [batch, 1, samples]
    public func inference(_ mel: Tensor) -> Tensor {
        VocoderTail.removed(from: self(VocoderTail.appended(to: mel)), samplesPerFrame: samplesPerFrame)
    }
}

extension BigVGANModel: MelVocoder {
    public var melBands: Int { config.melBands }
    public var samplesPerFrame: Int { config.samplesPerFrame }

    /// There is no noise in it: the same for every source.
    public func waveform(of mel: Tensor, _ random: RandomSource) -> Tensor { inference(mel) }
}
