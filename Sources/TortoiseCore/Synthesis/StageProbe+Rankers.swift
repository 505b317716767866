extension StageProbe {
    static var rankerStages: [(description: Description, body: Body)] {
        [
            (
                .init(name: "dvae-encode", inputs: "mel [B,80,T]", outputs: "codes [B,T/4]"),
                { request in
                    let model = try dvae(request)
                    return [
                        ("codes", model.encode(try request.inputs.floats("mel", [nil, model.config.channels, nil])))
                    ]
                }
            ),
            (
                .init(name: "dvae-decode", inputs: "codes [B,m]", outputs: "mel [B,80,4m]"),
                { request in
                    let model = try dvae(request)
                    return [
                        (
                            "mel",
                            model.decode(try request.inputs.indices("codes", [nil, nil], below: model.config.codes))
                        )
                    ]
                }
            ),
            (
                .init(name: "clvp", inputs: "text [B,n], codes [B,m]", outputs: "similarity [B]"),
                { request in
                    let loaded = try ModelLoader.load(
                        try request.weights, as: CLVPConfig.self, options: request.options, keyMap: CLVPModel.keyMap,
                        precision: request.precision
                    ) { CLVPModel($0, at: $1) }
                    let text = try request.inputs.indices("text", [nil, nil], below: loaded.config.textTokens)
                    let codes = try request.inputs.indices(
                        "codes", [text.size(0), nil], below: loaded.config.speechTokens)
                    return [("similarity", loaded.model.similarity(text: text, codes: codes))]
                }
            ),
            (
                .init(name: "cvvp", inputs: "mel [B,80,T], codes [B,m]", outputs: "similarity [B]"),
                { request in
                    let loaded = try ModelLoader.load(
                        try request.weights, as: CVVPConfig.self, options: request.options, keyMap: CVVPModel.keyMap,
                        precision: request.precision
                    ) { CVVPModel($0, at: $1) }
                    let mel = try request.inputs.floats("mel", [nil, loaded.config.melChannels, nil])
                    let codes = try request.inputs.indices("codes", [mel.size(0), nil], below: loaded.config.melCodes)
                    return [("similarity", loaded.model.similarity(mel: mel, codes: codes))]
                }
            ),
            (
                .init(name: "classifier", inputs: "audio [B,1,N]", outputs: "logits [B,2]"),
                { request in
                    let loaded = try ModelLoader.load(
                        try request.weights, as: ClassifierConfig.self, options: request.options,
                        keyMap: ClassifierModel.keyMap,
                        precision: request.precision
                    ) { ClassifierModel($0, at: $1) }
                    let audio = try request.inputs.floats("audio", [nil, loaded.config.inputChannels, nil])
                    return [("logits", loaded.model(audio))]
                }
            ),
        ]
    }

    private static func dvae(_ request: ProbeRequest) throws -> DVAEModel {
        try ModelLoader.load(
            try request.weights, as: DVAEConfig.self, options: request.options, keyMap: DVAEModel.keyMap,
            precision: request.precision
        ) { DVAEModel($0, at: $1) }.model
    }
}
