import Foundation

/// Batches of a dataset file, read ahead by a thread of its own.
public final class DatasetBatchSource: BatchSource {
    public private(set) var position = SamplerPosition()
    public let identity: [(name: String, value: String)]

    private let file: DatasetFile
    private let plan: BatchPlan
    private let random: RandomSource
    /// Nil when none are wanted.
    private let companions: CompanionChoice?
    private let depth: Int
    private let limits: DatasetSelection.Limits
    private var epochBatches: [[Int]]
    private var reader: ReadAhead<(batch: Int, rows: [Int]), Result<UtteranceBatch, InputError>>?
    private var waitedBefore = 0.0

    /// - Parameters:
    ///   - items: What to train on; not empty.
    ///   - identity: What else must not change under a run, such as the hashes of tokenizer and models.
    ///   - limits: What the model can take; an utterance beyond its vocabularies is an error when it is read.
    ///   - depth: Batches to read ahead.
    ///   - promptSeconds: How much is heard of another utterance of the speaker, which then comes with every one; nil for
    ///     none.
    public init(
        _ file: DatasetFile, _ items: [DatasetSelection.Item], _ settings: DatasetSettings, batchSize: Int,
        seed: UInt64,
        identity: [(name: String, value: String)], limits: DatasetSelection.Limits = .init(codes: .max, tokens: .max),
        depth: Int = 8, promptSeconds: Double? = nil
    ) throws {
        (self.file, self.depth, self.limits) = (file, max(1, depth), limits)
        random = RandomSource(seed: seed)["companions"]
        companions = try promptSeconds.map {
            try CompanionChoice(file, items, settings.similarPrompts, promptSeconds: $0)
        }
        plan = BatchPlan(items, settings, batchSize: batchSize, seed: seed)
        epochBatches = plan.batches(epoch: 0)
        let rows = items.reduce(into: UInt64(0xCBF2_9CE4_8422_2325)) {
            $0 = ($0 ^ UInt64($1.index) ^ UInt64($1.codes) << 32) &* 0x100_0000_01B3
        }
        self.identity =
            identity + [
                ("dataset", "\(items.count) utterances, \(String(rows, radix: 16))"), ("batch_size", "\(batchSize)"),
                ("sample_order", (settings.sampleType == .speaker ? "speaker, " : "") + settings.sampleOrder.rawValue),
                ("sample_shuffle", "\(settings.sampleShuffle)"),
                ("sample_max_duration_batch", "\(settings.sampleMaximumDurationBatch)"), ("seed", "\(seed)"),
            ]
    }

    deinit { reader?.cancel() }

    public var batchesPerEpoch: Int { epochBatches.count }
    public var secondsWaiting: Double { waitedBefore + (reader?.secondsWaiting ?? 0) }

    public func next() throws -> UtteranceBatch {
        if reader == nil { startReading() }
        guard let reader else { preconditionFailure("the reader was started above") }
        let batch = try reader.next().get()
        position.batch += 1
        if position.batch >= epochBatches.count { startEpoch(position.epoch + 1, batch: 0) }
        return batch
    }

    public func seek(to position: SamplerPosition) throws {
        startEpoch(position.epoch, batch: position.batch)
        guard position.batch < epochBatches.count else {
            throw InputError.data(
                "the checkpoint stands at batch \(position.batch) of an epoch of \(epochBatches.count)", at: file.path,
                try: "the dataset has changed; give --force to continue with the next epoch")
        }
    }

    private func startEpoch(_ epoch: Int, batch: Int) {
        waitedBefore = secondsWaiting
        reader?.cancel()
        reader = nil
        position = SamplerPosition(epoch: epoch, batch: batch)
        epochBatches = plan.batches(epoch: epoch)
    }

    private func startReading() {
        let first = position.batch
        let batches = epochBatches[first...].enumerated().map { (batch: first + $0.offset, rows: $0.element) }
        let random = random[position.epoch]
        reader = ReadAhead(batches, depth: depth) { [file, companions, limits] batch, rows in
            do {
                let (draws, chances) = (random[batch].stream, random[batch]["similar"].stream)
                let items = try rows.enumerated().map { place, row in
                    let utterance = try file.utterance(at: row)
                    try limits.check(utterance, at: file.path)
                    let other = companions?.companion(of: row, chance: chances[place], draw: draws[place])
                    return BatchItem(utterance, companion: try other.map { try file.utterance(at: $0) })
                }
                return .success(UtteranceBatch(items))
            } catch let error as InputError {
                return .failure(error)
            } catch {
                return .failure(InputError.data("\(error)", at: file.path))
            }
        }
    }
}
