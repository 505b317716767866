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
        ]
    }

    private static func diffusion(_ request: ProbeRequest) throws -> DiffusionModel {
        try ModelLoader.load(
            request.weights, as: DiffusionConfig.self, options: request.options, keyMap: DiffusionModel.keyMap,
            precision: request.precision, validate: { try $0.validate(at: "configuration") }
        ) { DiffusionModel($0, at: $1) }.model
    }
}
