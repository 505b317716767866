/// What the mel is made to follow in time: the autoregressive model's latents, or the codes themselves.
public enum DiffusionGuide {
    /// [batch, codes, latent channels]
    case latents(Tensor)
    /// int32 [batch, codes]
    case codes(Tensor)

    var batch: Int {
        switch self {
        case .latents(let tensor), .codes(let tensor): tensor.size(0)
        }
    }
}

/// Turns noise into a mel, step by step, following latents or codes in the voice of a conditioning latent.
///
/// Port of `DiffusionTts` (`tortoise/models/diffusion_decoder.py`). It predicts the noise in a mel and how much of its range
/// the variance of the next step uses; `GaussianDiffusion` makes steps of that.
public final class DiffusionModel {
    public let config: DiffusionConfig
    private let unconditionedEmbedding: Parameter
    private let inputConvolution, integration, melHead, output: Conv1d
    private let timeEmbedding: TimestepEmbedding
    private let codeEmbedding: Embedding
    private let codeConverter, latentConditioner, contextualEmbedder: DiffusionEncoder
    private let codeNorm, outputNorm: GroupNorm
    private let integrator, layers: [DiffusionLayer]
    private let finalBlocks: [DiffusionResBlock]

    /// Whether layers are computed twice instead of keeping their activations, while gradients are recorded.
    public var checkpointsActivations = false

    public init(_ config: DiffusionConfig, at scope: ParameterScope) {
        self.config = config
        let (channels, heads, dropout) = (config.modelChannels, config.heads, Float(config.dropout))
        func stack(_ count: Int, _ scope: ParameterScope) -> [DiffusionLayer] {
            (0..<count).map { DiffusionLayer(channels, heads: heads, dropout: dropout, at: scope[$0]) }
        }
        unconditionedEmbedding = scope.parameter(
            "unconditioned_embedding", [1, channels, 1], .normal(standardDeviation: 1))
        inputConvolution = Conv1d(config.melChannels, channels, taps: 3, at: scope["inp_block"])
        timeEmbedding = TimestepEmbedding(channels, at: scope["time_embed"])
        codeEmbedding = Embedding(config.tokens, channels, at: scope["code_embedding"])
        codeConverter = DiffusionEncoder([channels], depth: 3, heads: heads, at: scope["code_converter"])
        codeNorm = GroupNorm(groups: normGroups(channels: channels), channels, at: scope["code_norm"])
        latentConditioner = DiffusionEncoder(
            [config.latentChannels, channels], depth: 4, heads: heads, at: scope["latent_conditioner"])
        contextualEmbedder = DiffusionEncoder(
            [config.melChannels, channels, 2 * channels], stride: 2, depth: 5, heads: heads,
            at: scope["contextual_embedder"])
        integrator = stack(3, scope["conditioning_timestep_integrator"])
        integration = Conv1d(2 * channels, channels, taps: 1, at: scope["integrating_conv"])
        melHead = Conv1d(channels, config.melChannels, taps: 3, at: scope["mel_head"])
        layers = stack(config.layers, scope["layers"])
        finalBlocks = (0..<3).map {
            DiffusionResBlock(channels, dropout: dropout, at: scope["layers"][config.layers + $0])
        }
        outputNorm = GroupNorm(groups: normGroups(channels: channels), channels, at: scope["out"][0])
        output = Conv1d(channels, config.outputChannels, taps: 3, at: scope["out"][2])
    }

    /// Published files have the model's own keys.
    public static let keyMap = KeyMap()

    /// Mel frames at 24 kHz that a number of codes or latents stands for: 1,024 samples at 22,050 Hz per code, 256 at 24,000 Hz per frame.
    public static func frames(codes: Int) -> Int { codes * 4 * SampleRate.wide / SampleRate.narrow }

    // MARK: - Conditioning

    /// A voice, from mels of clips: the mean over all frames of all clips.
    ///
    /// Shape: [batch, clips, mel channels, time] or [batch, mel channels, time] → [batch, 2 · channels]
    public func conditioningLatent(_ mels: Tensor) -> Tensor {
        precondition(
            mels.rank == 3 || mels.rank == 4, "diffusion: expected mels of three or four axes, found \(mels.shape)")
        return conditioningLatent(clips: mels.rank == 3 ? [mels] : (0..<mels.size(1)).map { mels.select(1, $0) })
    }

    /// A voice, from mels of clips that may have different lengths. Shape: each [batch, mel channels, time] → [batch, 2 · channels]
    public func conditioningLatent(clips: [Tensor]) -> Tensor {
        let embedded = clips.map { contextualEmbedder($0) }
        let frames = embedded.reduce(0) { $0 + $1.size(2) }
        let total = embedded.dropFirst().reduce(embedded[0].sum(2)) { $0 + $1.sum(2) }
        return total * (1 / Float(frames))
    }

    /// What the steps follow in time; it does not depend on the step and is computed once.
    ///
    /// - Parameters:
    ///   - conditioning: [batch, 2 · channels] of `conditioningLatent`.
    ///   - frames: The length of the mel.
    /// - Returns: [batch, channels, frames]
    public func alignedConditioning(_ guide: DiffusionGuide, conditioning: Tensor, frames: Int) -> Tensor {
        codes(guide, conditioning).interpolated(size: frames)
    }

