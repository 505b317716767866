/// The models of a set, loaded when they are first used.
///
/// Weights stay in mapped files until they are read, so that a stage costs memory only from its turn on.
public final class SpeechModels {
    public let files: ModelFiles
    /// How matrices of weights are kept; nil keeps int8 ones as they are in their files, and all others in float32.
    public let precision: WeightPrecision?
    /// How the diffusion decoder, which takes most of the time, multiplies large matrices.
    let products: ProductPrecision
    private let adapters: [AdapterFile]
    /// Whether stages stay in memory after their turn.
    private let keepsLoaded: Bool
    private var autoregressiveModel: AutoregressiveModel?
    private var diffusionModel: LoadedModel<DiffusionConfig, DiffusionModel>?
    private var clvpModel: LoadedModel<CLVPConfig, CLVPModel>?
    private var cvvpModel: CVVPModel?
    private var vocoders: [ModelStage: any MelVocoder] = [:]
    private var hifiganModel: HiFiGANModel?
    private var dvaeModel: DVAEModel?

    /// A low-rank adapter of the autoregressive model.
    public struct AdapterFile: Sendable {
        public var path: String
        /// Multiplies its effect.
        public var strength: Float
        /// What it was trained with; nil takes what its file says, else its rank.
        public var alpha: Double?

        public init(path: String, strength: Float = 1, alpha: Double? = nil) {
            (self.path, self.strength, self.alpha) = (path, strength, alpha)
        }
    }

    /// - Precondition: the processor has the products (`isAvailable`).
    public init(
        _ files: ModelFiles, precision: WeightPrecision? = nil, products: ProductPrecision = .float32,
        adapters: [AdapterFile] = [], keepsLoaded: Bool = true
    ) {
        precondition(products.isAvailable, "this processor has no bfloat16 products")
        (self.files, self.precision, self.products) = (files, precision, products)
        (self.adapters, self.keepsLoaded) = (adapters, keepsLoaded)
    }

    /// The models of a set around an autoregressive model that is in memory: one that is being trained.
    init(_ files: ModelFiles, autoregressive: AutoregressiveModel) {
        (self.files, precision, products, adapters, keepsLoaded) = (files, .float32, .float32, [], true)
        autoregressiveModel = autoregressive
    }

    public func autoregressive() throws -> AutoregressiveModel {
        if let autoregressiveModel { return autoregressiveModel }
        let path = try files.path(of: .autoregressive)
        // Only float32 weights can have adapters merged into them.
        let precision = adapters.isEmpty ? precision : precision ?? .float32
        let loaded = try ModelLoader.load(
            path, as: AutoregressiveConfig.self, keyMap: AutoregressiveModel.keyMap, precision: precision
        ) { AutoregressiveModel($0, at: $1) }
        for adapter in adapters { try attach(adapter, to: loaded) }
        if !adapters.isEmpty, precision == .float32 { try loaded.model.mergeAdapters() }
        autoregressiveModel = loaded.model
        return loaded.model
    }

    private func attach(_ adapter: AdapterFile, to loaded: LoadedModel<AutoregressiveConfig, AutoregressiveModel>)
        throws
    {
        let reader = try openCheckpoint(path: adapter.path)
        let source = CheckpointSource(reader)
        let stored = try reader.storedConfiguration()?["alpha"].flatMap { value -> Double? in
            switch value {
            case .int(let number): Double(number)
            case .double(let number): number
            default: nil
            }
        }
        let alpha = try adapter.alpha ?? stored ?? Double(AutoregressiveModel.rank(of: source))
        _ = try loaded.model.attachAdapter(from: source, alpha: alpha, strength: adapter.strength)
        try AutoregressiveModel.takeEmbeddings(from: source, into: loaded.parameters, strength: adapter.strength)
    }

    public func diffusion() throws -> DiffusionModel {
        if let diffusionModel { return diffusionModel.model }
        let path = try files.path(of: .diffusion)
        let loaded = try ModelLoader.load(
            path, as: DiffusionConfig.self, keyMap: DiffusionModel.keyMap, precision: precision
        ) { DiffusionModel($0, at: $1) }
        diffusionModel = loaded
        return loaded.model
    }

    /// Stages come from different files, which may not have been trained for each other.
    ///
    /// - Throws: `InputError.model` when what makes sound does not take the autoregressive model's latents.
    func checkFit(needsDiffusion: Bool) throws {
        let width = try autoregressive().config.width
        let widths =
            try needsDiffusion
            ? [diffusion().config.latentChannels] : [hifigan().config.inputs, hifigan().config.conditioningWidth]
        guard let other = widths.first(where: { $0 != width }) else { return }
        throw InputError.model(
            "takes latents of width \(other), and the autoregressive model makes such of width \(width)",
            at: try files.path(of: needsDiffusion ? .diffusion : .hifigan),
            try: "give the models of one set: with --models, or all of them in the configuration")
    }

