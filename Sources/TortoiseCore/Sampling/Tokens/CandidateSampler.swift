/// How far the sampling of candidates has come.
public struct SamplingProgress: Sendable, Equatable {
    /// Candidates that are complete, and how many are wanted.
    public let finished, candidates: Int
    /// Codes of the candidates under way, and the most that they may get.
    public let steps, maximumSteps: Int
}

/// One step of a candidate that is listened to while it grows.
public struct StreamedCode {
    /// The code; the stop token comes last.
    public let code: Int32
    public let isStop: Bool
    /// The hidden state that the code was drawn from: the latent that the vocoder wants. Shape: [1, width]
    public let hidden: Tensor
}

/// Makes candidates: several sequences of mel codes for one text, decoded in batches.
///
/// The same seed gives candidate N the same codes whatever the batch size, the other candidates and the threads are.
public struct CandidateSampler {
    /// Larger batches would be multiplied by other kernels, whose sums may differ in the last bits.
    public static let largestBatch = 16

    public let settings: SamplingSettings
    public let markers: CodeMarkers
    private let batchSize: Int
    private let random: RandomSource

    /// - Parameters:
    ///   - batchSize: How many candidates are decoded at once, up to `largestBatch`: a matter of memory and speed only.
    ///   - random: What the draws follow from, together with the candidate's number and the step.
    /// - Throws: `InputError.usage` when a setting makes no sense.
    public init(_ settings: SamplingSettings, _ markers: CodeMarkers, batchSize: Int, random: RandomSource) throws {
        try settings.validate()
        guard batchSize >= 1 else {
            throw InputError.usage("expected a batch size of at least 1, found \(batchSize)", at: "--batch-size")
        }
        self.settings = settings
        self.markers = markers
        self.batchSize = min(batchSize, Self.largestBatch)
        self.random = random
    }

    /// Makes candidates.
    ///
    /// - Parameters:
    ///   - count: How many.
    ///   - decoder: The model, with the text as its prompt.
    ///   - progress: Called before every step; what it throws ends the sampling.
    /// - Returns: The candidates in the order of their numbers; from beams that nothing is drawn for, best first.
    /// - Throws: `InputError`, or what `progress` throws.
    public func sample(
        _ count: Int, from decoder: any TokenDecoder, progress: (SamplingProgress) throws -> Void = { _ in }
    ) throws -> [SampledCodes] {
        guard count >= 1 else {
            throw InputError.usage("expected at least 1 candidate, found \(count)", at: "--candidates")
        }
        if settings.usesBeams { return try beams(count, decoder, progress) }
        var result: [SampledCodes] = []
        for first in stride(from: 0, to: count, by: batchSize) {
            let group = first..<min(first + batchSize, count)
            result += try decode(group, decoder) { finished, steps in
                try progress(
                    SamplingProgress(
                        finished: first + finished, candidates: count, steps: steps, maximumSteps: limit(decoder)))
            }
        }
        return result
    }

    /// Makes candidate 0 alone and hands out each code as soon as it is drawn.
    ///
    /// - Parameter receive: What it throws ends the sampling.
    /// - Throws: `InputError`, or what `receive` throws; with beams, whose codes are known only at the end, `InputError`.
    public func stream(
        from decoder: any TokenDecoder, _ receive: (StreamedCode) throws -> Void
    ) throws -> SampledCodes {
        guard !settings.usesBeams else {
            throw InputError.usage("beams cannot be streamed", at: "--beam-width", try: "leave it out or set it to 1")
        }
        let candidates = try decode(0..<1, decoder, progress: { _, _ in }, receive: receive)
        return candidates[0]
    }

    // MARK: - Decoding

    private func limit(_ decoder: any TokenDecoder) -> Int { min(settings.maximumSteps, decoder.maximumSteps) }

    private func source(_ candidate: Int) -> RandomSource { random["codes"][candidate] }

    /// Decodes one group of candidates together; those that have finished leave the batch.
    private func decode(
        _ group: Range<Int>, _ decoder: any TokenDecoder, progress: (_ finished: Int, _ steps: Int) throws -> Void,
        receive: (StreamedCode) throws -> Void = { _ in }
    ) throws -> [SampledCodes] {
        var choosers = group.map { CodeChooser(settings, markers, source($0)) }
        var live = Array(choosers.indices)
        let limit = limit(decoder)
        try progress(0, 0)
        var output = decoder.start(batch: live.count)
        for step in 1...limit {
            var rows = LogitsRows(output.logits)
            var (survivors, codes) = ([Int](), [Int32]())
            for (row, candidate) in live.enumerated() {
                let code = try choosers[candidate].next(&rows[row])
                try receive(StreamedCode(code: code, isStop: code == markers.stop, hidden: output.hidden(of: row)))
                guard code != markers.stop else { continue }
                survivors.append(row)
                codes.append(code)
            }
            guard !survivors.isEmpty, step < limit else { break }
            try progress(choosers.count - survivors.count, step)
            if survivors.count < live.count {
                decoder.reorder(survivors)
                live = survivors.map { live[$0] }
            }
            output = decoder.step(codes)
        }
        return choosers.map { SampledCodes(chosen: $0.codes, stop: markers.stop) }
    }

    /// Drawn beams are a search per candidate; without draws there is one search, and its hypotheses are the candidates.
    private func beams(
        _ count: Int, _ decoder: any TokenDecoder, _ progress: (SamplingProgress) throws -> Void
    ) throws -> [SampledCodes] {
        guard !settings.isGreedy || count <= settings.beamWidth else {
            throw InputError.usage(
                "\(settings.beamWidth) beams without draws give no more than \(settings.beamWidth) candidates, not \(count)",
                at: "--candidates", try: "raise --beam-width or --ar-temp")
        }
        let searches = settings.isGreedy ? 1 : count
        let limit = limit(decoder)
        return try (0..<searches).flatMap { candidate in
            let search = BeamSearch(settings, markers, source(candidate))
            let found = try search.run(decoder, limit: limit) { steps in
                try progress(
                    SamplingProgress(finished: candidate, candidates: count, steps: steps, maximumSteps: limit))
            }
            return found.prefix(count / searches)
        }
    }
}

extension SampledCodes {
    /// Codes as they were drawn, with the stop token at the end if the model said so.
    init(chosen codes: [Int32], stop: Int32, score: Float? = nil) {
        let isStopped = codes.last == stop
        self.init(codes: isStopped ? codes.dropLast() : codes, isStopped: isStopped, score: score)
    }
}

/// Rows of logits to work on, one per sequence; a decoder may give a single one for all.
struct LogitsRows {
    private var values: [[Float]]

    /// - Parameter logits: [sequences or 1, vocabulary]
    init(_ logits: Tensor) {
        let width = logits.size(-1)
        let flat = logits.values
        values = stride(from: 0, to: flat.count, by: width).map { Array(flat[$0..<$0 + width]) }
    }

    subscript(row: Int) -> [Float] {
        get { values[values.count == 1 ? 0 : row] }
        set { if values.count > 1 { values[row] = newValue } }
    }
}
