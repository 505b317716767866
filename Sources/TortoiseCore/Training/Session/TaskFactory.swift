import Foundation

/// A task with what the session has to know about it.
struct PreparedTask {
    let task: any TrainingTask<UtteranceBatch>
    /// For schedules that depend on it.
    let width: Int
    /// What the positions of the model allow.
    let limits: DatasetSelection.Limits
    /// How much is heard of another utterance of each speaker, which batches then come with.
    var promptSeconds: Double?
    /// What the dataset has to store.
    let needs: [DatasetContent]
    /// The weights that the run starts from; nil for fresh ones.
    let startedFrom: String?
}

/// Makes the task that a configuration's model entry asks for.
struct TaskFactory {
    let configuration: Configuration
    let paths: RunPaths
    let entry: ModelEntry
    let lora: LoRAEntry?
    /// Hears what was odd about settings.
    let note: (String) -> Void

    private var name: String { entry.name.isEmpty ? "autoregressive" : entry.name }

    func make() throws -> PreparedTask {
        let stage = try ModelStage(named: entry.name)
        if lora != nil, stage != .autoregressive {
            throw InputError.usage("adapters are for the autoregressive model, not for \(name)", at: "loras")
        }
        switch stage {
        case .autoregressive: return try makeAutoregressive()
        case .diffusion: return try makeDiffusion()
        case .dvae: return try makeDVAE()
        case .clvp: return try makeCLVP()
        case .univnet, .vocos, .bigvgan, .hifigan: return try makeVocoder(stage)
        case .cvvp, .classifier, .randomLatents:
            throw InputError.usage(
                "there is no trainer for \(stage.rawValue)", at: "models",
                try: "train autoregressive, diffusion, dvae, clvp, univnet, vocos, bigvgan or hifigan")
        }
    }

    // MARK: - Weights

    /// A model with the weights that the run starts from: those of `path`, else those exported beside its checkpoints, else fresh.
    private func load<Config: ConfigurationSection, Model>(
        _ type: Config.Type, _ keyMap: KeyMap, _ makeModel: (Config, ParameterScope) throws -> Model
    ) throws -> (model: Model, store: ParameterStore, config: Config, path: String?) {
        let place = "models: \(name): kwargs"
        guard let path = try startingWeights() else {
            let (config, notes) = try entry.kwargs.decode(Config.self, at: place)
            notes.forEach { note("\($0)") }
            try config.validate(at: place)
            let made = try ParameterStore.initialize(seed: UInt64(bitPattern: Int64(configuration.trainer.seed))) {
                try makeModel(config, $0)
            }
            return (made.model, made.parameters, config, nil)
        }
        let options = entry.kwargs.entries.isEmpty ? nil : entry.kwargs
        let loaded = try ModelLoader.load(
            path, as: type, options: options, keyMap: keyMap, makeModel)
        loaded.notes.forEach { note("\($0)") }
        return (loaded.model, loaded.parameters, loaded.config, path)
    }

    private func startingWeights() throws -> String? {
        if let path = entry.path {
            let resolved = paths.resolve(path)
            guard FileManager.default.fileExists(atPath: resolved) else {
                throw InputError.model(
                    "there is no such file", at: resolved, try: "correct the path of the model '\(name)'")
            }
            return resolved
        }
        let suffixes = [configuration.weightsFormat.rawValue, "sft", "safetensors", "pt", "pth"]
        return suffixes.map { "\(paths.checkpoints)/\(name)/\(configuration.weightsName).\($0)" }
            .first(where: FileManager.default.fileExists)
    }

    /// The frozen autoregressive model whose latents a stage is trained on.
    private func latentSource(_ path: String) throws -> LatentSource {
        guard !path.isEmpty else {
            throw InputError.usage(
                "the file of the autoregressive model is missing", at: "models: \(name): task.autoregressive",
                try: "name its weights: \(name) is trained on its latents")
        }
        return LatentSource(
            try ModelLoader.load(
                paths.resolve(path), as: AutoregressiveConfig.self, keyMap: AutoregressiveModel.keyMap
            ) { AutoregressiveModel($0, at: $1) }.model)
    }

    private func options<Section: ConfigurationSection>(_ type: Section.Type) throws -> Section {
        let (options, notes) = try entry.task.decode(type, at: "models: \(name): task")
        notes.forEach { note("\($0)") }
        return options
    }

