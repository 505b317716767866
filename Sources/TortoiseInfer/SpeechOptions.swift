import ArgumentParser
import Foundation
import TortoiseCommandLine
import TortoiseCore

/// Where the models of each stage are.
struct ModelFileOptions: ParsableArguments {
    @Option(help: ArgumentHelp("A configuration whose models are used.", valueName: "file"))
    var yaml: String?

    @Option(
        help: ArgumentHelp(
            "Weights to use in place of the set's, such as a finetuned model; the file says of which stage. May be repeated.",
            valueName: "file"))
    var model: [String] = []

    @Option(help: ArgumentHelp("A set of models: a folder, or a name in data/models.", valueName: "set"))
    var models: String?

    /// The files, and the configuration that they were named by, if any.
    func find() throws -> (files: ModelFiles, loaded: LoadedConfiguration?) {
        let source = ConfigurationSource(yaml: yaml, model: model.first)
        let loaded = source.yaml != nil || source.model != nil ? try Configuration.load(source) : nil
        var files = try ModelFiles(set: models, loaded: loaded)
        try files.use(model)
        return (files, loaded)
    }
}

/// Which models speak.
struct ModelOptions: ParsableArguments {
    @OptionGroup var fileOptions: ModelFileOptions

    @Option(
        help: ArgumentHelp(
            "An adapter, with its strength after a colon; may be repeated.", valueName: "file[:strength]"))
    var lora: [String] = []

    @Option(
        help:
            "How matrices of weights are kept: float32, bfloat16, int8 or int4; by default int8 where files have it, else float32."
    )
    var dtype: String?

    @Flag(help: "Mixed precision: let diffusion multiply matrices of bfloat16 factors. Faster on processors with AMX.")
    var amp = false

    @Option(
        help: ArgumentHelp(
            "The text cleaners: extended, english (as the published models were trained) or basic.", valueName: "name"))
    var cleaners: String?

    @Option(help: ArgumentHelp("A file of words and how they are spoken, a tab between.", valueName: "file"))
    var dictionary: String?

    /// What models are made of.
    struct Parts {
        let files: ModelFiles
        let precision: WeightPrecision?
        let products: ProductPrecision
        let unloads: Bool
        let adapters: [SpeechModels.AdapterFile]
        let frontEnd: TextFrontEnd

        /// - Parameter keepsLoaded: Whether stages stay in memory after their turn, for more than one phrase.
        func models(keepsLoaded: Bool = true) -> SpeechModels {
            SpeechModels(
                files, precision: precision, products: products, adapters: adapters,
                keepsLoaded: keepsLoaded && !unloads)
        }
    }

    func load() throws -> (models: SpeechModels, frontEnd: TextFrontEnd) {
        let parts = try parts()
        return (parts.models(), parts.frontEnd)
    }

    func parts() throws -> Parts {
        let (files, loaded) = try fileOptions.find()
        let inference = loaded?.configuration.inference ?? InferenceSettings()
        let named = lora.isEmpty ? [ConfigurationSource().lora].compactMap { $0 } : lora
        let frontEnd = try TextFrontEnd(
            cleaners: cleaners.map { try TextCleaners(named: $0, at: "--cleaners") }, dictionary: dictionary, of: loaded
        )
        let adapters = named.isEmpty ? [files.adapter].compactMap { $0 } : try named.map(Self.adapter)
        return Parts(
            files: files, precision: try dtype.map(Self.precision) ?? inference.weightDType?.precision,
            products: products(amp || inference.usesMixedPrecision), unloads: inference.autoUnload, adapters: adapters,
            frontEnd: frontEnd)
    }

    private func products(_ isMixed: Bool) -> ProductPrecision {
        let products = ProductPrecision.mixed(isMixed)
        if isMixed, products == .float32 {
            StandardError.say("--amp: \(ProductPrecision.whyNotMixed), so everything is in float32")
        }
        return products
    }

    private static func precision(_ name: String) throws -> WeightPrecision {
        guard let precision = WeightPrecision(rawValue: name.lowercased()) else {
            let names = WeightPrecision.allCases.map(\.rawValue).joined(separator: ", ")
            throw InputError.usage("expected one of \(names), found '\(name)'", at: "--dtype")
        }
        return precision
    }

    private static func adapter(_ text: String) throws -> SpeechModels.AdapterFile {
        guard let colon = text.lastIndex(of: ":"), let strength = Float(text[text.index(after: colon)...]),
            strength.isFinite
        else {
            return SpeechModels.AdapterFile(path: text)
        }
        return SpeechModels.AdapterFile(path: String(text[..<colon]), strength: strength)
    }
}

