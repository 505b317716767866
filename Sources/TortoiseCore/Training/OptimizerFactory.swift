/// The optimizers and schedules that a configuration can name.
enum OptimizerFactory {
    /// The optimizer of one phase with the reference's settings, over which `optimizer_params` go.
    ///
    /// - Throws: `InputError.usage` for an optimizer that is not there and for parameters that it does not have.
    static func makeOptimizer(_ settings: Hyperparameters, _ phase: TrainingPhase) throws -> any Optimizer {
        var options = OptimizerOptions(settings.optimizerParameters)
        let rate = settings.learningRate * phase.learningRateScale
        func group(_ rate: Double, _ decay: Double) throws -> [ParameterGroup] {
            [
                ParameterGroup(
                    phase.parameters, learningRate: rate, weightDecay: try options.number("weight_decay") ?? decay)
            ]
        }
        let optimizer: any Optimizer
        switch settings.optimizer {
        case .adamw, .adam, .adamw8bit:
            let isCoupled = settings.optimizer == .adam
            let betas = try options.pair("betas") ?? (isCoupled ? (0.9, 0.999) : (0.9, 0.96))
            let adam = Adam.Settings(
                beta1: betas.0, beta2: betas.1, epsilon: try options.number("eps") ?? (isCoupled ? 1e-8 : 1e-7),
                weightDecay: isCoupled ? .coupled : .decoupled,
                statePrecision: settings.optimizer == .adamw8bit ? .eightBit : .float32)
            optimizer = Adam(try group(rate, isCoupled ? 0 : 0.01), adam)
        case .sgd:
            let sgd = SGD.Settings(
                momentum: try options.number("momentum") ?? 0, dampening: try options.number("dampening") ?? 0,
                isNesterov: try options.flag("nesterov") ?? false)
            optimizer = SGD(try group(rate, 0), sgd)
        case .prodigy:
            let prodigy = try prodigySettings(&options, coefficient: rate)
            optimizer = Prodigy(try group(1, 0), prodigy)
        case .muon:
            optimizer = Muon(try group(rate, 0.1), try muonSettings(&options))
        case .apollo, .apolloMini, .adafactor, .adagrad:
            throw InputError.usage(
                "there is no optimizer '\(settings.optimizer.rawValue)' here", at: "hyperparameters.optimizer",
                try: "use adamw, adam, adamw8bit, sgd, prodigy or muon")
        }
        try options.finish(of: settings.optimizer.rawValue)
        return optimizer
    }

    private static func muonSettings(_ options: inout OptimizerOptions) throws -> Muon.Settings {
        var settings = Muon.Settings()
        settings.momentum = try options.number("momentum") ?? settings.momentum
        settings.isNesterov = try options.flag("nesterov") ?? settings.isNesterov
        settings.iterations = try options.count("ns_steps") ?? settings.iterations
        settings.leavesEmbeddings = try options.flag("adam_for_embeddings") ?? settings.leavesEmbeddings
        (settings.adam.beta1, settings.adam.beta2) =
            try options.pair("betas") ?? (settings.adam.beta1, settings.adam.beta2)
        settings.adam.epsilon = try options.number("eps") ?? settings.adam.epsilon
        guard (0..<1).contains(settings.momentum), (1...100).contains(settings.iterations) else {
            throw InputError.usage(
                "momentum must be at least 0 and below 1, ns_steps from 1 to 100",
                at: "hyperparameters.optimizer_params")
        }
        return settings
    }

    private static func prodigySettings(_ options: inout OptimizerOptions, coefficient: Double) throws
        -> Prodigy.Settings
    {
        var settings = Prodigy.Settings()
        settings.coefficient = try options.number("d_coef") ?? coefficient
        (settings.beta1, settings.beta2) = try options.pair("betas") ?? (settings.beta1, settings.beta2)
        settings.beta3 = try options.number("beta3")
        settings.epsilon = try options.number("eps") ?? settings.epsilon
        settings.isDecoupled = try options.flag("decouple") ?? settings.isDecoupled
        settings.usesBiasCorrection = try options.flag("use_bias_correction") ?? settings.usesBiasCorrection
        settings.safeguardsWarmup = try options.flag("safeguard_warmup") ?? settings.safeguardsWarmup
        settings.initialDistance = try options.number("d0") ?? settings.initialDistance
        settings.growthRate = try options.number("growth_rate") ?? settings.growthRate
        settings.sliceStride = try options.count("slice_p") ?? settings.sliceStride
        guard settings.initialDistance > 0 else {
            throw InputError.usage("d0 must be positive", at: "hyperparameters.optimizer_params")
        }
        return settings
    }

