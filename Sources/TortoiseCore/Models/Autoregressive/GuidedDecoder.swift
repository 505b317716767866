/// Leads a decoder away from what it would say without its condition: classifier-free guidance.
///
/// Logits become c + strength × (c − u), c being those with the condition and u those without; the hidden states are the conditional
/// ones. Sanchez et al., "Stay on topic with Classifier-Free Guidance" (2023), do so with language models.
public final class GuidedDecoder: TokenDecoder {
    private let conditional, unconditional: any TokenDecoder
    private let strength: Float

    public init(_ conditional: any TokenDecoder, awayFrom unconditional: any TokenDecoder, strength: Float) {
        (self.conditional, self.unconditional, self.strength) = (conditional, unconditional, strength)
    }

    public var maximumSteps: Int { min(conditional.maximumSteps, unconditional.maximumSteps) }

    public func start(batch: Int) -> DecoderOutput {
        guided(conditional.start(batch: batch), unconditional.start(batch: batch))
    }

    public func step(_ tokens: [Int32]) -> DecoderOutput {
        guided(conditional.step(tokens), unconditional.step(tokens))
    }

    public func reorder(_ parents: [Int]) {
        conditional.reorder(parents)
        unconditional.reorder(parents)
    }

    private func guided(_ conditional: DecoderOutput, _ unconditional: DecoderOutput) -> DecoderOutput {
        let logits = conditional.logits + (conditional.logits - unconditional.logits) * strength
        return DecoderOutput(logits: logits, hidden: conditional.hidden)
    }
}

extension AutoregressiveModel {
    /// What writes the codes of a text in a voice, led away from what the voice would say without a text.
    ///
    /// - Parameters:
    ///   - latent: The voice. Shape: [1, width]
    ///   - guidance: How strongly; 0 is the plain model, anything else takes twice the work.
    /// - Throws: `InputError.data` for texts that the model cannot read.
    public func decoder(latent: Tensor, text: [Int32], guidance: Float, limit: Int = .max) throws -> any TokenDecoder {
        let decoder = try AutoregressiveDecoder(self, latent: latent, text: text, limit: limit)
        guard guidance != 0 else { return decoder }
        let wordless = try AutoregressiveDecoder(self, latent: latent, text: [], limit: limit)
        return GuidedDecoder(decoder, awayFrom: wordless, strength: guidance)
    }
}