/// How it is spoken.
struct SamplingOptions: ParsableArguments {
    @Option(help: "The original's settings: ultra_fast, fast, standard or high_quality; other flags win.")
    var preset: String?

    @Option(help: "The seed: the same one gives the same audio, another one another reading.")
    var seed: UInt64 = 0

    @Option(help: "Sequences of codes to choose from.")
    var candidates: Int?

    @Option(help: "Who chooses: clvp, or the autoregressive model if it was trained to hear codes (codes_first).")
    var rankBy: String?

    @Option(help: "How many candidates are spoken, best first.")
    var keep: Int?

    @Option(help: "CVVP's share of the ranking, 0 to 1.")
    var cvvpAmount: Float?

    @Flag(help: "Give the spoken versions by how near they are to the reference voice.")
    var sortBySimilarity = false

    @Option(help: "Candidates that are decoded together: a matter of memory and speed only.")
    var batchSize: Int?

    @Option(help: "The most codes of an utterance.")
    var maxArSteps: Int?

    @Option(help: "Steps of the diffusion sampler.")
    var maxDiffusionSteps: Int?

    @Option(help: "What logits are divided by before a code is drawn; 0 takes the most likely.")
    var arTemp: Float?

    @Option(help: "With --max-ar-temp: a temperature that follows how unsure the model is.")
    var minArTemp: Float?

    @Option(help: "The upper end of --min-ar-temp.")
    var maxArTemp: Float?

    @Option(help: "The power of the entropy that the temperature follows.")
    var arTempExponent: Float?

    @Option(
        help: "How strongly codes are led away from what the voice would say without the text; 0 for not at all.")
    var arGuidance: Float?

    @Option(help: "The probability that the codes which may be drawn have to reach.")
    var topP: Float?

    @Option(help: "How many of the most likely codes may be drawn; 0 for all.")
    var topK: Int?

    @Option(help: "The least probability of a code, as a share of the most likely one's.")
    var minP: Float?

    @Option(help: "Typical sampling's mass.")
    var typicalMass: Float?

    @Option(help: "What logits of used codes are divided by.")
    var repetitionPenalty: Float?

    @Option(parsing: .unconditional, help: "How that penalty changes with distance.")
    var repetitionPenaltyDecay: Float?

    @Option(parsing: .unconditional, help: "For beams: the power of the length that scores are divided by.")
    var lengthPenalty: Float?

    @Option(parsing: .unconditional, help: "Above 0 for longer speech, below for shorter.")
    var stopPenalty: Float?

    @Option(help: "Sequences followed at once; 1 for plain sampling.")
    var beamWidth: Int?

    @Option(help: "Mirostat's version, 1 or 2; 0 for none.")
    var mirostat: Int?

    @Option(help: "The surprise that Mirostat holds, in bits.")
    var mirostatTau: Float?

    @Option(help: "How quickly Mirostat corrects.")
    var mirostatEta: Float?

    @Option(help: "The penalty on continuing what was said before.")
    var dryMultiplier: Float?

    @Option(help: "How that penalty grows with the length of the run.")
    var dryBase: Float?

    @Option(help: "The longest run without that penalty, plus one.")
    var dryAllowedLength: Int?

    @Option(help: "How many of the latest codes it looks at; 0 for all.")
    var dryRange: Int?

    @Option(help: "The diffusion sampler: p, ddim, dpm++2m, dpm++3m-sde, unipc, heun or euler-a.")
    var diffusionSampler: String?

    @Option(help: "Multiplies the noise that diffusion starts from.")
    var diffusionTemp: Double?

    @Flag(inversion: .prefixedNo, help: "Lead diffusion away from what it makes without conditioning.")
    var condFree: Bool?

    @Option(help: "How strongly it is led away.")
    var condFreeK: Double?

    @Option(help: "At every how many steps diffusion looks what that is; 1 is exact, more is faster.")
    var condFreeEvery: Int?

    @Option(
        help: "Spoken characters that are said in one breath: longer lines are cut where people pause; 0 for no limit.")
    var maxPhrase: Int?

    @Option(help: "univnet (vocoder), vocos, bigvgan or hifigan; the first that the set has by default.")
    var vocoder: String?

