extension StageProbe {
    static var autoregressiveStages: [(description: Description, body: Body)] {
        let inputs = "auto_latent [B,D], text [B,n], text_lengths [B], codes [B,m], wav_lengths [B]"
        return [
            (
                .init(name: "autoregressive-loss", inputs: inputs, outputs: "loss_text, loss_mel, mel_logits"),
                { request in
                    let model = try autoregressive(request)
                    let (text, mel, logits) = model.loss(try autoregressiveInputs(request, model.config))
                    return [("loss_text", text), ("loss_mel", mel), ("mel_logits", logits.transposed(1, 2).contiguous)]
                }
            ),
            (
                .init(name: "autoregressive-latents", inputs: inputs, outputs: "latents [B,m,D]"),
                { request in
                    let model = try autoregressive(request)
                    return [("latents", model.latents(try autoregressiveInputs(request, model.config)))]
                }
            ),
            (
                .init(name: "autoregressive-conditioning", inputs: "mel [B,N,80,T]", outputs: "auto_latent [B,D]"),
                { request in
                    let model = try autoregressive(request)
                    let mel = try request.inputs.floats("mel", [nil, nil, model.config.melChannels, nil])
                    return [("auto_latent", model.conditioningLatent(mel))]
                }
            ),
            (
                .init(
                    name: "autoregressive-greedy", inputs: "auto_latent [1,D], text [1,n], max_steps",
                    outputs: "codes [1,m]"),
                { request in
                    let model = try autoregressive(request)
                    return [("codes", try greedyCodes(model, request))]
                }
            ),
            (
                .init(name: "random-latents", inputs: "noise [B,C]", outputs: "latent [B,C]"),
                { request in
                    // The two published converters differ in their width only, which is that of the noise.
                    let noise = try request.inputs.floats("noise", [nil, nil])
                    let width = ConfigurationParameters([.init("channels", .int(noise.size(1)))])
                    let loaded = try ModelLoader.load(
                        try request.weights, as: RandomLatentConfig.self, options: request.options ?? width,
                        keyMap: KeyMap(),
                        precision: request.precision
                    ) { RandomLatentConverter($0, at: $1) }
                    return [
                        ("latent", loaded.model(try request.inputs.floats("noise", [nil, loaded.config.channels])))
                    ]
                }
            ),
        ]
    }

    private static func autoregressive(_ request: ProbeRequest) throws -> AutoregressiveModel {
        try ModelLoader.load(
            try request.weights, as: AutoregressiveConfig.self, options: request.options,
            keyMap: AutoregressiveModel.keyMap,
            precision: request.precision
        ) { AutoregressiveModel($0, at: $1) }.model
    }

    private static func autoregressiveInputs(_ request: ProbeRequest, _ config: AutoregressiveConfig) throws
        -> AutoregressiveInputs
    {
        let latent = try request.inputs.floats("auto_latent", [nil, config.width])
        let batch = latent.size(0)
        let text = try request.inputs.indices("text", [batch, nil], below: config.textTokens + 1)
        let codes = try request.inputs.indices("codes", [batch, nil], below: config.melTokens)
        guard text.size(1) <= config.maximumTextTokens, codes.size(1) <= config.maximumMelTokens else {
            throw InputError.data(
                "\(text.size(1)) text tokens and \(codes.size(1)) codes are more than \(config.maximumTextTokens) and \(config.maximumMelTokens)",
                at: try request.weights)
        }
        return AutoregressiveInputs(
            latent: latent, text: text, textLengths: try request.inputs.counts("text_lengths", batch), codes: codes,
            wavLengths: try request.inputs.counts("wav_lengths", batch))
    }

    /// The most likely code at every step, with the original's positions, up to the stop token.
    private static func greedyCodes(_ model: AutoregressiveModel, _ request: ProbeRequest) throws -> Tensor {
        let config = model.config
        let text = try request.inputs.indices("text", [1, nil], below: config.textTokens + 1).indexValues
        let steps = try request.inputs.counts("max_steps", 1)[0]
        let decoder = try AutoregressiveDecoder(
            model, latent: try request.inputs.floats("auto_latent", [1, config.width]), text: text,
            positions: .original, limit: max(1, steps))
        var codes: [Int32] = []
        var output = decoder.start(batch: 1)
        while codes.count < min(steps, decoder.maximumSteps) {
            let code = output.logits.argmax.indexValues[0]
            codes.append(code)
            guard code != Int32(config.stopMelToken), codes.count < min(steps, decoder.maximumSteps) else { break }
            output = decoder.step([code])
        }
        return Tensor(indices: codes, shape: [1, codes.count])
    }
}
