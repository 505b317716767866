/// Makes a waveform straight of the autoregressive model's latents, without diffusion: what streaming uses.
///
/// Port of `HifiganGenerator` (tortoise/models/hifigan_decoder.py; Kong et al., "HiFi-GAN", 2020). The voice's latent is added
/// once, before the first stage. Keys: `conv_pre`, `cond_layer`, `ups.N`, `resblocks.N`, `conv_post`.
public final class HiFiGANModel {
    public let config: HiFiGANConfig
    private let input, condition, output: Conv1d
    private let lengthen: [ConvTranspose1d]
    /// The blocks of each stage, whose results are averaged.
    private let blocks: [[HiFiGANResidualBlock]]

    private static let outerTaps = 7
    /// The last activation has PyTorch's default slope where all others have 0.1.
    private static let lastSlope: Float = 0.01

    /// - Parameter trainable: Keeps direction and length of the convolutions' weights apart, as training needs them.
    public init(_ config: HiFiGANConfig, trainable: Bool = false, at scope: ParameterScope) {
        self.config = config
        let channels = (0...config.upsampleFactors.count).map { config.initialChannels >> $0 }
        input = Conv1d(config.inputs, channels[0], taps: Self.outerTaps, weightNorm: trainable, at: scope["conv_pre"])
        lengthen = config.upsampleFactors.indices.map { stage in
            let (taps, stride) = (config.upsampleKernelSizes[stage], config.upsampleFactors[stage])
            return ConvTranspose1d(
                channels[stage], channels[stage + 1], taps: taps, stride: stride, padding: (taps - stride) / 2,
                weightNorm: trainable, at: scope["ups"][stage])
        }
        let kinds = Array(zip(config.kernelSizes, config.dilations))
        blocks = config.upsampleFactors.indices.map { stage in
            kinds.indices.map { index in
                HiFiGANResidualBlock(
                    config.residualBlock, channels[stage + 1], taps: kinds[index].0, dilations: kinds[index].1,
                    isNormed: trainable, at: scope["resblocks"][stage * kinds.count + index])
            }
        }
        output = Conv1d(
            channels[channels.count - 1], 1, taps: Self.outerTaps, weightNorm: trainable, at: scope["conv_post"])
        condition = Conv1d(config.conditioningWidth, channels[0], taps: 1, at: scope["cond_layer"])
    }

    /// For inference: weight norms are folded.
    public static let keyMap = KeyMap.foldedVocoder
    /// For training.
    public static let trainableKeyMap = KeyMap.trainableVocoder

    /// The waveform of latents in the voice of a conditioning latent, within [−1, 1].
    ///
    /// Shape: latents [batch, codes, width], voice [batch, width] → [batch, 1, sampleCount(codes: codes)]
    public func callAsFunction(_ latents: Tensor, voice: Tensor) -> Tensor {
        waveform(ofSteps: stretched(latents), voice: voice)
    }

    /// A part of the waveform: the same samples as those of the whole, for the work of little more than the part.
    ///
    /// Shape: latents [batch, codes, width], voice [batch, width] → [batch, 1, samples in the range]
    /// - Parameter samples: Within the whole waveform, and not empty.
    public func waveform(of latents: Tensor, voice: Tensor, samples: Range<Int>) -> Tensor {
        let steps = stretched(latents)
        let perStep = config.samplesPerStep
        precondition(
            !samples.isEmpty && samples.lowerBound >= 0 && samples.upperBound <= steps.size(2) * perStep,
            "hifigan: samples \(samples) of \(latents.size(1)) codes")
        let first = max(0, samples.lowerBound / perStep - reach)
        let last = min(steps.size(2), (samples.upperBound + perStep - 1) / perStep + reach)
        let part = waveform(ofSteps: steps.sliced(2, first..<last), voice: voice)
        let start = samples.lowerBound - first * perStep
        return part.sliced(2, start..<start + samples.count)
    }

    /// Latents in steps of the decoder: [batch, width, steps].
    private func stretched(_ latents: Tensor) -> Tensor {
        precondition(latents.rank == 3 && latents.size(2) == config.inputs, "hifigan: latents \(latents.shape)")
        // In two goes, as the original does it: one would not give the same numbers.
        return latents.transposed(1, 2).interpolated(scale: Self.framesPerCode, mode: .linear)
            .interpolated(scale: Self.rateRatio, mode: .linear)
    }

    private func waveform(ofSteps steps: Tensor, voice: Tensor) -> Tensor {
        precondition(voice.shape == [steps.size(0), config.conditioningWidth], "hifigan: voice \(voice.shape)")
        let start = input(steps) + condition(voice.unsqueezed(2))
        let shaped = lengthen.indices.reduce(start) { x, stage in
            let longer = lengthen[stage](x.leakyReLU(slope: HiFiGANResidualBlock.slope))
            return averaged(blocks[stage].map { $0(longer) })
        }
        return output(shaped.leakyReLU(slope: Self.lastSlope)).tanh
    }
}

/// The mean of tensors of one shape.
func averaged(_ tensors: [Tensor]) -> Tensor {
    tensors.dropFirst().reduce(tensors[0]) { $0 + $1 } / Float(tensors.count)
}

// MARK: - Samples

extension HiFiGANModel {
    /// Samples of the waveform per second.
    public static let sampleRate = SampleRate.wide
    /// A code stands for 1,024 samples at 22.05 kHz, a step of the decoder for 256 at 24 kHz.
    static let framesPerCode = 1_024.0 / 256
    static let rateRatio = Double(SampleRate.wide) / Double(SampleRate.narrow)

    /// How many samples the waveform of a number of codes has.
    public func sampleCount(codes: Int) -> Int {
        config.samplesPerStep * Int(Double(codes) * Self.framesPerCode * Self.rateRatio)
    }

    /// How many of the first samples stay as they are when more codes follow.
    public func settledSampleCount(codes: Int) -> Int {
        // The last half code leans on the next one, and so does the last frame.
        let steps = Int((Double(codes) * Self.framesPerCode - Self.framesPerCode / 2 - 1) * Self.rateRatio)
        return max(0, steps - reach) * config.samplesPerStep
    }

    /// How many steps before and after its own a sample is made of, rounded up.
    private var reach: Int {
        // From the end to the start: what reaches so far in a stage's result reaches a factor less far in its input.
        var steps = Self.outerTaps / 2
        for stage in config.upsampleFactors.indices.reversed() {
            let perBlock = zip(config.kernelSizes, config.dilations).map { taps, dilations in
                dilations.reduce(0) { $0 + taps / 2 * (config.residualBlock == .paired ? $1 + 1 : $1) }
            }
            let (taps, factor) = (config.upsampleKernelSizes[stage], config.upsampleFactors[stage])
            steps = (steps + (perBlock.max() ?? 0) + taps + factor - 1) / factor
        }
        return steps + Self.outerTaps / 2 + 1
    }
}
