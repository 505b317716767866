/// Chooses one candidate's codes, one after the other.
///
/// What it draws follows from the seed, the candidate and the step alone, whatever is decoded alongside.
struct CodeChooser {
    private let pipeline: LogitsPipeline
    private let isGreedy: Bool
    private var mirostat: MirostatState?
    private let random: RandomSource
    /// The codes so far, without the start token.
    private(set) var codes: [Int32] = []

    init(_ settings: SamplingSettings, _ markers: CodeMarkers, _ random: RandomSource) {
        pipeline = LogitsPipeline(settings, markers)
        isGreedy = settings.isGreedy
        mirostat = settings.mirostat.map(MirostatState.init)
        self.random = random
    }

    /// The next code; it joins `codes`.
    ///
    /// - Parameter logits: Consumed: what is left in them is the processed row.
    /// - Throws: `InputError.model` when the logits are not numbers.
    mutating func next(_ logits: inout [Float]) throws -> Int32 {
        var row = logits.mutableSpan
        pipeline.apply(to: &row, after: codes)
        guard let index = choose(row) else {
            throw InputError.model(
                "the logits of step \(codes.count) are not finite numbers",
                try: "check the weights, and try float32 if they are kept in another precision")
        }
        codes.append(Int32(index))
        return Int32(index)
    }

    private mutating func choose(_ row: borrowing MutableSpan<Float>) -> Int? {
        if isGreedy { return row.indexOfMaximum }
        let share = random[codes.count].stream.uniform()
        let probabilities = row.probabilities
        return mirostat?.draw(probabilities, at: share) ?? drawIndex(probabilities, at: share)
    }
}
