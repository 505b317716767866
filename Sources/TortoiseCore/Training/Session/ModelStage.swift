/// The stages of the stack that have weights of their own, as a model's name in a configuration tells them.
public enum ModelStage: String, Sendable, CaseIterable {
    case autoregressive, diffusion, clvp, cvvp, univnet, vocos, bigvgan, hifigan, dvae, classifier
    /// The converters of random latents.
    case randomLatents = "rlg"

    /// Those that make sound, in the order in which a set is searched for one.
    static let vocoders: [ModelStage] = [.univnet, .vocos, .bigvgan, .hifigan]

    /// - Throws: `InputError.usage` when the name has no stage in it.
    public init(named name: String) throws {
        let text = name.lowercased()
        if text.isEmpty {
            self = .autoregressive
        } else if let stage = ModelStage.allCases.first(where: { text.contains($0.rawValue) }) {
            self = stage
        } else if text.contains("vocoder") {
            self = .univnet
        } else {
            throw InputError.usage(
                "no stage is called '\(name.prefix(60))'", at: "models",
                try: "a name has one of \(ModelStage.allCases.map(\.rawValue).joined(separator: ", ")) or vocoder in it"
            )
        }
    }
}
