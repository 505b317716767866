extension StageProbe {
    static var vocoderStages: [(description: Description, body: Body)] {
        [
            (
                .init(
                    name: "univnet", inputs: "mel [B,100,T], z [B,64,T+10]", outputs: "wav [B,1,256T]"),
                { request in
                    let loaded = try ModelLoader.load(
                        try request.weights, as: UnivNetConfig.self, options: request.options,
                        keyMap: UnivNetModel.keyMap,
                        precision: request.precision
                    ) { UnivNetModel($0, at: $1) }
                    let mel = try request.inputs.floats("mel", [nil, loaded.config.melBands, nil])
                    let noise = try request.inputs.floats(
                        "z", [mel.size(0), loaded.config.noiseChannels, mel.size(2) + VocoderTail.frames])
                    return [("wav", loaded.model.inference(mel, noise: noise))]
                }
            ),
            (
                .init(name: "vocos", inputs: "mel [B,100,T]", outputs: "wav [B,1,256T]"),
                { request in
                    let loaded = try ModelLoader.load(
                        try request.weights, as: VocosConfig.self, options: request.options, keyMap: VocosModel.keyMap,
                        precision: request.precision
                    ) { VocosModel($0, at: $1) }
                    let mel = try request.inputs.floats("mel", [nil, loaded.config.melBands, nil])
                    return [("wav", loaded.model.inference(mel))]
                }
            ),
            (
                .init(name: "bigvgan", inputs: "mel [B,100,T]", outputs: "wav [B,1,256T]"),
                { request in
                    let loaded = try ModelLoader.load(
                        try request.weights, as: BigVGANConfig.self, options: request.options,
                        keyMap: BigVGANModel.keyMap,
                        precision: request.precision
                    ) { BigVGANModel($0, at: $1) }
                    let mel = try request.inputs.floats("mel", [nil, loaded.config.melBands, nil])
                    return [("wav", loaded.model.inference(mel))]
                }
            ),
            (
                .init(
                    name: "hifigan", inputs: "latents [B,m,D], auto_latent [B,D]", outputs: "wav [B,1,samples]"),
                { request in
                    let loaded = try ModelLoader.load(
                        try request.weights, as: HiFiGANConfig.self, options: request.options,
                        keyMap: HiFiGANModel.keyMap,
                        precision: request.precision
                    ) { HiFiGANModel($0, at: $1) }
                    let latents = try request.inputs.floats("latents", [nil, nil, loaded.config.inputs])
                    let voice = try request.inputs.floats(
                        "auto_latent", [latents.size(0), loaded.config.conditioningWidth])
                    return [("wav", loaded.model(latents, voice: voice))]
                }
            ),
        ]
    }
}
