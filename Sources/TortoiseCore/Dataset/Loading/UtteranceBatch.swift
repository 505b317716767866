/// An utterance of a batch, and another one of the same speaker for the tasks that learn to hear voices.
public struct BatchItem: Sendable {
    public var utterance: Utterance
    /// The utterance itself when its speaker has no other, or when no companions were asked for.
    public var companion: Utterance

    public init(_ utterance: Utterance, companion: Utterance? = nil) {
        self.utterance = utterance
        self.companion = companion ?? utterance
    }
}

/// What all tasks are trained on: utterances as the dataset stores them. Cutting and padding is a task's own.
public struct UtteranceBatch: TrainingBatch {
    public let items: [BatchItem]

    public init(_ items: [BatchItem]) { self.items = items }

    public var sampleCount: Int { items.count }
    /// Text tokens and codes; mel frames where a dataset has no codes.
    public var tokenCount: Int {
        items.reduce(0) { total, item in
            let utterance = item.utterance
            return total
                + (utterance.codes.isEmpty
                    ? utterance.sampleCount / 256 : utterance.tokens.count + utterance.codes.count)
        }
    }
    public var names: [String] { items.map { "\($0.utterance.speaker)/\($0.utterance.name)" } }
}

extension UtteranceBatch {
    /// Text ids padded with 0: [batch, longest], and how many each row has.
    var text: (ids: Tensor, lengths: [Int]) { Self.padded(items.map(\.utterance.tokens), with: 0) }

    /// Mel codes padded with a stop token: [batch, longest], and how many each row has.
    func codes(padding: Int) -> (ids: Tensor, lengths: [Int]) {
        Self.padded(items.map(\.utterance.codes), with: Int32(padding))
    }

    private static func padded(_ rows: [[UInt16]], with padding: Int32) -> (ids: Tensor, lengths: [Int]) {
        let longest = max(1, rows.map(\.count).max() ?? 0)
        let ids = rows.flatMap { row in row.map(Int32.init) + [Int32](repeating: padding, count: longest - row.count) }
        return (Tensor(indices: ids, shape: [rows.count, longest]), rows.map(\.count))
    }

    /// Stored latents: [batch, width].
    func latents(_ stored: (Utterance) -> [Float]) -> Tensor {
        let rows = items.map { stored($0.utterance) }
        return Tensor(rows.flatMap { $0 }, shape: [rows.count, rows[0].count])
    }

    /// A stretch of a stored mel of every item: [batch, bands, frames].
    ///
    /// - Parameters:
    ///   - frames: As many as that.
    ///   - starts: The first frame of each; beyond the last possible one it is that one.
    ///   - padding: What follows the ends of shorter mels; nil repeats them from their start.
    static func melCrops(
        _ utterances: [Utterance], _ name: String, bands: Int, frames: Int, starts: [Int], padding: Float? = nil
    ) -> Tensor {
        var values: [Float] = []
        values.reserveCapacity(utterances.count * bands * frames)
        for (utterance, start) in zip(utterances, starts) {
            let mel = utterance.mels[name] ?? []
            let count = max(1, mel.count / bands)
            let first = max(0, min(start, count - frames))
            for frame in 0..<frames {
                if let padding, frame >= count {
                    values += [Float](repeating: padding, count: bands)
                    continue
                }
                let place = (first + frame) % count * bands
                values += mel.isEmpty ? [Float](repeating: 0, count: bands) : Array(mel[place..<place + bands])
            }
        }
        return Tensor(values, shape: [utterances.count, frames, bands]).transposed(1, 2).contiguous
    }

    /// Numbers from 0 to below each limit, which depend on the source and the row only.
    static func randomStarts(_ limits: [Int], _ random: RandomSource) -> [Int] {
        let stream = random.stream
        return limits.enumerated().map { row, limit in Int((UInt64(stream[row]) * UInt64(max(1, limit))) >> 32) }
    }
}
