/// What a run is judged by: losses on a few utterances of the training and on the validation set, and for the autoregressive model
/// speech to listen to.
final class Evaluation {
    private let sets: [(name: String, source: DatasetBatchSource)]
    private let speech: EvaluationSpeech?

    init(
        _ data: DatasetFile, _ selection: DatasetSelection, _ configuration: Configuration, _ prepared: PreparedTask,
        speech: EvaluationSpeech?
    ) throws {
        self.speech = speech
        let settings = configuration.evaluation
        var order = configuration.dataset
        (order.sampleType, order.sampleOrder) = (.path, .duration)
        (order.sampleShuffle, order.sampleMaximumDurationBatch) = (false, 0)
        sets = try [("subtrain", selection.training), ("val", selection.validation)].compactMap { name, items in
            let chosen = Array(items.shuffled(by: RandomSource(seed: 0)["evaluation"]).prefix(settings.size))
            guard !chosen.isEmpty else { return nil }
            return (
                name,
                try DatasetBatchSource(
                    data, chosen, order, batchSize: min(settings.batchSize, chosen.count), seed: 0, identity: [],
                    limits: prepared.limits, depth: 2, promptSeconds: prepared.promptSeconds)
            )
        }
    }

    var isEmpty: Bool { sets.isEmpty }

    /// The means of what a task measures on each set; parameters record nothing meanwhile, and are as they were afterwards.
    func evaluate<Task: TrainingTask>(
        _ task: Task, step: Int
    ) throws -> EvaluationReport where Task.Batch == UtteranceBatch {
        let start = ContinuousClock.now
        let trained = task.parameters.filter(\.isTrainable)
        for parameter in trained { parameter.isTrainable = false }
        defer { for parameter in trained { parameter.isTrainable = true } }
        var metrics: [(name: String, value: Double)] = []
        for (name, source) in sets {
            try source.seek(to: SamplerPosition())
            var sums: [(name: String, value: Double)] = []
            let batches = source.batchesPerEpoch
            var heard: [Utterance] = []
            for _ in 0..<batches {
                let batch = try source.next()
                heard += batch.items.map(\.utterance)
                for (part, value) in task.evaluate(batch) {
                    if let index = sums.firstIndex(where: { $0.name == part }) {
                        sums[index].value += Double(value) / Double(batches)
                    } else {
                        sums.append((part, Double(value) / Double(batches)))
                    }
                }
            }
            metrics += sums.map { ("\(name).\($0.name)", $0.value) }
            if let distance = try speech?.speak(heard, set: name, step: step) {
                metrics.append(("\(name).mel_stft", distance))
            }
        }
        return EvaluationReport(
            step: step, metrics: metrics, folder: speech?.folder(step), seconds: start.duration(to: .now).seconds)
    }
}
