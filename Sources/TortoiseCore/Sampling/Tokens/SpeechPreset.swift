/// The original's named trade-offs between speed and quality (`tts_with_preset` in tortoise/api.py).
///
/// All of them sample codes with the defaults of `SamplingSettings`, and draw diffusion's noise at temperature 1.
public enum SpeechPreset: String, Sendable, CaseIterable {
    case ultraFast = "ultra_fast"
    case fast
    case standard
    case highQuality = "high_quality"

    /// How many candidates the autoregressive model makes.
    public var candidates: Int {
        switch self {
        case .ultraFast: 16
        case .fast: 96
        case .standard, .highQuality: 256
        }
    }

    /// Steps of the diffusion sampler.
    public var diffusionSteps: Int {
        switch self {
        case .ultraFast: 30
        case .fast: 80
        case .standard: 200
        case .highQuality: 400
        }
    }

    /// Whether diffusion is guided away from what it makes without conditioning (`cond_free`).
    public var isConditioningFree: Bool { self != .ultraFast }
    /// How strongly (`cond_free_k`).
    public var guidance: Float { 2 }
    /// How codes are chosen.
    public var sampling: SamplingSettings { SamplingSettings() }

    /// The preset of a name.
    ///
    /// - Throws: `InputError.usage` with the names there are.
    public init(named name: String) throws {
        guard let preset = SpeechPreset(rawValue: name) else {
            let names = SpeechPreset.allCases.map(\.rawValue).joined(separator: ", ")
            throw InputError.usage("expected one of \(names), found \"\(name)\"", at: "--preset")
        }
        self = preset
    }
}
