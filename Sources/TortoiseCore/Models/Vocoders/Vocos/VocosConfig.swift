/// The sizes of a Vocos; the defaults are those of the published `vocos-mel-24khz`.
///
/// Keys: the arguments of `VocosBackbone` and `ISTFTHead` (gemelo-ai/vocos).
public struct VocosConfig: Sendable, Equatable {
    /// Bands of the mel.
    public var melBands = 100
    public var width = 512
    /// Of the hidden layer in each block.
    public var innerWidth = 1_536
    public var layers = 8
    public var fftSize = 1_024
    /// Samples per mel frame.
    public var hop = 256

    public init() {}

    /// - Throws: `InputError.usage` when frames do not overlap evenly.
    func validate(at place: String) throws {
        guard fftSize % 2 == 0, fftSize >= hop, (fftSize - hop) % 2 == 0 else {
            throw InputError.usage("n_fft must be even, and at least hop_length by an even number", at: place)
        }
    }
}

extension VocosConfig: ConfigurationSection {
    static func describe(_ keys: inout ConfigurationKeys<VocosConfig>) {
        keys.key("input_channels", \.melBands, .within(1...4_096))
        keys.key("dim", \.width, .within(1...8_192))
        keys.key("intermediate_dim", \.innerWidth, .within(1...32_768))
        keys.key("num_layers", \.layers, .within(1...100))
        keys.key("n_fft", \.fftSize, .within(4...4_096))
        keys.key("hop_length", \.hop, .within(1...4_096))
        // Frames are centred on their stretch of the waveform, which has `hop_length` samples for each.
        keys.vestigial("padding")
    }
}
