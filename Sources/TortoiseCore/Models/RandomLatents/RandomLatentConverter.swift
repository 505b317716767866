/// Sizes of a random latent converter.
public struct RandomLatentConfig: Sendable, Equatable {
    /// 1,024 for the autoregressive latent (`rlg_auto`), 2,048 for the diffusion latent (`rlg_diffuser`).
    public var channels = 1_024

    public init(channels: Int = 1_024) { self.channels = channels }
    public init() {}
}

extension RandomLatentConfig: ConfigurationSection {
    static func describe(_ keys: inout ConfigurationKeys<RandomLatentConfig>) {
        keys.key("channels", \.channels, .within(1...65_536))
    }
}

/// Turns noise into the conditioning latent of a voice that nobody has.
///
/// Port of `RandomLatentConverter` (`tortoise/models/random_latent_generator.py`): five layers whose learning rate was
/// equalised, then a plain one. Keys: `layers.N`.
public final class RandomLatentConverter {
    public let config: RandomLatentConfig
    private let hidden: [Linear]
    private let output: Linear

    private static let layers = 5
    private static let rateMultiplier: Float = 0.1
    private static let slope: Float = 0.2

    public init(_ config: RandomLatentConfig, at scope: ParameterScope) {
        self.config = config
        let channels = config.channels
        hidden = (0..<Self.layers).map {
            Linear(
                channels, channels, initializer: .normal(standardDeviation: 1 / Self.rateMultiplier),
                biasInitializer: .zeros,
                at: scope["layers"][$0])
        }
        output = Linear(channels, channels, at: scope["layers"][Self.layers])
    }

    /// Shape: standard normal noise [batch, channels] → [batch, channels]
    public func callAsFunction(_ noise: Tensor) -> Tensor {
        let weightScale = Self.rateMultiplier / Float(config.channels).squareRoot()
        let activated = hidden.reduce(noise) { x, layer in
            // The scale of the weights moves to the input, so that weights stay in the file as they are.
            let sum =
                layer.weight.multiply(x * weightScale) + (layer.bias?.value ?? Tensor.zeros([config.channels]))
                * Self.rateMultiplier
            return sum.leakyReLU(slope: Self.slope) * Float(2).squareRoot()
        }
        return output(activated)
    }
}