    /// Leaves all but the named parameters to training.
    ///
    /// - Parameter idle: Names of parameters that no gradient reaches begin so.
    private func setTrainable(_ store: ParameterStore, idle: [String] = []) throws {
        let frozen = Set(entry.frozenParameters)
        let known = store.parameters.map(\.name)
        if let unknown = frozen.first(where: { !known.contains($0) }) {
            let near = nearestNames(to: unknown, among: known, limit: 3)
            throw InputError.usage(
                "the model has no parameter '\(unknown.prefix(80))'", at: "models: \(name): frozen_params",
                try: near.isEmpty ? nil : "did you mean \(near.joined(separator: ", "))?")
        }
        store.setTrainable { parameter in
            !frozen.contains(parameter.name) && !idle.contains { parameter.name.hasPrefix($0) }
        }
        guard !store.trainable.isEmpty else {
            throw InputError.usage("all parameters are frozen", at: "models: \(name): frozen_params")
        }
    }

    /// What exported weights say about themselves.
    private func description(_ config: some ConfigurationSection) -> [(name: String, value: CheckpointContent)] {
        let kwargs = config.yaml.map(CheckpointContent.init) ?? .dictionary([])
        return [("config", .dictionary([.init("name", .string(name)), .init("kwargs", kwargs)]))]
    }

    // MARK: - Stages

    private func makeAutoregressive() throws -> PreparedTask {
        let options = try options(AutoregressiveTaskOptions.self)
        let (model, store, config, path) = try load(
            AutoregressiveConfig.self, AutoregressiveModel.keyMap
        ) { AutoregressiveModel($0, at: $1) }
        model.checkpointsActivations = configuration.trainer.gradientCheckpointing
        // Rows of positions that no batch reaches stay as they are; the conditioning encoder is idle while latents are stored.
        try setTrainable(store, idle: options.trainsConditioning ? [] : ["conditioning_encoder."])
        var adapter: ParameterStore?
        var description = description(config)
        if let lora {
            guard path != nil else {
                throw InputError.usage(
                    "an adapter needs weights to adapt", at: "models: \(name)", try: "give the model's path")
            }
            let parameters =
                try lora.path.map {
                    let file = CheckpointSource(try openCheckpoint(path: paths.resolve($0)))
                    store.setTrainable { _ in false }
                    try AutoregressiveModel.takeEmbeddings(from: file, into: store)
                    return try model.attachAdapter(from: file, alpha: lora.alpha, dropout: lora.dropout)
                }
                ?? model.attachAdapter(
                    LoRAConfig(rank: lora.rank, alpha: lora.alpha, dropout: lora.dropout),
                    seed: UInt64(bitPattern: Int64(configuration.trainer.seed)))
            AutoregressiveModel.train(adapter: parameters, of: store, embeddings: lora.embeddings)
            adapter = parameters
            description = [("config", CheckpointContent(lora.yaml ?? .null))]
        }
        let task = AutoregressiveTask(
            name: lora?.fullName ?? name, model, store, adapter: adapter, options: options, description: description)
        return PreparedTask(
            task: task, width: config.width,
            limits: config.datasetLimits,
            promptSeconds: options.trainsConditioning ? options.promptSeconds.upper : nil,
            needs: [options.trainsConditioning ? .dvaeMels(bands: config.melChannels) : .latents(width: config.width)],
            startedFrom: path)
    }

    private func makeDVAE() throws -> PreparedTask {
        let options = try options(DVAETaskOptions.self)
        let (model, store, config, path) = try load(DVAEConfig.self, DVAEModel.keyMap) { DVAEModel($0, at: $1) }
        try setTrainable(store)
        let task = DVAETask(
            name: name, model, store, options: options, isFresh: path == nil, description: description(config))
        return PreparedTask(
            task: task, width: config.hiddenWidth, limits: .init(codes: 0, tokens: 0),
            needs: [.dvaeMels(bands: config.channels)], startedFrom: path)
    }

    private func makeDiffusion() throws -> PreparedTask {
        let options = try options(DiffusionTaskOptions.self)
        let (model, store, config, path) = try load(
            DiffusionConfig.self, DiffusionModel.keyMap
        ) { DiffusionModel($0, at: $1) }
        model.checkpointsActivations = configuration.trainer.gradientCheckpointing
        // Latents guide it; the way through embedded codes is idle.
        try setTrainable(store, idle: ["code_embedding.", "code_converter."])
        let source = try latentSource(options.autoregressive)
        guard source.width == config.latentChannels else {
            throw InputError.usage(
                "in_latent_channels is \(config.latentChannels), and the autoregressive model's latents have \(source.width)",
                at: "models: \(name): kwargs")
        }
        let task = try DiffusionTask(
            name: name, model, store, source, options: options, description: description(config))
        return PreparedTask(
            task: task, width: config.modelChannels, limits: source.datasetLimits,
            promptSeconds: options.promptSeconds,
            needs: [.latents(width: source.width), .diffusionMels(bands: config.melChannels)], startedFrom: path)
    }

