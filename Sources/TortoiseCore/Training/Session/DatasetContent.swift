/// What a task needs of a dataset besides codes and text, which every dataset stores.
enum DatasetContent {
    case latents(width: Int)
    case dvaeMels(bands: Int)
    case diffusionMels(bands: Int)
    case diffusedMels(bands: Int)
    case waveforms

    /// The rate that vocoders speak at.
    private static let waveformRate = SampleRate.wide

    /// - Throws: `InputError.data` when the dataset does not store it, or stores another model's.
    func check(in schema: DatasetSchema, _ path: String) throws {
        func require(_ what: String, _ found: Int?, _ wanted: Int) throws {
            guard let found, found > 0 else {
                throw InputError.data(
                    "this task needs what the dataset does not store: \(what)", at: path,
                    try:
                        "prepare it again with --for, and with --autoregressive and --diffusion where latents are missing"
                )
            }
            guard found == wanted else {
                throw InputError.data(
                    "this task needs \(what) of \(wanted), and the dataset stores such of \(found)", at: path,
                    try: "prepare it with the models that belong to the one that is trained")
            }
        }
        func bands(_ name: String) -> Int? { schema.mels.first { $0.name == name }?.bands }
        switch self {
        case .latents(let width): try require("latents", schema.autoregressiveLatentWidth, width)
        case .dvaeMels(let count): try require("dvae mels", bands("dvae"), count)
        case .diffusionMels(let count): try require("diffusion mels", bands("diffusion"), count)
        case .diffusedMels(let count): try require("diffused mels", bands("diffused"), count)
        case .waveforms: try require("waveforms", schema.waveformRate, Self.waveformRate)
        }
    }
}

extension AutoregressiveConfig {
    /// The utterances that the model can take.
    var datasetLimits: DatasetSelection.Limits {
        .init(
            codes: maximumMelTokens, tokens: maximumTextTokens, codeVocabulary: melTokens,
            tokenVocabulary: textTokens + 1)
    }
}
