import Foundation

/// Everything that a run carries from step to step, and how it goes to a checkpoint and comes back.
///
/// Randomness needs no saving: it is a pure function of seed and step.
final class TrainingState<Task: TrainingTask> {
    let task: Task
    /// One per phase.
    let optimizers: [any Optimizer]
    let average: ExponentialMovingAverage?
    var stats = TrainingStats()

    init(_ task: Task, _ optimizers: [any Optimizer], average: ExponentialMovingAverage?) {
        precondition(optimizers.count == task.phases.count, "training: an optimizer per phase")
        self.task = task
        self.optimizers = optimizers
        self.average = average
    }

    /// The parameters that are trained; frozen ones come from the weights that the run started with.
    var trained: [Parameter] { task.phases.flatMap(\.parameters) }

    /// The names of trained parameters, and of what the task carries besides, that hold NaN or infinity.
    var spoiledParameters: [String] {
        let extra = task.extraState()?.tensors.filter { $0.tensor.dtype == .float32 } ?? []
        let all = trained.map { ($0.name, $0.value.detached) } + extra.map { ($0.name, $0.tensor) }
        return all.filter { !$0.1.sumOfSquares.isFinite }.map(\.0)
    }

    /// Bytes of weights, gradients, optimizer state and averages.
    var byteCount: Int {
        let weights = trained.reduce(0) { $0 + $1.shape.product * 4 }
        let perWeight = 2 + optimizers.map { $0.kind == "prodigy" ? 4 : $0.kind == "sgd" ? 1 : 2 }.reduce(0, max)
        let frozen = task.parameters.filter { !$0.isTrainable }.reduce(0) { $0 + $1.byteCount }
        return weights * (perWeight + (average == nil ? 0 : 1)) + frozen
    }

    /// Writes all of it into a folder.
    func write(to folder: String) throws {
        try SafetensorsWriter.write(
            trained.map { ($0.name, TensorSource($0.value.detached)) }, metadata: ["stats": stats.json],
            to: folder + "/state.sft")
        var states = zip(task.phases, optimizers).map { ("optimizer." + $0.name, $1.state()) }
        if let average { states.append(("average", average.state())) }
        if let extra = task.extraState() { states.append(("task", extra)) }
        try StateFile.write(states, to: folder + "/optimizer.sft")
    }

    /// What a checkpoint restores.
    struct Parts {
        var optimizer = true
        var counters = true
    }

    /// Continues from a folder.
    ///
    /// - Throws: `InputError.model` when a file is missing, damaged or of another model; the weights may then be partly those
    ///   of the checkpoint, so the caller restores another or leaves.
    func read(from folder: String, _ parts: Parts = Parts()) throws {
        let module = try SafetensorsReader(path: folder + "/state.sft")
        let place = folder + "/state.sft"
        let stats = try TrainingStats(json: module.metadata["stats"] ?? "", at: place)
        let values = try trained.map { parameter -> Tensor in
            let tensor = try Tensor(of: parameter.name, in: module)
            guard tensor.shape == parameter.shape, tensor.dtype == .float32 else {
                throw InputError.model(
                    "\(parameter.name): expected \(parameter.shape) of float32, found \(tensor.shape) of \(tensor.dtype)",
                    at: place,
                    try: "train in a fresh folder, or give the sizes that the checkpoint was made with")
            }
            return tensor
        }
        if module.names.count > trained.count {
            let known = Set(trained.map(\.name))
            let others = module.names.filter { !known.contains($0) }
            throw InputError.model(
                "has parameters that are not trained here: \(others.prefix(10).joined(separator: ", "))", at: place)
        }
        let path = folder + "/optimizer.sft"
        let file =
            parts.optimizer || FileManager.default.fileExists(atPath: path) ? try SafetensorsReader(path: path) : nil
        var hasAverage = false
        if parts.optimizer, let file {
            for (phase, optimizer) in zip(task.phases, optimizers) {
                let prefix = "optimizer." + phase.name
                guard let state = try StateFile.read(prefix, from: file) else {
                    throw InputError.model("there is no state of \(prefix)", at: file.path)
                }
                try optimizer.restore(state)
            }
            if let average, let state = try StateFile.read("average", from: file) {
                try average.restore(state)
                hasAverage = true
            }
        }
        if let file, let extra = try StateFile.read("task", from: file) { try task.restoreExtraState(extra) }
        for (parameter, value) in zip(trained, values) { parameter.assign(value) }
        // An average of the weights that the run started from would be heard in their place for long.
        if !hasAverage { average?.restart() }
        if parts.counters { self.stats = stats }
    }
}
