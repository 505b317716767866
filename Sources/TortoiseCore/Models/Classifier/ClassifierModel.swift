/// The sizes of the audio classifier; the defaults are those of the published one.
///
/// Keys: the arguments of `AudioMiniEncoderWithClassifierHead` (`tortoise/models/classifier.py`).
public struct ClassifierConfig: Sendable, Equatable {
    public var classes = 2
    public var inputChannels = 1
    public var embeddingWidth = 512
    /// Times that the channels double and the time shrinks.
    public var depth = 5
    public var downsampling = 4
    public var residualBlocks = 2
    public var attentionBlocks = 4
    public var heads = 4
    public var baseChannels = 32
    public var kernelSize = 5

    public init() {}
}

extension ClassifierConfig: ConfigurationSection {
    static func describe(_ keys: inout ConfigurationKeys<ClassifierConfig>) {
        keys.key("classes", \.classes, .within(1...10_000))
        keys.key("spec_dim", \.inputChannels, .within(1...4_096))
        keys.key("embedding_dim", \.embeddingWidth, .within(1...16_384))
        keys.key("depth", \.depth, .within(1...10))
        keys.key("downsample_factor", \.downsampling, .within(1...16))
        keys.key("resnet_blocks", \.residualBlocks, .within(0...100))
        keys.key("attn_blocks", \.attentionBlocks, .within(0...100))
        keys.key("num_attn_heads", \.heads, .within(1...1_024))
        keys.key("base_channels", \.baseChannels, .within(8...4_096))
        keys.key("kernel_size", \.kernelSize, .init(expected: "3 or 5") { [3, 5].contains($0) })
        keys.vestigial("dropout", "distribute_zero_label")
    }

    func validate(at place: String) throws {
        try AttentionBlock.check(channels: embeddingWidth, heads: heads, at: place)
        // Doubling keeps a number of groups that fits.
        guard possibleNormGroups(channels: baseChannels) != nil else {
            throw InputError.usage(
                "the norms find no groups in \(baseChannels) base channels", at: place, try: "choose a multiple of 8")
        }
    }
}

/// Norm, SiLU and convolution, twice, around a residual. Keys: `in_layers.{0,2}`, `out_layers.{0,3}`.
private final class ClassifierResidualBlock {
    private let inputNorm, outputNorm: GroupNorm
    private let input, output: Conv1d

    init(_ channels: Int, taps: Int, at scope: ParameterScope) {
        let groups = normGroups(channels: channels)
        inputNorm = GroupNorm(groups: groups, channels, at: scope["in_layers"][0])
        input = Conv1d(channels, channels, taps: taps, at: scope["in_layers"][2])
        outputNorm = GroupNorm(groups: groups, channels, at: scope["out_layers"][0])
        output = Conv1d(channels, channels, taps: taps, initializer: .zeros, at: scope["out_layers"][3])
    }

    func callAsFunction(_ x: Tensor) -> Tensor {
        x + output(outputNorm(input(inputNorm(x, silu: true)), silu: true))
    }
}

/// Tells whether a clip was made by TorToiSe.
///
/// Port of `AudioMiniEncoderWithClassifierHead` (`tortoise/models/classifier.py`). Keys: `enc.init.0`, `enc.res.N`, `enc.final.N`,
/// `enc.attn.N`, `head`.
public final class ClassifierModel {
    public let config: ClassifierConfig
    private enum Step {
        case residual(ClassifierResidualBlock)
        case shrink(Conv1d)
    }

    private let initial: Conv1d
    private let steps: [Step]
    private let finalNorm: GroupNorm
    private let final: Conv1d
    private let blocks: [AttentionBlock]
    private let head: Linear

    public init(_ config: ClassifierConfig, at scope: ParameterScope) {
        self.config = config
        let encoder = scope["enc"]
        initial = Conv1d(config.inputChannels, config.baseChannels, taps: 3, at: encoder["init"][0])
        var steps: [Step] = []
        var channels = config.baseChannels
        for _ in 0..<config.depth {
            for _ in 0..<config.residualBlocks {
                steps.append(
                    .residual(
                        ClassifierResidualBlock(channels, taps: config.kernelSize, at: encoder["res"][steps.count])))
            }
            steps.append(
                .shrink(
                    Conv1d(
                        channels, 2 * channels, taps: 5, stride: config.downsampling, padding: 2,
                        at: encoder["res"][steps.count]["op"])))
            channels *= 2
        }
        self.steps = steps
        finalNorm = GroupNorm(groups: normGroups(channels: channels), channels, at: encoder["final"][0])
        final = Conv1d(channels, config.embeddingWidth, taps: 1, at: encoder["final"][2])
        blocks = (0..<config.attentionBlocks).map {
            AttentionBlock(config.embeddingWidth, heads: config.heads, at: encoder["attn"][$0])
        }
        head = Linear(config.embeddingWidth, config.classes, at: scope["head"])
    }

    /// The published file's keys are the model's.
    public static let keyMap = KeyMap()

    /// Logits; softmax of index 0 is the chance that the clip is TorToiSe's.
    ///
    /// Shape: 24 kHz audio [batch, 1, samples] → [batch, classes]
    public func callAsFunction(_ audio: Tensor) -> Tensor {
        let encoded = steps.reduce(initial(audio)) { x, step in
            switch step {
            case .residual(let block): block(x)
            case .shrink(let convolution): convolution(x)
            }
        }
        let embedded = final(finalNorm(encoded, silu: true))
        return head(blocks.reduce(embedded) { $1($0) }.select(2, 0))
    }
}
