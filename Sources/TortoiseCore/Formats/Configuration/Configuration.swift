import Foundation

/// Everything a run is told: the reference's YAML schema and our additions, with every default filled in.
///
/// The keys, defaults and meanings are those of `tortoise_tts/config.py` in e-c-k-e-r/tortoise-tts; `docs/configuration.md`
/// lists them all and says which are ours.
public struct Configuration: Equatable, Sendable {
    /// Carry on when an entry of the dataset lists matches nothing.
    public var silentErrors = false
    public var models: [ModelEntry] = []
    public var loras: [LoRAEntry] = []
    public var hyperparameters = Hyperparameters()
    public var evaluation = EvaluationSettings()
    public var trainer = TrainerSettings()
    public var inference = InferenceSettings()
    public var optimizations = OptimizationSettings()
    public var dataset = DatasetSettings()
    /// The vocabulary, relative to the configuration's folder.
    public var tokenizerPath = "./tokenizer.json"
    /// The rate of audio that goes in and out, in hertz.
    public var sampleRate = SampleRate.wide
    /// The vocoder that synthesis uses unless told otherwise.
    public var vocoder = "bigvgan"
    /// The stem of weight files.
    public var weightsName = "fp32"
    public var weightsFormat = WeightsFormat.sft
    public var text = TextSettings()
    public var prepare = PrepareSettings()

    public init() {}
}

extension Configuration: ConfigurationSection {
    static func describe(_ keys: inout ConfigurationKeys<Configuration>) {
        keys.key("silent_errors", \.silentErrors)
        keys.key("models", \.models)
        keys.key("loras", \.loras)
        keys.key("hyperparameters", \.hyperparameters)
        keys.key("evaluation", \.evaluation)
        keys.key("trainer", \.trainer)
        keys.key("inference", \.inference)
        keys.key("optimizations", \.optimizations)
        keys.key("dataset", \.dataset)
        keys.key("tokenizer_path", \.tokenizerPath)
        keys.key("sample_rate", \.sampleRate, .within(1_000...768_000))
        keys.key("vocoder", \.vocoder, .oneOf(["vocoder", "univnet", "vocos", "bigvgan", "hifigan"]))
        keys.key("weights_name", \.weightsName)
        keys.key("weights_format", \.weightsFormat)
        keys.key("text", \.text)
        keys.key("prepare", \.prepare)
        keys.vestigial("device", "mode", "experimental", "tokenizer", "audio_backend", "supported_weights_formats")
    }
}

/// The suffix and layout of written weights.
public enum WeightsFormat: String, CaseIterable, Sendable, ConfigurationName {
    case sft, safetensors, pt, pth
}

/// How the numbers of a weight file or a loaded model are kept.
public enum WeightDType: String, CaseIterable, Sendable {
    case float32, float16, bfloat16
    /// Blockwise integers, ours.
    case int8, int4
    case float8E5M2 = "float8_e5m2"
    case float8E4M3 = "float8_e4m3fn"
}

extension WeightDType: ConfigurationValue {
    /// Any other text means float32, as in the reference; here that is said.
    static func read(_ node: YAMLNode, _ report: inout ConfigurationReport) throws -> WeightDType {
        let text = try String.read(node, &report)
        if let dtype = WeightDType(rawValue: text.lowercased()) { return dtype }
        report.notes.append(
            .init(kind: .changed, place: node.place, message: "'\(text.prefix(60))' is no known type; float32 is used"))
        return .float32
    }

    var yaml: YAMLValue? { .string(rawValue) }
}

// MARK: - models and loras

/// One model of the run: which stage, from which file, trained or not.
public struct ModelEntry: Equatable, Sendable {
    /// The stage and the folder under `ckpt`.
    public var name = ""
    public var training = false
    /// Exact names of parameters that are never trained.
    public var frozenParameters: [String] = []
    /// A weight file to use in place of the one the name stands for.
    public var path: String?
    /// Sizes and options of the model; its own configuration reads them.
    public var kwargs = ConfigurationParameters()
    /// How the stage is trained: weights of losses, lengths of crops, the files of models that it hears; its own task reads them.
    public var task = ConfigurationParameters()

    public init(name: String = "", training: Bool = false) {
        self.name = name
        self.training = training
    }

    public init() {}

    /// The words of which a model's name must contain one.
    static let stages = [
        "autoregressive", "diffusion", "clvp", "cvvp", "vocoder", "univnet", "vocos", "bigvgan", "hifigan", "dvae",
        "classifier",
        "rlg",
    ]
}

extension ModelEntry: ConfigurationSection {
    static func describe(_ keys: inout ConfigurationKeys<ModelEntry>) {
        keys.key(
            "name", \.name,
            .init(expected: "a name with one of \(stages.joined(separator: ", "))") { name in
                name.isEmpty || stages.contains { name.lowercased().contains($0) }
            })
        keys.key("training", \.training)
        keys.key("frozen_params", \.frozenParameters)
        keys.key("path", \.path)
        keys.key("kwargs", \.kwargs)
        keys.key("task", \.task)
        keys.vestigial("attention", "teacher")
    }
}

/// A low-rank adapter (Hu et al. 2021) of the autoregressive model.
public struct LoRAEntry: Equatable, Sendable {
    public var name = "lora"
    public var rank = 128
    public var alpha = 128.0
    public var training = true
    /// Also train parameters whose name contains `_emb`.
    public var embeddings = false
    /// The chance that an element of A is dropped in training; 0.1 in the reference.
    public var dropout = 0.1
    public var path: String?

    public init() {}

    /// The adapter's checkpoint folder.
    public var fullName: String {
        let whole = Int(exactly: alpha).map { "\($0)" } ?? "\(alpha)"
        return "\(name)-r\(rank)-a\(whole)"
    }
}

extension LoRAEntry: ConfigurationSection {
    static func describe(_ keys: inout ConfigurationKeys<LoRAEntry>) {
        keys.key("name", \.name)
        keys.key("rank", \.rank, .within(1...4096))
        keys.key("alpha", \.alpha, .above(0))
        keys.key("training", \.training)
        keys.key("embeddings", \.embeddings)
        keys.key("dropout", \.dropout, .within(0...0.99))
        keys.key("path", \.path)
        keys.vestigial("parametrize", "rvq_levels")
    }
}
