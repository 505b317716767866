extension StageProbe {
    static var diffusionStages: [(description: Description, body: Body)] {
        let inputs = "x [B,100,T], timesteps [B], latents [B,m,D], conditioning_latent [B,2C]"
        return [
            (
                .init(name: "diffusion", inputs: inputs, outputs: "output [B,200,T], output_unconditioned [B,200,T]"),
                { request in
                    let model = try diffusion(request)
                    let x = try request.inputs.floats("x", [nil, model.config.melChannels, nil])
                    let timesteps = try request.inputs.counts("timesteps", x.size(0))
                    let latents = try request.inputs.floats("latents", [x.size(0), nil, model.config.latentChannels])
                    let voice = try request.inputs.floats(
                        "conditioning_latent", [x.size(0), 2 * model.config.modelChannels])
                    let aligned = model.alignedConditioning(.latents(latents), conditioning: voice, frames: x.size(2))
                    return [
                        ("output", model(x, timesteps: timesteps, aligned: aligned)),
                        ("output_unconditioned", model(x, timesteps: timesteps, aligned: nil)),
                    ]
                }
            ),
            (
                .init(name: "diffusion-conditioning", inputs: "mel [B,N,100,T]", outputs: "conditioning_latent [B,2C]"),
                { request in
                    let model = try diffusion(request)
                    let mel = try request.inputs.floats("mel", [nil, nil, model.config.melChannels, nil])
                    return [("conditioning_latent", model.conditioningLatent(mel))]
                }
            ),
        ] + DiffusionSamplerName.allCases.map(sampling)
    }

    /// A whole run of a sampler: given noise, one step for each of its rows but the first, which is the start.
    private static func sampling(_ name: DiffusionSamplerName) -> (description: Description, body: Body) {
        let inputs =
            "noise [S+1,1,100,T], latents [1,m,D], conditioning_latent [1,2C], guidance [1] (0 for none)"
        return (
            .init(
                name: "diffusion-sample-\(name.rawValue)", inputs: inputs,
                outputs: "sample [1,100,T], mel [1,100,T] (in ln)"),
            { request in
                let model = try diffusion(request)
                let noise = try request.inputs.floats("noise", [nil, 1, model.config.melChannels, nil])
                let latents = try request.inputs.floats("latents", [1, nil, model.config.latentChannels])
                let voice = try request.inputs.floats("conditioning_latent", [1, 2 * model.config.modelChannels])
                let strength = Double(try request.inputs.floats("guidance", [1]).values[0])
                guard noise.size(0) > 1 else {
                    throw InputError.data("noise needs a row for the start and one for each step", at: "--inputs")
                }
                let rows = (0..<noise.size(0)).map { noise.sliced(0, $0..<$0 + 1).squeezed(0).contiguous }
                var settings = DiffusionSampling()
                settings.sampler = name
                settings.guidance = strength == 0 ? nil : DiffusionGuidance(strength: strength)
                let aligned = model.alignedConditioning(
                    .latents(latents), conditioning: voice, frames: noise.size(3))
                let sample = try settings.sample(
                    ConditionedDiffusion(model, aligned: aligned), GaussianDiffusion(.even(rows.count - 1)),
                    shape: rows[0].shape, noise: DiffusionNoise(start: rows[0], steps: Array(rows.dropFirst())))
                return [("sample", sample), ("mel", MelNormalization.denormalize(sample))]
            }
        )
    }

    private static func diffusion(_ request: ProbeRequest) throws -> DiffusionModel {
        try ModelLoader.load(
            try request.weights, as: DiffusionConfig.self, options: request.options, keyMap: DiffusionModel.keyMap,
            precision: request.precision
        ) { DiffusionModel($0, at: $1) }.model
    }
}
