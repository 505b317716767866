/// How mel codes are chosen from what the autoregressive model expects; see docs/sampling.md, "Mel codes".
///
/// The defaults are the original's `tts()`.
public struct SamplingSettings: Sendable, Equatable {
    /// What logits are divided by before a code is drawn; 0 takes the most likely code, or the most likely beams.
    public var temperature: Float = 0.8
    /// A temperature that follows how unsure the model is, instead of `temperature`.
    public var dynamicTemperature: DynamicTemperature?
    /// How strongly codes are led away from what the voice would say without the text: classifier-free guidance; 0 for not at all.
    public var guidance: Float = 0
    /// How many of the most likely codes may be drawn; 0 for all.
    public var topK = 50
    /// The probability that the codes which may be drawn, most likely first, have to reach; 1 for all codes.
    public var topP: Float = 0.8
    /// The least probability of a code that may be drawn, as a share of the most likely code's; 0 for all.
    public var minP: Float = 0
    /// The probability that the codes whose surprise is nearest to the expected one have to reach; `nil` for all codes.
    public var typicalMass: Float?
    /// What logits of codes that were used already are divided by (multiplied by, below zero); 1 for no penalty.
    public var repetitionPenalty: Float = 2
    /// How the penalty changes with the distance to a code's last use: penalty × distance ^ decay, but never a reward.
    ///
    /// Below 0 a code is forgiven over time; 0 is the original's constant penalty.
    public var repetitionDecay: Float = 0
    /// Whether code 1 and the start token count as used from the beginning, as they do in the original.
    ///
    /// The original keeps a 1 for every token of the prompt in its stream, and the penalty sees them.
    public var penalizesPlaceholders = true
    /// The power of the number of codes by which the stop token's logit is reduced: above 0 for longer speech, below 0
    /// for shorter; 0 for none.
    public var stopPenalty: Float = 0
    /// A feedback that holds the surprise of the codes at a wanted level, instead of the filters.
    public var mirostat: Mirostat?
    /// A penalty on continuing what was said before.
    public var dry: RepeatedRunPenalty?
    /// How many sequences are followed at once to find likely ones; 1 (or 0) for plain sampling.
    public var beamWidth = 1
    /// The power of its length by which a finished beam's log-probability is divided: the higher, the longer.
    ///
    /// Without beams it has no effect, as in the original; what lengthens plain sampling is `stopPenalty`.
    public var lengthPenalty: Float = 1
    /// The most codes that are made for one text.
    public var maximumSteps = 500

    public init() {}

    /// Whether nothing is left to chance.
    public var isGreedy: Bool { temperature == 0 && dynamicTemperature == nil && mirostat == nil }
    /// Whether beams are followed.
    public var usesBeams: Bool { beamWidth > 1 }
}

/// A temperature that rises from a minimum to a maximum with the entropy of the next code.
///
/// minimum + (maximum − minimum) × (entropy / log(codes)) ^ exponent, as in llama.cpp.
public struct DynamicTemperature: Sendable, Equatable {
    public var minimum: Float
    public var maximum: Float
    public var exponent: Float

    public init(minimum: Float, maximum: Float, exponent: Float = 1) {
        (self.minimum, self.maximum, self.exponent) = (minimum, maximum, exponent)
    }
}

/// Sampling that keeps the surprise of the codes near a target (Basu et al., "Mirostat", ICLR 2021).
public struct Mirostat: Sendable, Equatable {
    public enum Version: Int, Sendable, CaseIterable {
        /// Chooses a top-k from an estimate of how fast probabilities fall (algorithm 1).
        case one = 1
        /// Leaves out codes that are more surprising than the current limit (algorithm 2).
        case two = 2
    }

    public var version: Version
    /// The wanted surprise, in bits (the original's `mirostat_tau`).
    public var tau: Float
    /// How quickly the limit follows the error (the original's `mirostat_eta`).
    public var eta: Float

    public init(_ version: Version = .two, tau: Float = 5, eta: Float = 0.1) {
        (self.version, self.tau, self.eta) = (version, tau, eta)
    }
}

/// "Don't repeat yourself": a code that would lengthen a run which occurred before loses
/// multiplier × base ^ (length of the run − allowed length) from its logit
/// (oobabooga/text-generation-webui, pull request 5677).
public struct RepeatedRunPenalty: Sendable, Equatable {
    public var multiplier: Float
    public var base: Float
    /// The longest run that may be continued without penalty, plus one.
    public var allowedLength: Int
    /// How many of the latest codes are looked at; 0 for all.
    public var range: Int

    public init(multiplier: Float = 0.8, base: Float = 1.75, allowedLength: Int = 2, range: Int = 0) {
        (self.multiplier, self.base, self.allowedLength, self.range) = (multiplier, base, allowedLength, range)
    }
}
