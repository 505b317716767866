import Foundation

/// Where the weights of each stage are, and why there.
///
/// The rule, documented in docs/speaking.md: a set is a folder with an autoregressive model and what belongs to it, and is used
/// as a whole. It is the one that was named; else `data/models` when the published weights are there; else the small set that
/// comes with the package. A configuration (`--yaml`) puts its own models in the places of the set's, and so does `--model`.
public struct ModelFiles: Sendable {
    /// The folder of the set.
    public private(set) var folder: String
    private var overrides: [ModelStage: String] = [:]
    private var wantedVocoder: ModelStage?
    /// The adapter that a configuration's training exported, or that it names.
    public private(set) var adapter: SpeechModels.AdapterFile?

    /// The names under which the stages' weights are looked for, best first: ours, the original's, e-c-k-e-r's.
    static let names: [ModelStage: [String]] = [
        .autoregressive: ["autoregressive"], .diffusion: ["diffusion", "diffusion_decoder"], .clvp: ["clvp", "clvp2"],
        .cvvp: ["cvvp"], .univnet: ["univnet", "vocoder"],
        .vocos: ["vocos"],
        .bigvgan: ["bigvgan", "bigvgan_24khz_100band", "bigvgan_base_24khz_100band"],
        .hifigan: ["hifigan", "hifidecoder"], .dvae: ["dvae"], .classifier: ["classifier"],
        .randomLatents: ["rlg_auto"],
    ]
    static let suffixes = ["safetensors", "sft", "pth", "pt"]

    /// - Parameters:
    ///   - set: A folder, or the name of one in `data/models`; nil takes the first that there is.
    ///   - loaded: A configuration whose models go first.
    /// - Throws: `InputError.model` when there is no such set.
    public init(set: String? = nil, loaded: LoadedConfiguration? = nil) throws {
        folder = try Self.folder(of: set)
        guard let loaded else { return }
        for entry in loaded.configuration.models {
            guard let path = try Self.weights(of: entry, loaded) else { continue }
            overrides[try Self.stage(of: entry, path)] = path
        }
        adapter = try Self.adapter(of: loaded)
        wantedVocoder = try ModelStage(named: loaded.configuration.vocoder)
    }

    private static func folder(of set: String?) throws -> String {
        let fileManager = FileManager.default
        if let set {
            if let found = [set, (try? DataFolder.path(of: "models/" + set)) ?? ""].first(where: {
                !$0.isEmpty && fileManager.fileExists(atPath: $0)
            }) {
                return found
            }
            throw InputError.model(
                "there is no set of models '\(set)'", at: "--models",
                try: "'tortoise-infer models list' shows what there is")
        }
        let published = (try? DataFolder.path(of: "models")) ?? "data/models"
        if find(.autoregressive, in: published) != nil { return published }
        return (try? DataFolder.path(of: "models/small")) ?? published
    }

    /// Puts a file in the place of the set's.
    mutating func use(_ path: String, for stage: ModelStage) { overrides[stage] = path }

    /// Puts files in the places of the set's, each in that of the stage that it says it is of.
    ///
    /// - Throws: `InputError` for files that cannot be read, and for two of one stage.
    public mutating func use(_ paths: [String]) throws {
        var taken: [ModelStage: String] = [:]
        for path in paths {
            let loaded = try Configuration.load(ConfigurationSource(model: path, environment: [:]))
            for entry in loaded.configuration.models {
                let file = entry.path ?? path
                let stage = try Self.stage(of: entry, file)
                if let other = taken.updateValue(path, forKey: stage) {
                    throw InputError.usage(
                        "\(other) and \(path) are both of the stage \(stage.rawValue)", at: "--model",
                        try: "leave one out")
                }
                overrides[stage] = file
            }
        }
    }

    /// The weights that an entry stands for: what its own training exported, else its path, which is where that training begins.
    private static func weights(of entry: ModelEntry, _ loaded: LoadedConfiguration) throws -> String? {
        let exported = exported("\(entry.name)/\(loaded.configuration.weightsName)", loaded)
        // Where an adapter is trained the model stays what it was.
        let isTrained = entry.training && loaded.configuration.loras.isEmpty
        if let exported, isTrained || entry.path == nil { return exported }
        return try entry.path.map { try existing($0, loaded, "model '\(entry.name)'") }
    }

    /// The stage that an entry names; else the one that its file is named after, as published files are; else the autoregressive.
    private static func stage(of entry: ModelEntry, _ path: String) throws -> ModelStage {
        guard entry.name.isEmpty else { return try ModelStage(named: entry.name) }
        let file = ((path as NSString).lastPathComponent as NSString).deletingPathExtension.lowercased()
        return names.first { $0.value.contains(file) }?.key ?? .autoregressive
    }

    private static func adapter(of loaded: LoadedConfiguration) throws -> SpeechModels.AdapterFile? {
        let entries = loaded.configuration.loras
        guard let entry = entries.first(where: \.training) ?? entries.first else { return nil }
        let path =
            try exported("\(entry.fullName)/lora", loaded)
            ?? entry.path.map { try existing($0, loaded, "adapter '\(entry.name)'") }
        return path.map { SpeechModels.AdapterFile(path: $0, alpha: entry.alpha) }
    }

    private static func exported(_ name: String, _ loaded: LoadedConfiguration) -> String? {
        suffixes.map { "\(loaded.paths.checkpoints)/\(name).\($0)" }.first(where: FileManager.default.fileExists)
    }

    private static func existing(_ path: String, _ loaded: LoadedConfiguration, _ what: String) throws -> String {
        let resolved = loaded.paths.resolve(path)
        guard FileManager.default.fileExists(atPath: resolved) else {
            throw InputError.model("there is no such file", at: resolved, try: "correct the path of the \(what)")
        }
        return resolved
    }

    private static func find(_ stage: ModelStage, in folder: String) -> String? {
        (names[stage] ?? []).flatMap { name in suffixes.map { "\(folder)/\(name).\($0)" } }
            .first(where: FileManager.default.fileExists)
    }

    /// The file of a stage; nil when there is none.
    public func find(_ stage: ModelStage) -> String? { overrides[stage] ?? Self.find(stage, in: folder) }

    /// The file of a stage.
    ///
    /// - Throws: `InputError.model` that says where it was looked for.
    public func path(of stage: ModelStage) throws -> String {
        if let path = find(stage) { return path }
        let names = (Self.names[stage] ?? []).map { "\(folder)/\($0).safetensors or .pth" }
        throw InputError.model(
            "found no weights of the \(stage.rawValue) model; looked for \(names.joined(separator: ", "))",
            try:
                "name a set with --models, or weights with --yaml or --model; 'tortoise-infer models list' shows what there is"
        )
    }

    /// The vocoder to use unless one is named: the configuration's where the set has it, else the first that there is.
    public var defaultVocoder: ModelStage? {
        if let wantedVocoder, find(wantedVocoder) != nil { return wantedVocoder }
        return ModelStage.vocoders.first { find($0) != nil }
    }
}