    private func makeCLVP() throws -> PreparedTask {
        let (model, store, config, path) = try load(CLVPConfig.self, CLVPModel.keyMap) { CLVPModel($0, at: $1) }
        try setTrainable(store)
        return PreparedTask(
            task: CLVPTask(name: name, model, store, description: description(config)), width: config.latentWidth,
            limits: .init(
                codes: .max, tokens: .max, codeVocabulary: config.speechTokens, tokenVocabulary: config.textTokens),
            needs: [], startedFrom: path)
    }

    private func makeVocoder(_ stage: ModelStage) throws -> PreparedTask {
        let options = try options(VocoderTaskOptions.self)
        let network: VocoderNetwork
        var latents: LatentSource?
        let (store, path, settings): (ParameterStore, String?, [(name: String, value: CheckpointContent)])
        switch stage {
        case .vocos:
            let made = try load(
                VocosConfig.self, VocosModel.keyMap
            ) { VocosModel($0, at: $1) }
            (network, store, path, settings) = (.vocos(made.model), made.store, made.path, description(made.config))
        case .bigvgan:
            let made = try load(BigVGANConfig.self, BigVGANModel.trainableKeyMap) {
                BigVGANModel($0, trainable: true, at: $1)
            }
            (network, store, path, settings) = (.bigvgan(made.model), made.store, made.path, description(made.config))
        case .hifigan:
            let made = try load(
                HiFiGANConfig.self, HiFiGANModel.trainableKeyMap
            ) {
                HiFiGANModel($0, trainable: true, at: $1)
            }
            let source = try latentSource(options.autoregressive)
            guard [made.config.inputs, made.config.conditioningWidth] == [source.width, source.width] else {
                throw InputError.usage(
                    "in_channels and cond_channels are \(made.config.inputs) and \(made.config.conditioningWidth), and the autoregressive model's latents have \(source.width)",
                    at: "models: \(name): kwargs")
            }
            (network, latents) = (.hifigan(made.model, source), source)
            (store, path, settings) = (made.store, made.path, description(made.config))
        default:
            let made = try load(UnivNetConfig.self, UnivNetModel.trainableKeyMap) {
                UnivNetModel($0, trainable: true, at: $1)
            }
            (network, store, path, settings) = (.univnet(made.model), made.store, made.path, description(made.config))
        }
        try network.melVocoder?.checkTakesMels(at: "models: \(name): kwargs")
        if options.hearsDiffusedMels, network.melVocoder == nil {
            throw InputError.usage(
                "\(name) hears latents, not mels", at: "models: \(name): task.diffused_mels", try: "leave it out")
        }
        try setTrainable(store)
        let task = VocoderTask(
            name: name, network, store, try makeDiscriminators(options), options: options, description: settings)
        return PreparedTask(
            task: task, width: 1,
            limits: latents?.datasetLimits ?? .init(codes: 0, tokens: 0),
            needs: [.waveforms] + (latents.map { [.latents(width: $0.width)] } ?? [])
                + (options.hearsDiffusedMels ? [.diffusedMels(bands: VocoderTask.bands)] : []), startedFrom: path)
    }

    private func makeDiscriminators(
        _ options: VocoderTaskOptions
    ) throws -> (model: VocoderDiscriminators, store: ParameterStore)? {
        guard options.isAdversarial else { return nil }
        let (config, notes) = try options.discriminators.decode(
            DiscriminatorConfig.self, at: "models: \(name): task.discriminators")
        notes.forEach { note("\($0)") }
        // A frame reaches over both ends of the stretch by half, and finds there what it mirrors.
        let most = 2 * (options.cropFrames * VocoderTask.hop - 1)
        guard config.resolutions.allSatisfy({ $0[0] <= most }) else {
            throw InputError.usage(
                "a spectrogram's frame is longer than the \(options.cropFrames) mel frames of a crop allow, \(most) samples",
                at: "models: \(name): task.discriminators.resolutions")
        }
        let made = ParameterStore.initialize(seed: UInt64(bitPattern: Int64(configuration.trainer.seed)) &+ 1) {
            VocoderDiscriminators(config, at: $0)
        }
        made.parameters.setTrainable()
        return (made.model, made.parameters)
    }
}

extension PickleValue.Pair {
    /// An entry under a text key.
    init(_ key: String, _ value: PickleValue) { self.init(.string(key), value) }
}

extension PickleValue {
    /// Settings as a file carries them.
    init(_ yaml: YAMLValue) {
        switch yaml {
        case .null: self = .none
        case .bool(let value): self = .bool(value)
        case .int(let value): self = .integer(value)
        case .double(let value): self = .float(value)
        case .string(let value): self = .string(value)
        case .sequence(let list): self = .list(list.map(PickleValue.init))
        case .mapping(let entries): self = .dictionary(entries.map { .init($0.key, PickleValue($0.value)) })
        }
    }
}
