import Foundation

// MARK: - inference

/// How synthesis holds its models.
public struct InferenceSettings: Equatable, Sendable {
    /// nil keeps int8 files as they are, and all others in float32.
    public var weightDType: WeightDType?
    /// Let go of each model after its turn.
    public var autoUnload = false
    /// Multiply matrices of bfloat16 factors in the diffusion decoder.
    public var usesMixedPrecision = false

    public init() {}
}

extension InferenceSettings: ConfigurationSection {
    static func describe(_ keys: inout ConfigurationKeys<InferenceSettings>) {
        keys.key("weight_dtype", \.weightDType)
        keys.key("auto_unload", \.autoUnload)
        keys.key("amp", \.usesMixedPrecision)
        keys.vestigial("backend", "normalize", "batch_size", "audio_backends", "use_vocos")
    }
}

// MARK: - dataset

/// What is drawn: every utterance once in an epoch, or every speaker as often as any other.
public enum SampleType: String, CaseIterable, Sendable, ConfigurationName {
    case path, speaker
}

/// In which order utterances come.
public enum SampleOrder: String, CaseIterable, Sendable, ConfigurationName {
    case interleaved, duration, random
}

/// How often the prompt is an utterance that sounds like the one it prompts: `prompt_similar_p`, `_top_k` and `_top_k_offset`.
public struct SimilarPromptSettings: Equatable, Sendable {
    /// The chance; 0 takes any utterance of the speaker.
    public var probability = 0.0
    /// Of how many most similar ones one is drawn.
    public var count = 1
    /// How many of the most similar ones are passed over.
    public var offset = 0

    public init() {}
}

/// Which utterances a run sees, and in which order.
public struct DatasetSettings: Equatable, Sendable {
    /// Speakers as `group/speaker`; `*`, `?` and `[…]` match names.
    public var training: [String] = []
    /// As `training`; empty takes the training speakers.
    public var validation: [String] = []
    /// The share of each speaker's utterances that is kept for validation when no validation speakers are named.
    public var validationFraction = 0.02
    // Checked and kept for other tools; here the dataset file names its speakers.
    public var speakerName = SpeakerPattern.stockName
    public var speakerGroup = SpeakerPattern.stockGroup
    /// The dataset file, relative to the configuration's folder.
    public var hdf5Name = "data.h5"
    /// Drop utterances outside `durationRange`.
    public var validate = true
    /// Read every utterance before training, and leave out those whose checksum is wrong.
    public var strictValidate = false
    /// Speakers with fewer utterances are left out.
    public var minimumUtterances = 2
    /// Seconds.
    public var durationRange = ConfigurationRange(1, 12)
    public var sampleType = SampleType.path
    public var sampleOrder = SampleOrder.interleaved
    public var sampleShuffle = true
    /// Seconds of audio per batch when the order is by duration; 0 counts utterances instead.
    public var sampleMaximumDurationBatch = 0.0
    /// For tasks that hear another utterance of the speaker.
    public var similarPrompts = SimilarPromptSettings()

    public init() {}
}

extension DatasetSettings: ConfigurationSection {
    static func describe(_ keys: inout ConfigurationKeys<DatasetSettings>) {
        keys.key("training", \.training)
        keys.key("validation", \.validation)
        keys.key("validation_fraction", \.validationFraction, .within(0...0.5))
        keys.key("speaker_name_getter", \.speakerName)
        keys.key("speaker_group_getter", \.speakerGroup)
        keys.key("hdf5_name", \.hdf5Name)
        keys.key("validate", \.validate)
        keys.key("strict_validate", \.strictValidate)
        keys.key("min_utterances", \.minimumUtterances, .atLeast(0))
        keys.key("duration_range", \.durationRange, .init(expected: "at least 0.1 seconds") { $0.lower >= 0.1 })
        keys.key("sample_type", \.sampleType)
        keys.key("sample_order", \.sampleOrder)
        keys.key("sample_shuffle", \.sampleShuffle)
        keys.key("sample_max_duration_batch", \.sampleMaximumDurationBatch, .atLeast(0))
        keys.key("prompt_similar_p", \.similarPrompts.probability, .within(0...1))
        keys.key("prompt_similar_top_k", \.similarPrompts.count, .atLeast(1))
        keys.key("prompt_similar_top_k_offset", \.similarPrompts.offset, .atLeast(0))
        // The dataset is always an HDF5 file, and one thread reads ahead.
        keys.vestigial("noise", "use_hdf5", "workers", "cache")
        keys.vestigial("speaker_languages", "hdf5_flag", "use_metadata", "max_utterances", "tasks_list", "noise_scale")
        keys.vestigial(
            "prompt_duration_range", "prompt_duration", "prompt_max_samples", "prompt_continuous_utterance_p",
            "prompt_inject_noise_p")
        keys.vestigial(
            "resps_max_samples", "resps_append_p", "resps_pad_silence_p", "reencode_on_concat", "reencode_device")
        keys.vestigial("retokenize_text", "_frames_per_second", "prompt_similar_offset")
    }
}