    /// The schedule that a configuration names.
    ///
    /// - Parameters:
    ///   - iterations: Steps of the whole run: what "cosine" and "linear" stretch over.
    ///   - width: The model's, for "noam".
    /// - Throws: `InputError.usage` for a schedule that is not there.
    static func makeSchedule(_ settings: Hyperparameters, iterations: Int, width: Int) throws -> LearningRateSchedule {
        var options = OptimizerOptions(settings.schedulerParameters)
        let schedule: LearningRateSchedule
        switch settings.scheduler {
        case .none: schedule = .constant
        case .warmup: schedule = .warmup(steps: settings.warmupSteps, decay: try options.number("decay_factor") ?? 0)
        case .noam:
            schedule = .noam(
                width: try options.count("d_model") ?? width, warmup: max(1, settings.warmupSteps))
        case .oneCycle: schedule = .oneCycle(steps: try options.count("total_steps") ?? iterations)
        case .cosineAnnealing:
            schedule = .cosineAnnealing(
                period: try options.count("T_max") ?? iterations,
                minimum: try options.number("eta_min") ?? 0)
        case .cosine:
            schedule = .cosine(
                steps: try options.count("steps") ?? iterations, warmup: settings.warmupSteps,
                minimum: try options.number("minimum") ?? 0)
        case .linear:
            schedule = .linear(
                steps: try options.count("steps") ?? iterations, warmup: settings.warmupSteps,
                end: try options.number("end") ?? 0)
        case .scheduleFree:
            throw InputError.usage(
                "there is no scheduler 'schedulefree' here", at: "hyperparameters.scheduler",
                try: "use warmup, cosine, linear, cosineannealing, onecycle or noam")
        }
        try options.finish(of: settings.scheduler.rawValue)
        return schedule
    }
}

/// Free-form parameters, taken one by one; what nobody took is an error.
private struct OptimizerOptions {
    private let parameters: ConfigurationParameters
    private var known: [String] = []

    init(_ parameters: ConfigurationParameters) { self.parameters = parameters }

    mutating func number(_ key: String) throws -> Double? {
        known.append(key)
        switch parameters[key] {
        case nil, .null?: return nil
        case .int(let value)?: return Double(value)
        case .double(let value)? where value.isFinite && abs(value) < 1e15: return value
        case let other?: throw Self.mismatch("a number", other, key)
        }
    }

    /// A whole number from 1 up.
    mutating func count(_ key: String) throws -> Int? {
        guard let number = try number(key) else { return nil }
        guard let count = Int(exactly: number), (1...1_000_000_000).contains(count) else {
            throw Self.mismatch("a whole number from 1 to 1000000000", .double(number), key)
        }
        return count
    }

    mutating func flag(_ key: String) throws -> Bool? {
        known.append(key)
        switch parameters[key] {
        case nil, .null?: return nil
        case .bool(let value)?: return value
        case let other?: throw Self.mismatch("true or false", other, key)
        }
    }

    mutating func pair(_ key: String) throws -> (Double, Double)? {
        known.append(key)
        guard let value = parameters[key], value != .null else { return nil }
        guard case .sequence(let list) = value, list.count == 2 else { throw Self.mismatch("two numbers", value, key) }
        let numbers = list.compactMap { element -> Double? in
            switch element {
            case .int(let value): Double(value)
            case .double(let value): value
            default: nil
            }
        }
        guard numbers.count == 2, numbers.allSatisfy({ (0..<1).contains($0) }) else {
            throw Self.mismatch("two numbers from 0 to below 1", value, key)
        }
        return (numbers[0], numbers[1])
    }

    func finish(of name: String) throws {
        for entry in parameters.entries where !known.contains(entry.key) {
            let near = nearestNames(to: entry.key, among: known, limit: 1).first
            throw InputError.usage(
                "\(name) has no parameter '\(entry.key.prefix(60))'", at: "hyperparameters",
                try: near.map { "did you mean \($0)?" } ?? "it has \(known.joined(separator: ", "))")
        }
    }

    private static func mismatch(_ expected: String, _ found: YAMLValue, _ key: String) -> InputError {
        .usage("expected \(expected), found \(found.spoken)", at: "hyperparameters: \(key)")
    }
}
