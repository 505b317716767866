/// Two convolutions and a mixing one around a residual. Keys: `net.0`, `net.2`, `net.4`.
private final class DVAEResidualBlock {
    private let first, second, mix: Conv1d

    init(_ channels: Int, taps: Int, at scope: ParameterScope) {
        first = Conv1d(channels, channels, taps: taps, at: scope["net"][0])
        second = Conv1d(channels, channels, taps: taps, at: scope["net"][2])
        mix = Conv1d(channels, channels, taps: 1, at: scope["net"][4])
    }

    func callAsFunction(_ x: Tensor) -> Tensor { x + mix(second(first(x).relu).relu) }
}

/// Mel spectrograms as sequences of codes, one per 1,024 samples, and back.
///
/// Port of `DiscreteVAE` (e-c-k-e-r/tortoise-tts: tortoise_tts/models/dvae.py): strided convolutions, the nearest code of a
/// codebook, and repetition with convolutions back up. Keys: `encoder.N`, `decoder.N`, `codebook`.
public final class DVAEModel {
    public let config: DVAEConfig
    public let codebook: Codebook
    private let down: [Conv1d]
    private let encoderBlocks, decoderBlocks: [DVAEResidualBlock]
    private let toCode, fromCode, output: Conv1d
    private let up: [Conv1d]

    public init(_ config: DVAEConfig, at scope: ParameterScope) {
        self.config = config
        let (encoder, decoder, taps) = (scope["encoder"], scope["decoder"], config.kernelSize)
        let widths = config.widths
        let deepest = widths.last ?? config.channels
        down = widths.indices.map { layer in
            Conv1d(
                layer == 0 ? config.channels : widths[layer - 1], widths[layer], taps: taps, stride: 2,
                padding: taps / 2,
                at: encoder[layer][0])
        }
        encoderBlocks = (0..<config.residualBlocks).map {
            DVAEResidualBlock(deepest, taps: taps, at: encoder[widths.count + $0])
        }
        toCode = Conv1d(deepest, config.codeWidth, taps: 1, at: encoder[widths.count + config.residualBlocks])
        fromCode = Conv1d(config.codeWidth, deepest, taps: 1, at: decoder[0])
        decoderBlocks = (0..<config.residualBlocks).map { DVAEResidualBlock(deepest, taps: taps, at: decoder[1 + $0]) }
        let upward = [deepest] + widths.reversed()
        up = widths.indices.map { layer in
            Conv1d(
                upward[layer], upward[layer + 1], taps: taps, at: decoder[1 + config.residualBlocks + layer][0]["conv"])
        }
        output = Conv1d(
            upward[widths.count], config.channels, taps: 1, at: decoder[1 + config.residualBlocks + widths.count])
        codebook = Codebook(config, at: scope["codebook"])
    }

    /// The published file's keys are the model's.
    public static let keyMap = KeyMap()

    /// The codes of a mel that was divided by the mel norms.
    ///
    /// Shape: [batch, bands, time] → int32 [batch, ⌈time / 4⌉]
    public func encode(_ mel: Tensor) -> Tensor {
        let encoded = encoderOutput(mel)
        return codebook.nearest(to: rows(encoded)).reshaped(mel.size(0), encoded.size(2))
    }

    /// The mel of codes, still divided by the mel norms.
    ///
    /// Shape: int32 [batch, codes] → [batch, bands, 4 · codes]
    /// - Precondition: the codes are below the codebook's size.
    public func decode(_ codes: Tensor) -> Tensor { decoderOutput(codebook.vectors(of: codes).transposed(1, 2)) }

    /// What a training step needs to know.
    public struct Reconstruction {
        /// Shape: that of the mel.
        public let mel: Tensor
        /// How far the encoder's vectors are from their codes, mean squared; nil without quantisation.
        public let commitment: Tensor?
        /// The encoder's vectors, untracked. Shape: [batch · codes, width]
        public let vectors: Tensor
        /// The code of each; empty without quantisation.
        public let codes: [Int32]
    }

    /// Through the codes and back, with gradients passed straight through the choice of codes.
    ///
    /// - Parameter quantizes: Whether codes stand in for the encoder's vectors; without them the encoder learns first.
    public func reconstruct(_ mel: Tensor, quantizes: Bool = true) -> Reconstruction {
        let encoded = encoderOutput(mel)
        let vectors = rows(encoded.detached)
        let length = mel.size(2)
        guard quantizes else {
            return Reconstruction(
                mel: decoderOutput(encoded).sliced(2, 0..<length), commitment: nil, vectors: vectors, codes: [])
        }
        let codes = codebook.nearest(to: vectors)
        let shape = [mel.size(0), encoded.size(2), config.codeWidth]
        let quantized = codebook.vectors(of: codes).reshaped(shape).transposed(1, 2)
        let straightThrough = encoded + (quantized - encoded.detached)
        return Reconstruction(
            mel: decoderOutput(straightThrough).sliced(2, 0..<length),
            commitment: meanSquaredError(encoded, quantized.contiguous),
            vectors: vectors, codes: codes.indexValues)
    }

    private func encoderOutput(_ mel: Tensor) -> Tensor {
        precondition(
            mel.rank == 3 && mel.size(1) == config.channels,
            "dvae: a mel of \(mel.shape), expected \(config.channels) bands")
        let shrunk = down.reduce(mel) { $1($0).relu }
        return toCode(encoderBlocks.reduce(shrunk) { $1($0) })
    }

    private func decoderOutput(_ x: Tensor) -> Tensor {
        let mixed = decoderBlocks.reduce(fromCode(x)) { $1($0) }
        return output(up.reduce(mixed) { $1($0.interpolated(size: 2 * $0.size(2))).relu })
    }

    /// [batch, width, time] as [batch · time, width].
    private func rows(_ x: Tensor) -> Tensor { x.transposed(1, 2).contiguous.reshaped(-1, config.codeWidth) }
}
