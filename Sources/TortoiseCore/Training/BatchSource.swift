/// Where a run stands in its data: the order of an epoch is a pure function of seed and epoch, so this is all there is to save.
public struct SamplerPosition: Equatable, Sendable {
    /// Passes over the data that are complete.
    public var epoch: Int
    /// Batches of this epoch that were handed out.
    public var batch: Int

    public init(epoch: Int = 0, batch: Int = 0) {
        self.epoch = epoch
        self.batch = batch
    }
}

/// Batches in an order that can be taken up anywhere.
public protocol BatchSource: AnyObject {
    associatedtype Batch: TrainingBatch

    /// After the last batch that `next` gave, whatever was read ahead.
    var position: SamplerPosition { get }
    /// Batches in an epoch; at least one.
    var batchesPerEpoch: Int { get }
    /// Seconds that `next` waited for data so far.
    var secondsWaiting: Double { get }
    /// What must not change between a checkpoint and its continuation: the data's hash, batch size and the like, by name.
    var identity: [(name: String, value: String)] { get }

    /// The next batch; epochs follow each other without end.
    ///
    /// - Throws: `InputError.data` when the data cannot be read.
    func next() throws -> Batch
    /// Goes to a position that an earlier run reached.
    ///
    /// - Throws: `InputError.data` when there is no such position.
    func seek(to position: SamplerPosition) throws
}

/// The data of a trainer that does not train: one that exports what another made.
final class NoBatches<Batch: TrainingBatch>: BatchSource {
    private(set) var position = SamplerPosition()
    let batchesPerEpoch = 1
    let secondsWaiting = 0.0
    let identity: [(name: String, value: String)] = []

    func next() throws -> Batch { throw InputError.data("there are no data to train on") }
    func seek(to position: SamplerPosition) { self.position = position }
}
