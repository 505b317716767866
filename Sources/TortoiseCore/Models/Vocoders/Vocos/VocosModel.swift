/// A vocoder that works at the rate of the mel's frames: ConvNeXt blocks, then magnitude and phase of a spectrum, then its
/// inverse Fourier transform. Far cheaper on a CPU than vocoders that work on samples.
///
/// Port of `VocosBackbone` and `ISTFTHead` (gemelo-ai/vocos; Siuzdak, "Vocos: Closing the gap between time-domain and
/// Fourier-based neural vocoders for high-quality audio synthesis", 2023). Keys: `backbone.embed`, `backbone.convnext.N`, `head.out`.
public final class VocosModel {
    public let config: VocosConfig
    private let embed: Conv1d
    private let firstNorm, lastNorm: LayerNorm
    private let blocks: [ConvNeXtBlock]
    private let head: Linear
    private let inverse: InverseSTFT

    /// Louder than any bin of speech; keeps the exponential from running away.
    private static let loudest: Float = 100

    public init(_ config: VocosConfig, at scope: ParameterScope) {
        self.config = config
        let backbone = scope["backbone"]
        embed = Conv1d(
            config.melBands, config.width, taps: 7, initializer: ConvNeXtBlock.weights, at: backbone["embed"])
        firstNorm = LayerNorm(config.width, epsilon: ConvNeXtBlock.epsilon, at: backbone["norm"])
        blocks = (0..<config.layers).map { ConvNeXtBlock(config, at: backbone["convnext"][$0]) }
        lastNorm = LayerNorm(config.width, epsilon: ConvNeXtBlock.epsilon, at: backbone["final_layer_norm"])
        head = Linear(config.width, config.fftSize + 2, at: scope["head"]["out"])
        inverse = InverseSTFT(fftSize: config.fftSize, hop: config.hop)
    }

    public static let keyMap = KeyMap(.dropPrefix("feature_extractor."), .drop("head.istft.window"))

    /// The waveform as training sees it.
    ///
    /// Shape: log-mel [batch, bands, frames] → [batch, 1, frames · hop]
    public func callAsFunction(_ mel: Tensor) -> Tensor {
        precondition(mel.rank == 3 && mel.size(1) == config.melBands, "vocos: mel \(mel.shape)")
        let start = firstNorm(embed(mel).transposed(1, 2).contiguous).transposed(1, 2).contiguous
        let hidden = blocks.reduce(start) { $1($0) }
        let spectrum = head(lastNorm(hidden.transposed(1, 2).contiguous)).transposed(1, 2)
        let bins = config.fftSize / 2 + 1
        let magnitude = spectrum.sliced(1, 0..<bins).contiguous.exp.clamped(to: 0...Self.loudest)
        let phase = spectrum.sliced(1, bins..<2 * bins).contiguous
        return inverse(real: magnitude * phase.cos, imaginary: magnitude * phase.sin)
    }

    /// The waveform of a mel whose end is followed by silence, which is cut off again.
    ///
    /// Shape: log-mel [batch, bands, frames] → [batch, 1, samples]
    public func inference(_ mel: Tensor) -> Tensor {
        VocoderTail.removed(from: self(VocoderTail.appended(to: mel)), samplesPerFrame: samplesPerFrame)
    }
}

extension VocosModel: MelVocoder {
    public var melBands: Int { config.melBands }
    public var samplesPerFrame: Int { config.hop }

    public func waveform(of mel: Tensor, _ random: RandomSource) -> Tensor { inference(mel) }
}