    func settings(isStreamed: Bool = false) throws -> SpeechSettings {
        var settings = try SpeechSettings.initial(preset: preset, isStreamed: isStreamed)
        settings.seed = seed
        if let candidates { settings.candidates = candidates }
        if let rankBy { settings.ranking = try CandidateRanking(named: rankBy) }
        if let keep { settings.kept = keep }
        if let cvvpAmount { settings.cvvpAmount = cvvpAmount }
        settings.sortsBySimilarity = sortBySimilarity
        if let batchSize { settings.batchSize = batchSize }
        if let maxDiffusionSteps { settings.diffusionSteps = maxDiffusionSteps }
        if let diffusionSampler { settings.diffusion.sampler = try DiffusionSamplerName(parsing: diffusionSampler) }
        if let diffusionTemp { settings.diffusion.temperature = diffusionTemp }
        if let condFree { settings.diffusion.setGuidance(strength: condFree ? DiffusionGuidance().strength : 0) }
        if let condFreeK { settings.diffusion.setGuidance(strength: condFreeK) }
        if let condFreeEvery { settings.diffusion.guidance?.interval = condFreeEvery }
        if let vocoder { try settings.setVocoder(named: vocoder) }
        if let maxPhrase { settings.longestPhrase = maxPhrase == 0 ? nil : maxPhrase }
        try checkCompanions(settings)
        apply(to: &settings.sampling)
        try settings.validate()
        return settings
    }

    /// A flag that only means something beside another is not to be passed over.
    private func checkCompanions(_ settings: SpeechSettings) throws {
        let lonely: [(flag: String, isThere: Bool, needs: String, isMet: Bool)] = [
            ("--rank-by", rankBy != nil, "several --candidates", settings.candidates > 1),
            ("--min-ar-temp", minArTemp != nil, "--max-ar-temp", maxArTemp != nil),
            ("--ar-temp-exponent", arTempExponent != nil, "--max-ar-temp", maxArTemp != nil),
            ("--mirostat-tau", mirostatTau != nil, "--mirostat", mirostat != nil),
            ("--mirostat-eta", mirostatEta != nil, "--mirostat", mirostat != nil),
            ("--dry-base", dryBase != nil, "--dry-multiplier", dryMultiplier != nil),
            ("--dry-allowed-length", dryAllowedLength != nil, "--dry-multiplier", dryMultiplier != nil),
            ("--dry-range", dryRange != nil, "--dry-multiplier", dryMultiplier != nil),
            ("--cond-free-every", condFreeEvery != nil, "--cond-free", settings.diffusion.guidance != nil),
        ]
        for entry in lonely where entry.isThere && !entry.isMet {
            throw InputError.usage("has no effect without \(entry.needs)", at: entry.flag, try: "give both")
        }
        guard (0...2).contains(mirostat ?? 0) else {
            throw InputError.usage("expected 1 or 2, or 0 for none, found \(mirostat ?? 0)", at: "--mirostat")
        }
    }

    private func apply(to sampling: inout SamplingSettings) {
        if let maxArSteps { sampling.maximumSteps = maxArSteps }
        if let arTemp { sampling.temperature = arTemp }
        if let maxArTemp {
            sampling.dynamicTemperature = DynamicTemperature(
                minimum: minArTemp ?? sampling.temperature, maximum: maxArTemp, exponent: arTempExponent ?? 1)
        }
        if let arGuidance { sampling.guidance = arGuidance }
        if let topP { sampling.topP = topP }
        if let topK { sampling.topK = topK }
        if let minP { sampling.minP = minP }
        if let typicalMass { sampling.typicalMass = typicalMass }
        if let repetitionPenalty { sampling.repetitionPenalty = repetitionPenalty }
        if let repetitionPenaltyDecay { sampling.repetitionDecay = repetitionPenaltyDecay }
        if let lengthPenalty { sampling.lengthPenalty = lengthPenalty }
        if let stopPenalty { sampling.stopPenalty = stopPenalty }
        if let beamWidth { sampling.beamWidth = max(1, beamWidth) }
        if let mirostat, mirostat > 0 {
            sampling.mirostat = Mirostat(mirostat == 1 ? .one : .two, tau: mirostatTau ?? 5, eta: mirostatEta ?? 0.1)
        }
        if let dryMultiplier {
            sampling.dry = RepeatedRunPenalty(
                multiplier: dryMultiplier, base: dryBase ?? 1.75, allowedLength: dryAllowedLength ?? 2,
                range: dryRange ?? 0)
        }
    }
}
