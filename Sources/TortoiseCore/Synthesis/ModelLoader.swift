import Foundation

/// A model that was loaded from a file, with what it was made of.
public struct LoadedModel<Config, Model> {
    public let model: Model
    public let config: Config
    public let parameters: ParameterStore
    /// The file's path.
    public let path: String
    /// What was odd about the configuration, for the user to hear once.
    public let notes: [ConfigurationNote]
}

/// Opens weight files as models: sizes come with the file or are given, keys are mapped, and everything has to fit.
public enum ModelLoader {
    /// Loads a model.
    ///
    /// Each size is, the first that there is: the one given, the one that the file carries (in the `kwargs` of its `config`; BigVGAN: in a
    /// JSON file of its name beside it), and the published one. Weights stay in the mapped file until they are used.
    ///
    /// - Parameters:
    ///   - path: Safetensors or PyTorch; the content decides.
    ///   - options: Sizes as the model's keyword arguments.
    ///   - precision: How matrices are kept; nil keeps int8 ones as they are, and all others in float32.
    /// - Throws: `InputError` naming every value, key and shape that does not fit.
    static func load<Config: ConfigurationSection, Model>(
        _ path: String, as type: Config.Type, options: ConfigurationParameters? = nil, keyMap: KeyMap,
        precision: WeightPrecision? = .float32, _ makeModel: (Config, ParameterScope) throws -> Model
    ) throws -> LoadedModel<Config, Model> {
        let reader = try openCheckpoint(path: path)
        let beside = try Config.hasFileOfItsOwn ? optionsBeside(path) : nil
        let stored = try storedOptions(of: reader) ?? beside ?? ConfigurationParameters()
        let place = options == nil ? "\(path): config" : "configuration"
        let (config, notes) = try stored.overridden(by: options).decode(Config.self, at: place)
        try config.validate(at: place)
        let source = KeyMappedSource(CheckpointSource(reader), keyMap)
        let (model, parameters) = try ParameterStore.load(
            from: source, precision: precision ?? storedPrecision(of: reader)
        ) {
            try makeModel(config, $0)
        }
        return LoadedModel(model: model, config: config, parameters: parameters, path: path, notes: notes)
    }

    private static func storedPrecision(of reader: any CheckpointReader) -> WeightPrecision {
        reader.entries.keys.contains { PackedTensor.hasScales($0, in: reader) } ? .int8 : .float32
    }

    /// The keyword arguments that a file carries in its `config`; nil when it carries none.
    static func storedOptions(of reader: any CheckpointReader) throws -> ConfigurationParameters? {
        guard case .mapping(let entries)? = try reader.storedConfiguration()?["kwargs"] else { return nil }
        return ConfigurationParameters(entries)
    }

    /// The sizes in a JSON file of the same name; nil without one.
    private static func optionsBeside(_ path: String) throws -> ConfigurationParameters? {
        let json = (path as NSString).deletingPathExtension + ".json"
        guard let bytes = FileManager.default.contents(atPath: json) else { return nil }
        return try options(json: String(decoding: bytes, as: UTF8.self), at: json)
    }

    /// Keyword arguments given as JSON (or YAML).
    ///
    /// - Throws: `InputError.usage` when the text is no mapping.
    public static func options(json text: String, at place: String) throws -> ConfigurationParameters {
        guard case .mapping(let entries) = try YAMLNode.parse(text, file: place).value() else {
            throw InputError.usage("expected an object of sizes such as {\"layers\": 2}", at: place)
        }
        return ConfigurationParameters(entries)
    }
}