    /// Shape: → [batch, channels, codes]
    private func codes(_ guide: DiffusionGuide, _ conditioning: Tensor) -> Tensor {
        precondition(
            conditioning.shape == [guide.batch, 2 * config.modelChannels],
            "diffusion: conditioning latent \(conditioning.shape) for a batch of \(guide.batch) and \(config.modelChannels) channels"
        )
        let hidden =
            switch guide {
            case .latents(let latents): latentConditioner(latents.transposed(1, 2))
            case .codes(let codes): codeConverter(codeEmbedding(codes).transposed(1, 2))
            }
        let parts = conditioning.unsqueezed(-1).chunks(2, axis: 1)
        return codeNorm(hidden) * (parts[0] + 1) + parts[1]
    }

    // MARK: - Steps

    /// The noise in a mel, and how much of its range the variance uses.
    ///
    /// - Parameters:
    ///   - x: Noisy mels, [batch, mel channels, frames].
    ///   - timesteps: Of 4,000, one per batch entry, or one for all.
    ///   - aligned: What `alignedConditioning` gave; nil for the learned embedding that stands for no conditioning.
    /// - Returns: [batch, 2 · mel channels, frames]: noise, then variance.
    public func callAsFunction(
        _ x: Tensor, timesteps: [Int], aligned: Tensor?, _ run: RunContext = .inference
    ) -> Tensor {
        predict(x, timesteps, aligned, skipping: [], run)
    }

    private func predict(
        _ x: Tensor, _ timesteps: [Int], _ aligned: Tensor?, skipping skipped: Set<Int>, _ run: RunContext
    ) -> Tensor {
        let (batch, frames) = (x.size(0), x.size(2))
        precondition(
            timesteps.count == batch || timesteps.count == 1,
            "diffusion: \(timesteps.count) timesteps for a batch of \(batch)")
        let context = DiffusionContext(time: timeEmbedding(timesteps).silu, run: run["layers"])
        let time = DiffusionContext(time: context.time, run: run["integrator"])
        var code = aligned ?? unconditionedEmbedding.value.expanded([batch, config.modelChannels, frames]).contiguous
        precondition(
            code.shape == [batch, config.modelChannels, frames],
            "diffusion: conditioning \(code.shape) for a mel \(x.shape)")
        for (index, layer) in integrator.enumerated() {
            let input = code
            code = computed { layer(input, time[index]) }
        }
        var hidden = integration(concatenated([inputConvolution(x), code], axis: 1))
        for (index, layer) in layers.enumerated() where !skipped.contains(index) {
            let input = hidden
            hidden = computed { layer(input, context[index]) }
        }
        for (index, block) in finalBlocks.enumerated() where !skipped.contains(config.layers + index) {
            let input = hidden
            hidden = computed { block(input, context[self.config.layers + index]) }
        }
        return output(outputNorm(hidden, silu: true))
    }

    private func computed(_ layer: @escaping () -> Tensor) -> Tensor {
        checkpointsActivations ? checkpoint(layer) : layer()
    }

    // MARK: - Training

    /// What a training pass leaves out.
    struct Omissions {
        /// By batch entry: whether the learned embedding stands in for its conditioning.
        var unconditioned: [Bool]
        /// Layers that are skipped, never the first or the last.
        var layers: Set<Int>

        init(unconditioned: [Bool], layers: Set<Int>) {
            (self.unconditioned, self.layers) = (unconditioned, layers)
        }

        /// Nothing but while training.
        init(_ config: DiffusionConfig, batch: Int, _ run: RunContext) {
            let isTraining = run.isTraining
            let draws = run["unconditioned"].random.stream.uniforms(batch)
            unconditioned = draws.map { isTraining && Double($0) < config.unconditionedPercentage }
            let last = config.layers + 2
            let skips = run["skipped"].random.stream.uniforms(last + 1)
            layers = Set((1..<last).filter { isTraining && Double(skips[$0]) < config.layerDrop })
        }
    }

    /// A pass for training: conditioning is left out for some clips, and layers are skipped.
    ///
    /// - Parameters:
    ///   - conditioning: [batch, 2 · channels]; gradients reach what it was computed from.
    /// - Returns: The prediction, [batch, 2 · mel channels, frames], and the mel that the conditioning alone foretells,
    ///   [batch, mel channels, frames], zero for clips without theirs.
    public func trainingPass(
        _ x: Tensor, timesteps: [Int], guide: DiffusionGuide, conditioning: Tensor, _ run: RunContext
    ) -> (prediction: Tensor, mel: Tensor) {
        trainingPass(
            x, timesteps: timesteps, guide: guide, conditioning: conditioning,
            omitting: Omissions(config, batch: x.size(0), run), run)
    }

    func trainingPass(
        _ x: Tensor, timesteps: [Int], guide: DiffusionGuide, conditioning: Tensor, omitting omissions: Omissions,
        _ run: RunContext
    ) -> (prediction: Tensor, mel: Tensor) {
        var codes = codes(guide, conditioning)
        let kept = Tensor(omissions.unconditioned.map { $0 ? 0 : 1 }, shape: [codes.size(0), 1, 1])
        if omissions.unconditioned.contains(true) {
            codes = codes * kept + unconditionedEmbedding.value * (1 - kept)
        }
        let aligned = codes.interpolated(size: x.size(2))
        // Clips without conditioning must not teach the head what to say about them.
        let mel = melHead(aligned) * kept
        return (predict(x, timesteps, aligned, skipping: omissions.layers, run), mel)
    }
}
