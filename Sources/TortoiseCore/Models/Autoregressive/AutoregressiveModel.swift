/// Texts with their codes, padded to one length, and the voices that say them.
public struct AutoregressiveInputs {
    /// The conditioning latent. Shape: [batch, width]
    public var latent: Tensor
    /// Text ids without start and stop. Shape: int32 [batch, text]
    public var text: Tensor
    /// Real ids of each row.
    public var textLengths: [Int]
    /// Mel codes without start and stop. Shape: int32 [batch, codes]
    public var codes: Tensor
    /// Samples at 22,050 Hz that the codes of each row stand for.
    public var wavLengths: [Int]

    /// - Precondition: everything is of one batch size.
    public init(latent: Tensor, text: Tensor, textLengths: [Int], codes: Tensor, wavLengths: [Int]) {
        let batch = latent.size(0)
        precondition(
            latent.rank == 2 && text.rank == 2 && codes.rank == 2 && text.size(0) == batch && codes.size(0) == batch
                && textLengths.count == batch && wavLengths.count == batch,
            "autoregressive: latents \(latent.shape), text \(text.shape), codes \(codes.shape), \(textLengths.count) and \(wavLengths.count) lengths"
        )
        (self.latent, self.text, self.textLengths, self.codes, self.wavLengths) = (
            latent, text, textLengths, codes, wavLengths
        )
    }

    /// One utterance.
    ///
    /// - Parameter voice: The conditioning latent.
    init(voice: [Float], text: [Int32], codes: [Int32], _ config: AutoregressiveConfig) {
        self.init(
            latent: Tensor(voice, shape: [1, voice.count]), text: Tensor(indices: text, shape: [1, text.count]),
            textLengths: [text.count], codes: Tensor(indices: codes, shape: [1, codes.count]),
            wavLengths: [codes.count * config.melLengthCompression])
    }
}

/// Which of its two parts the model reads first: it says a text, or hears what codes say (`text_first` of the original).
public enum AutoregressiveOrder: Sendable {
    case textFirst, codesFirst
}

/// Writes mel codes for a text in a voice: a GPT-2 over [voice, text, codes].
///
/// Port of `UnifiedVoice` (`tortoise/models/autoregressive.py`). Every text and code slot is the sum of a token's embedding and
/// that of its position within its own part; the voice is one slot without a position.
public final class AutoregressiveModel {
    public let config: AutoregressiveConfig
    let body: GPT2Body
    private let conditioning: ConditioningEncoder
    private let textEmbedding, melEmbedding, textPositions, melPositions: Embedding
    private let finalNorm: LayerNorm
    let textHead, melHead: Linear

    /// - Precondition: the configuration was validated.
    public init(_ config: AutoregressiveConfig, at scope: ParameterScope) {
        self.config = config
        let deviation: Float = 0.02
        conditioning = ConditioningEncoder(config, at: scope["conditioning_encoder"])
        textEmbedding = Embedding(
            config.textTokens + 1, config.width, standardDeviation: deviation, at: scope["text_embedding"])
        melEmbedding = Embedding(
            config.melTokens, config.width, standardDeviation: deviation, at: scope["mel_embedding"])
        body = GPT2Body(config.body, at: scope["gpt"])
        melPositions = Embedding(
            config.melPositions, config.width, standardDeviation: deviation, at: scope["mel_pos_embedding"]["emb"])
        textPositions = Embedding(
            config.textPositions, config.width, standardDeviation: deviation, at: scope["text_pos_embedding"]["emb"])
        finalNorm = LayerNorm(config.width, at: scope["final_norm"])
        textHead = Linear(config.width, config.textTokens + 1, at: scope["text_head"])
        melHead = Linear(config.width, config.melTokens, at: scope["mel_head"])
    }

    /// What published files have otherwise: GPT-2's matrices lie transposed, old versions store causal masks, and an exporter
    /// leaves aliases. Full files saved with an adapter attached name the base weights `parametrizations.weight.original`.
    public static let keyMap = KeyMap(
        .drop("gpt.h.*.attn.bias"), .drop("gpt.h.*.attn.masked_bias"), .drop("gpt.wte.weight"),
        .dropPrefix("inference_model."),
        .drop("**.lora_A"), .drop("**.lora_B"), .suffix(from: ".parametrizations.weight.original", to: ".weight"),
        .transpose("gpt.h.*.attn.c_attn.weight"), .transpose("gpt.h.*.attn.c_proj.weight"),
        .transpose("gpt.h.*.mlp.c_fc.weight"), .transpose("gpt.h.*.mlp.c_proj.weight"))

    /// Whether blocks are computed twice in training instead of keeping their activations.
    public var checkpointsActivations: Bool {
        get { body.checkpointsActivations }
        set { body.checkpointsActivations = newValue }
    }

    // MARK: - Voices

    /// The conditioning latent of one or more clips per voice, averaged.
    ///
    /// Shape: [batch, bands, time] or [batch, clips, bands, time] → [batch, width]
    /// - Precondition: the mel has the configured number of bands.
    public func conditioningLatent(_ mel: Tensor) -> Tensor {
        guard mel.rank == 4 else { return conditioning(mel) }
        return stacked((0..<mel.size(1)).map { conditioning(mel.select(1, $0)) }, axis: 1).mean(1)
    }

    // MARK: - Training