    /// - Throws: `InputError.model` for a ranker that does not know all codes and tokens of the autoregressive model.
    private func checkRanker(_ stage: ModelStage, codes: Int, tokens: Int = .max) throws {
        let config = try autoregressive().config
        let needed = min(config.startMelToken, config.stopMelToken)
        guard codes >= needed, tokens >= config.textTokens else {
            throw InputError.model(
                "knows \(codes) codes"
                    + (tokens == .max ? "" : " and \(tokens) text tokens")
                    + "; the autoregressive model says \(needed) and reads \(config.textTokens)",
                at: try files.path(of: stage), try: "rank with the model that belongs to it, or make one candidate")
        }
    }

    /// The ranker of candidates; nil when the set has none.
    public func clvp() throws -> CLVPModel? {
        if let clvpModel { return clvpModel.model }
        guard let path = files.find(.clvp) else { return nil }
        let loaded = try ModelLoader.load(path, as: CLVPConfig.self, keyMap: CLVPModel.keyMap, precision: precision) {
            CLVPModel($0, at: $1)
        }
        try checkRanker(.clvp, codes: loaded.config.speechTokens, tokens: loaded.config.textTokens)
        clvpModel = loaded
        return loaded.model
    }

    /// The ranker by voice.
    ///
    /// - Throws: `InputError.model` when the set has none.
    public func cvvp() throws -> CVVPModel {
        if let cvvpModel { return cvvpModel }
        let path = try files.path(of: .cvvp)
        let model = try ModelLoader.load(path, as: CVVPConfig.self, keyMap: CVVPModel.keyMap, precision: precision) {
            CVVPModel($0, at: $1)
        }.model
        try checkRanker(.cvvp, codes: model.config.melCodes)
        cvvpModel = model
        return model
    }

    public func vocoder(_ stage: ModelStage) throws -> any MelVocoder {
        if let loaded = vocoders[stage] { return loaded }
        let path = try files.path(of: stage)
        let vocoder: any MelVocoder =
            switch stage {
            case .vocos:
                try ModelLoader.load(
                    path, as: VocosConfig.self, keyMap: VocosModel.keyMap, precision: precision
                ) { VocosModel($0, at: $1) }.model
            case .bigvgan:
                try ModelLoader.load(path, as: BigVGANConfig.self, keyMap: BigVGANModel.keyMap) {
                    BigVGANModel($0, at: $1)
                }.model
            default:
                try ModelLoader.load(path, as: UnivNetConfig.self, keyMap: UnivNetModel.keyMap) {
                    UnivNetModel($0, at: $1)
                }.model
            }
        try vocoder.checkTakesMels(at: path)
        vocoders[stage] = vocoder
        return vocoder
    }

    /// What makes codes of recordings.
    public func dvae() throws -> DVAEModel {
        if let dvaeModel { return dvaeModel }
        let model = try ModelLoader.load(files.path(of: .dvae), as: DVAEConfig.self, keyMap: DVAEModel.keyMap) {
            DVAEModel($0, at: $1)
        }.model
        dvaeModel = model
        return model
    }

    public func hifigan() throws -> HiFiGANModel {
        if let hifiganModel { return hifiganModel }
        let path = try files.path(of: .hifigan)
        let model = try ModelLoader.load(
            path, as: HiFiGANConfig.self, keyMap: HiFiGANModel.keyMap
        ) { HiFiGANModel($0, at: $1) }.model
        hifiganModel = model
        return model
    }

    /// Lets go of a stage whose turn is over, unless all stay.
    func finish(_ stage: ModelStage) {
        guard !keepsLoaded else { return }
        switch stage {
        case .autoregressive: autoregressiveModel = nil
        case .diffusion: diffusionModel = nil
        case .clvp: clvpModel = nil
        case .cvvp: cvvpModel = nil
        case .hifigan: hifiganModel = nil
        case .dvae: dvaeModel = nil
        default: vocoders[stage] = nil
        }
    }

    /// Another text for other weights: which files the stages come from, their states, and how they are used.
    public var identity: String {
        let stages = ModelStage.allCases.compactMap { stage in
            files.find(stage).map { "\(stage.rawValue) \(FileState(of: $0))" }
        }
        let adapters = adapters.map { "\(FileState(of: $0.path)) \($0.strength) \($0.alpha ?? 0)" }
        return (stages + adapters + [precision?.rawValue ?? "", products.rawValue]).joined(separator: "\n")
    }
}
