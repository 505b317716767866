import Foundation

// MARK: - hyperparameters

public enum OptimizerName: String, CaseIterable, Sendable, ConfigurationName {
    case adamw, adam, sgd, prodigy, apollo, adafactor, adagrad, muon
    /// AdamW with blockwise 8-bit state.
    case adamw8bit
    case apolloMini = "apollo-mini"
}

public enum SchedulerName: String, CaseIterable, Sendable, ConfigurationName {
    case none = ""
    case warmup, noam, cosine, linear
    case oneCycle = "onecycle"
    case scheduleFree = "schedulefree"
    case cosineAnnealing = "cosineannealing"
}

/// What decides each update.
public struct Hyperparameters: Equatable, Sendable {
    /// Samples per micro-batch; the upper bound when batches are made by duration.
    public var batchSize = 8
    /// Micro-batches per update.
    public var gradientAccumulationSteps = 32
    /// The largest global L2 norm of the gradient; 0 clips nothing.
    public var gradientClipping = 1.0
    public var optimizer = OptimizerName.adamw
    /// Handed to the optimiser by name, over everything else.
    public var optimizerParameters = ConfigurationParameters()
    public var learningRate = 3.25e-4
    public var warmupSteps = 0
    public var scheduler = SchedulerName.none
    /// Handed to the schedule by name.
    public var schedulerParameters = ConfigurationParameters()

    public init() {}
}

extension Hyperparameters: ConfigurationSection {
    static func describe(_ keys: inout ConfigurationKeys<Hyperparameters>) {
        keys.key("batch_size", \.batchSize, .within(1...65_536))
        keys.key("gradient_accumulation_steps", \.gradientAccumulationSteps, .within(1...65_536))
        keys.key("gradient_clipping", \.gradientClipping, .atLeast(0))
        keys.key("optimizer", \.optimizer)
        keys.key("optimizer_params", \.optimizerParameters)
        keys.key("learning_rate", \.learningRate, .above(0))
        keys.key("warmup_steps", \.warmupSteps, .atLeast(0))
        keys.key("scheduler", \.scheduler)
        keys.key("scheduler_params", \.schedulerParameters)
        keys.vestigial("autotune", "autotune_params", "torch_optimizer", "torch_scheduler")
        keys.vestigial("teacher_alpha", "teacher_temperature", "teacher_loss_fn")
    }
}

// MARK: - evaluation

/// How a run listens to itself.
public struct EvaluationSettings: Equatable, Sendable {
    public var batchSize = 64
    /// Updates between evaluations.
    public var frequency = 250
    /// Samples per set; 0 evaluates nothing.
    public var size = 64

    public init() {}
}

extension EvaluationSettings: ConfigurationSection {
    static func describe(_ keys: inout ConfigurationKeys<EvaluationSettings>) {
        keys.key("batch_size", \.batchSize, .within(1...65_536))
        keys.key("frequency", \.frequency, .atLeast(0))
        keys.key("size", \.size, .atLeast(0))
        keys.vestigial("kwargs", "steps", "ar_temperature", "nar_temperature", "load_disabled_engines")
    }
}

// MARK: - trainer

/// How long a run goes on, what it saves and where it continues.
public struct TrainerSettings: Equatable, Sendable {
    /// Stop when this many updates are done.
    public var iterations = 1_000_000
    /// The name of a checkpoint; "it…" and "step…" stand for the number of the update.
    public var saveTag = "step"
    /// The checkpoint to continue from in place of the latest.
    public var loadTag: String?
    public var saveOnQuit = true
    /// Export weights with every checkpoint.
    public var exportOnSave = false
    /// Export weights when the typed `quit` saves.
    public var exportOnQuit = false
    /// Updates between checkpoints; 0 takes the evaluation's frequency.
    public var saveFrequency = 100
    /// How many checkpoints are kept; 0 keeps all.
    public var keepLastCheckpoints = 0
    /// Start from the weights file in place of a checkpoint.
    public var loadStateDict = false
    /// Restore the state of optimiser and schedule.
    public var loadStates = true
    /// Restore weights only.
    public var loadModuleOnly = false
    /// Count updates from zero again.
    public var restartStepCount = false
    /// Recompute activations in the backward pass to save memory.
    public var gradientCheckpointing = true
    /// Mixed precision: matrix products of bfloat16 factors, float32 weights and sums.
    public var usesMixedPrecision = false
    /// The type of exported weights.
    public var weightDType = WeightDType.float16
    /// Seeds the sampler, dropout and initialisation.
    public var seed = 0
    /// Threads for arithmetic; 0 takes all cores.
    public var threads = 0
    /// Spoiled updates (NaN, infinity) in a row before the run goes back to its last good checkpoint.
    public var maximumBadUpdates = 5
    public var ema = EMASettings()
    public var deepspeed = DeepSpeedSettings()

