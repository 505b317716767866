import Foundation

/// Where a configuration comes from: the flags `--yaml`, `--model`, `--lora` and their environment variables.
public struct ConfigurationSource: Equatable, Sendable {
    public var yaml: String?
    public var model: String?
    public var lora: String?

    /// Settles flags and environment.
    ///
    /// A flag wins over its variable. `model` wins over `yaml` as in the reference, except that a `--yaml` given by hand is not
    /// overruled by a `TORTOISE_MODEL` left in the environment.
    public init(
        yaml: String? = nil, model: String? = nil, lora: String? = nil,
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) {
        func variable(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
        let chosenByHand = yaml != nil || model != nil
        self.yaml = yaml ?? (chosenByHand ? nil : variable("TORTOISE_YAML"))
        self.model = model ?? (chosenByHand ? nil : variable("TORTOISE_MODEL"))
        self.lora = lora ?? variable("TORTOISE_LORA")
    }

    /// Rewrites the reference's bare `yaml=…` argument as a flag; every other argument is kept.
    public static func expandBareArguments(_ arguments: [String]) -> [String] {
        arguments.flatMap { argument -> [String] in
            guard argument.hasPrefix("yaml="), argument.count > 5 else { return [argument] }
            return ["--yaml", String(argument.dropFirst(5))]
        }
    }
}

/// A configuration with the places that follow from it and what was noticed while it was read.
public struct LoadedConfiguration: Equatable, Sendable {
    public var configuration: Configuration
    public var paths: RunPaths
    public var notes: [ConfigurationNote]
}

extension Configuration {
    /// Reads YAML text over the defaults.
    ///
    /// - Parameters:
    ///   - text: The YAML; empty text gives the defaults.
    ///   - file: What messages call it.
    /// - Throws: `InputError` naming every value that cannot be used, with line and key path.
    public static func parse(_ text: String, file: String = "configuration") throws -> (
        Configuration, [ConfigurationNote]
    ) {
        try read(YAMLNode.parse(text, file: file))
    }

    /// Reads what the flags and the environment ask for.
    ///
    /// - Parameters:
    ///   - source: The flags.
    ///   - startTime: Seconds since 1970, naming the log folder.
    ///   - storedConfiguration: Gives the `config` that a weight file carries: a model entry, or an adapter's; nil when it has none.
    /// - Throws: `InputError` for files and values that cannot be used.
    public static func load(
        _ source: ConfigurationSource, startTime: Int = Int(Date().timeIntervalSince1970),
        storedConfiguration: (String) throws -> YAMLValue? = { try openCheckpoint(path: $0).storedConfiguration() }
    ) throws -> LoadedConfiguration {
        var root = "data"
        var configuration = Configuration()
        var notes: [ConfigurationNote] = []
        if let model = source.model {
            root = FilePath.folder(of: model)
            let (entry, found) = try entry(ModelEntry.self, in: model, storedConfiguration)
            notes += found
            configuration.models = [entry]
            configuration.models[0].path = absolute(model)
            configuration.trainer.loadStateDict = true
        } else if let yaml = source.yaml {
            root = FilePath.folder(of: yaml)
            (configuration, notes) = try read(YAMLNode.parse(contentsOf: yaml))
        }
        if let lora = source.lora {
            let (entry, found) = try entry(LoRAEntry.self, in: lora, storedConfiguration)
            notes += found
            configuration.loras = [entry]
            configuration.loras[0].path = absolute(lora)
        }
        configuration.fillIn()
        return LoadedConfiguration(
            configuration: configuration, paths: RunPaths(root: root, startTime: startTime), notes: notes)
    }

    /// The configuration as YAML, every key written: what a run folder keeps.
    public func serialized() throws -> String {
        try (yaml ?? .null).serialized()
    }

    private static func read(_ node: YAMLNode) throws -> (Configuration, [ConfigurationNote]) {
        var report = ConfigurationReport()
        var configuration = Configuration()
        do {
            try configuration.update(from: node, &report)
        } catch let error as InputError {
            report.errors.append(error)
        }
        try report.throwErrors()
        configuration.fillIn()
        return (configuration, report.notes)
    }

    private static func entry<Entry: ConfigurationSection>(
        _ type: Entry.Type, in path: String, _ stored: (String) throws -> YAMLValue?
    ) throws -> (Entry, [ConfigurationNote]) {
        guard case .mapping(let entries)? = try stored(path) else { return (Entry(), []) }
        return try ConfigurationParameters(entries).decode(Entry.self, at: "\(path): config")
    }

    /// A path typed on the command line is meant from where one stands; those of a configuration from where it lies.
    private static func absolute(_ path: String) -> String { URL(filePath: path).standardizedFileURL.path }

    /// Fills what follows from other settings: a model when none is named, validation speakers when none are given.
    private mutating func fillIn() {
        if models.isEmpty { models = [ModelEntry()] }
        if dataset.validation.isEmpty { dataset.validation = dataset.training }
    }

    /// The models a run trains.
    ///
    /// The reference overwrites `training` with "is it the autoregressive model?"; here the YAML is believed, and only when it
    /// marks nothing (as the reference's own sample does) is the autoregressive model meant.
    public var trainedModels: [ModelEntry] {
        let marked = models.filter(\.training)
        return marked.isEmpty
            ? models.filter { $0.name.isEmpty || $0.name.lowercased().contains("autoregressive") } : marked
    }

    /// The adapter of the run: the first that is trained, else the first.
    public var lora: LoRAEntry? { loras.first(where: \.training) ?? loras.first }
}

/// The files and folders that belong to a configuration: all beside its YAML.
public struct RunPaths: Equatable, Sendable {
    /// The folder of the YAML; `data` without one.
    public let root: String
    /// Seconds since 1970 at the start of the run.
    public let startTime: Int

    public init(root: String, startTime: Int) {
        self.root = root
        self.startTime = startTime
    }

    public var data: String { root + "/data" }
    public var metadata: String { root + "/metadata" }
    public var checkpoints: String { root + "/ckpt" }
    public var logs: String { root + "/logs/\(startTime)" }

    /// A path from the configuration: as it is when absolute, else from the root.
    public func resolve(_ path: String) -> String {
        guard !path.hasPrefix("/") else { return path }
        return root + "/" + (path.hasPrefix("./") ? String(path.dropFirst(2)) : path)
    }
}