// MARK: - text and prepare (ours)

extension TextCleaners: ConfigurationName {}

/// How text is read.
public struct TextSettings: Equatable, Sendable {
    public var cleaners = TextCleaners.extended
    /// A file of words and their spoken forms, relative to the configuration's folder.
    public var dictionary: String?
    public var language = "en"

    public init() {}
}

extension TextSettings: ConfigurationSection {
    static func describe(_ keys: inout ConfigurationKeys<TextSettings>) {
        keys.key("cleaners", \.cleaners)
        keys.key("dictionary", \.dictionary)
        keys.key("language", \.language)
    }
}

/// When a recording is cut along its transcript's segments.
public enum SliceMode: String, CaseIterable, Sendable {
    case auto
    case always = "true"
    case never = "false"
}

extension SliceMode: ConfigurationValue {
    static func read(_ node: YAMLNode, _ report: inout ConfigurationReport) throws -> SliceMode {
        switch try node.value() {
        case .bool(let value): return value ? .always : .never
        case .string("auto"): return .auto
        default:
            throw InputError.usage("expected auto, true or false, found \(try node.value().spoken)", at: node.place)
        }
    }

    var yaml: YAMLValue? { self == .auto ? .string("auto") : .bool(self == .always) }
}

/// How `tortoise-train prepare` turns recordings into a dataset; flags of the command win.
public struct PrepareSettings: Equatable, Sendable {
    public var slice = SliceMode.auto
    /// The longest utterance that is kept, in seconds; 0 keeps all.
    public var maximumDuration = 0.0
    public var minimumDuration = 0.0
    public var minimumUtterances = 0
    /// Leave out utterances whose language is not known to be the configured one.
    public var strictLanguages = false
    /// Cut silence below this many decibels under the peak from both ends; nil cuts nothing.
    public var trimSilence: Double?
    /// Bring each utterance to this integrated loudness in LUFS; nil leaves it.
    public var loudness: Double?
    /// Store both kinds of mel spectrograms.
    public var storeMels = false
    /// Store the DVAE's mel spectrograms: for training it, and conditioning from scratch.
    public var storeDVAEMels = false
    /// Store the diffusion decoder's mel spectrograms, for training it.
    public var storeDiffusionMels = false
    /// Store the mel spectrograms that diffusion makes of the codes, for tuning vocoders to them.
    public var storeDiffusedMels = false
    /// Store waveforms, for training vocoders.
    public var storeWaveforms = false

    public init() {}
}

extension PrepareSettings: ConfigurationSection {
    static func describe(_ keys: inout ConfigurationKeys<PrepareSettings>) {
        keys.key("slice", \.slice)
        keys.key("max_duration", \.maximumDuration, .atLeast(0))
        keys.key("min_duration", \.minimumDuration, .atLeast(0))
        keys.key("min_utterances", \.minimumUtterances, .atLeast(0))
        keys.key("strict_languages", \.strictLanguages)
        keys.key(
            "trim_silence", \.trimSilence,
            .init(expected: "decibels below the peak, -120 to 0") { (-120...0).contains($0 ?? 0) })
        keys.key("loudness", \.loudness, .init(expected: "-70 to 0 LUFS") { (-70...0).contains($0 ?? 0) })
        keys.key("store_mels", \.storeMels)
        keys.key("store_dvae_mels", \.storeDVAEMels)
        keys.key("store_diffusion_mels", \.storeDiffusionMels)
        keys.key("store_diffused_mels", \.storeDiffusedMels)
        keys.key("store_waveforms", \.storeWaveforms)
    }
}