    /// The losses of text and codes, each the mean over all positions, padding included, as the published model was trained.
    ///
    /// - Parameter order: With the codes first the model learns to hear what they say.
    /// - Returns: Both losses (scalars) and the logits of the codes, [batch, mel tokens, codes + 2] without clipping.
    public func loss(
        _ inputs: AutoregressiveInputs, order: AutoregressiveOrder = .textFirst, _ run: RunContext = .inference
    ) -> (text: Tensor, mel: Tensor, melLogits: Tensor) {
        let text = clipped(inputs.text, to: inputs.textLengths.max() ?? 0)
        let longest = (inputs.wavLengths.max() ?? 0) / config.melLengthCompression
        let codes = padded(clipped(inputs.codes, to: longest), inputs.wavLengths)
        let hidden = encode(inputs.latent, text, codes, order, run)
        let (textLogits, melLogits) = (textHead(hidden.text), melHead(hidden.codes))
        let textTargets = targets(ofText: text)
        let melTargets = codes.extended(before: [], after: [config.stopMelToken, config.stopMelToken])
        return (crossEntropy(textLogits, textTargets), crossEntropy(melLogits, melTargets), melLogits)
    }

    /// What the slots of a text are to say: each the next token, then its end. Shape: [batch, text] → [batch, text + 2]
    func targets(ofText text: Tensor) -> Tensor {
        text.extended(before: [], after: [config.stopTextToken, config.stopTextToken])
    }

    /// What the diffusion decoder and HiFi-GAN hear: for every code the hidden state that predicts it.
    ///
    /// Shape: as the inputs → [batch, codes, width]
    public func latents(_ inputs: AutoregressiveInputs, _ run: RunContext = .inference) -> Tensor {
        let codes = padded(inputs.codes, inputs.wavLengths)
        return encode(inputs.latent, inputs.text, codes, .textFirst, run).codes.sliced(1, 0..<codes.size(1))
    }

    /// The hidden states of all slots: [batch, text + 2, width] and [batch, codes + 2, width].
    func encode(
        _ latent: Tensor, _ text: Tensor, _ codes: Tensor, _ order: AutoregressiveOrder, _ run: RunContext
    ) -> (text: Tensor, codes: Tensor) {
        let textIds = text.extended(before: [config.startTextToken], after: [config.stopTextToken])
        let melIds = codes.extended(before: [config.startMelToken], after: [config.stopMelToken])
        precondition(
            textIds.size(1) <= config.textPositions && melIds.size(1) <= config.melPositions,
            "autoregressive: \(text.size(1)) text tokens and \(codes.size(1)) codes; positions end at \(config.textPositions) and \(config.melPositions)"
        )
        let (voice, text, codes) = (
            latent.unsqueezed(1), embedText(textIds), embedCodes(melIds, firstPosition: 0)
        )
        let hidden = finalNorm(
            body(concatenated(order == .textFirst ? [voice, text, codes] : [voice, codes, text], axis: 1), run["gpt"]))
        let (first, end) = (1 + (order == .textFirst ? text : codes).size(1), hidden.size(1))
        let (before, after) = (hidden.sliced(1, 1..<first), hidden.sliced(1, first..<end))
        return order == .textFirst ? (before, after) : (after, before)
    }

    func embedText(_ ids: Tensor) -> Tensor {
        textEmbedding(ids) + textPositions(Tensor(indices: (0..<ids.size(1)).map(Int32.init)))
    }

    func embedCodes(_ ids: Tensor, firstPosition: Int) -> Tensor {
        melEmbedding(ids) + melPositions(Tensor(indices: (firstPosition..<firstPosition + ids.size(1)).map(Int32.init)))
    }

    /// The normed state of the last slot and what may follow it. Shape: [batch, time, width] → [batch, …]
    func predict(_ hidden: Tensor) -> DecoderOutput {
        let last = finalNorm(hidden.sliced(1, hidden.size(1) - 1..<hidden.size(1))).reshaped(
            hidden.size(0), config.width)
        return DecoderOutput(logits: melHead(last), hidden: last)
    }

    /// Codes after the end of each clip become stop tokens; the one right after it is left for the model to learn.
    private func padded(_ codes: Tensor, _ wavLengths: [Int]) -> Tensor {
        var values = codes.indexValues
        let length = codes.size(1)
        for (row, samples) in wavLengths.enumerated() {
            let end = samples / config.melLengthCompression + 1
            for position in min(end, length)..<length { values[row * length + position] = Int32(config.stopMelToken) }
        }
        return Tensor(indices: values, shape: codes.shape)
    }

    private func clipped(_ ids: Tensor, to length: Int) -> Tensor {
        length < ids.size(1) ? ids.sliced(1, 0..<length) : ids
    }
}

extension Tensor {
    /// Rows of ids with the same ids put before and after each.
    fileprivate func extended(before: [Int], after: [Int]) -> Tensor {
        let (rows, length) = (size(0), size(1))
        let values = contiguousValues.indexValues
        var result: [Int32] = []
        result.reserveCapacity(rows * (length + before.count + after.count))
        for row in 0..<rows {
            result += before.map { Int32($0) }
            result += values[row * length..<(row + 1) * length]
            result += after.map { Int32($0) }
        }
        return Tensor(indices: result, shape: [rows, length + before.count + after.count])
    }
}