    public init() {}
}

extension TrainerSettings: ConfigurationSection {
    static func describe(_ keys: inout ConfigurationKeys<TrainerSettings>) {
        keys.key("iterations", \.iterations, .atLeast(0))
        keys.key("save_tag", \.saveTag, .checkpointName)
        keys.key("load_tag", \.loadTag)
        keys.key("save_on_quit", \.saveOnQuit)
        keys.key("export_on_save", \.exportOnSave)
        keys.key("export_on_quit", \.exportOnQuit)
        keys.key("save_frequency", \.saveFrequency, .atLeast(0))
        keys.key("keep_last_checkpoints", \.keepLastCheckpoints, .atLeast(0))
        keys.key("load_state_dict", \.loadStateDict)
        keys.key("load_states", \.loadStates)
        keys.key("load_module_only", \.loadModuleOnly)
        keys.key("restart_step_count", \.restartStepCount)
        keys.key("gradient_checkpointing", \.gradientCheckpointing)
        keys.deprecated("activation_checkpointing", \.gradientCheckpointing, use: "gradient_checkpointing")
        keys.key("amp", \.usesMixedPrecision)
        keys.key("weight_dtype", \.weightDType)
        keys.key("seed", \.seed)
        keys.key("threads", \.threads, .within(0...1024))
        keys.key("max_bad_updates", \.maximumBadUpdates, .atLeast(1))
        keys.key("ema", \.ema)
        keys.key("deepspeed", \.deepspeed)
        // Files have to fit whole, and what is not finite is always looked for.
        keys.vestigial("strict_loading", "detect_grad_anomaly")
        keys.vestigial(
            "save_on_oom", "resize_modules", "check_for_oom", "gc_mode", "wandb", "wandb_params", "audio_device")
        keys.vestigial("decode_non_resp_audio", "ddp", "load_webui", "backend", "scale_loss")
    }
}

extension ConfigurationRule where Value == String {
    /// What a folder beside `latest` and the exported weights can be called.
    fileprivate static var checkpointName: Self {
        .init(expected: "a name of letters, digits, - and _, other than latest") {
            $0.lowercased() != "latest"
                && $0.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "-_".contains($0)) }
        }
    }
}

/// An exponential moving average of the weights, exported and evaluated in their place.
public struct EMASettings: Equatable, Sendable {
    /// The share of the old average that is kept at each update; 0 keeps no average.
    public var decay = 0.0
    /// Updates before the average begins.
    public var start = 0

    public init() {}
}

extension EMASettings: ConfigurationSection {
    static func describe(_ keys: inout ConfigurationKeys<EMASettings>) {
        keys.key("decay", \.decay, .within(0...0.999_999))
        keys.key("start", \.start, .atLeast(0))
    }
}

/// The reference's DeepSpeed options: accepted, without effect.
public struct DeepSpeedSettings: Equatable, Sendable {
    public init() {}
}

extension DeepSpeedSettings: ConfigurationSection {
    static func describe(_ keys: inout ConfigurationKeys<DeepSpeedSettings>) {
        keys.vestigial(
            "zero_optimization_level", "use_compression_training", "compression_bits", "inferencing", "optimizer")
        keys.vestigial(
            "amp", "loss_scale_window", "min_loss_scale", "max_loss_scale", "loss_scale", "profile", "config")
    }
}

/// The reference's replacements of framework classes: accepted, without effect.
public struct OptimizationSettings: Equatable, Sendable {
    public init() {}
}

extension OptimizationSettings: ConfigurationSection {
    static func describe(_ keys: inout ConfigurationKeys<OptimizationSettings>) {
        keys.vestigial(
            "injects", "replace", "compile", "linear", "embedding", "optimizers", "bitsandbytes", "dadaptation")
        keys.vestigial("bitnet", "fp8", "model_offloading", "tensorrt", "unsloth")
    }
}
