import Foundation

/// Follows the most likely sequences side by side, as `transformers` 5 does with `num_beams` and early_stopping=False.
///
/// Without draws it keeps the best continuations of all beams; with them (beam-sample) it draws as many from all beams'
/// distribution, without replacement, before the best are kept.
struct BeamSearch {
    private let settings: SamplingSettings
    private let pipeline: LogitsPipeline
    private let stop: Int32
    private let random: RandomSource

    private var width: Int { settings.beamWidth }
    /// Below any log-probability: for beams that must not be chosen while others can.
    private static let unlikely: Float = -1e9

    private struct Beam {
        /// Without the start token.
        var codes: [Int32]
        /// The log-probability of the codes, as far as the penalties left it alone.
        var score: Float
        /// The beam of the step before that this one continues.
        var parent = 0
    }

    init(_ settings: SamplingSettings, _ markers: CodeMarkers, _ random: RandomSource) {
        self.settings = settings
        pipeline = LogitsPipeline(settings, markers)
        stop = markers.stop
        self.random = random
    }

    /// Searches.
    ///
    /// - Parameter progress: Called before every step with the number of codes; what it throws ends the search.
    /// - Returns: Up to as many sequences as beams, best first.
    func run(
        _ decoder: any TokenDecoder, limit: Int, progress: (Int) throws -> Void
    ) throws -> [SampledCodes] {
        // All beams start alike, so only the first may be continued at first.
        var beams = (0..<width).map { Beam(codes: [], score: $0 == 0 ? 0 : Self.unlikely) }
        var finished: [SampledCodes] = []
        try progress(0)
        var output = decoder.start(batch: width)
        for step in 1...limit {
            let found = try continuations(of: beams, LogitsRows(output.logits))
            let lengthFactor = pow(Float(step), settings.lengthPenalty)
            for beam in found.prefix(width) where beam.codes.last == stop || step == limit {
                finished.append(SampledCodes(chosen: beam.codes, stop: stop, score: beam.score / lengthFactor))
            }
            finished = best(finished)
            beams = Array(found.lazy.filter { $0.codes.last != stop }.prefix(width))
            guard step < limit, canImprove(beams, on: finished, lengthFactor) else { break }
            try progress(step)
            decoder.reorder(beams.map(\.parent))
            output = decoder.step(beams.compactMap(\.codes.last))
        }
        return finished
    }

    /// The best finished sequences; those found earlier come before equal ones.
    private func best(_ finished: [SampledCodes]) -> [SampledCodes] {
        let order = finished.indices.sorted {
            let (a, b) = (finished[$0].score ?? 0, finished[$1].score ?? 0)
            return a == b ? $0 < $1 : a > b
        }
        return order.prefix(width).map { finished[$0] }
    }

    /// Whether a running beam, if it ended now, would still be among the best.
    private func canImprove(_ beams: [Beam], on finished: [SampledCodes], _ lengthFactor: Float) -> Bool {
        guard finished.count == width, let worst = finished.last?.score, let running = beams.first else { return true }
        return running.score / lengthFactor > worst
    }

    /// Twice as many continuations as beams, best first, so that enough are left when some are over.
    private func continuations(of beams: [Beam], _ rows: LogitsRows) throws -> [Beam] {
        var scores: [Float] = []
        for (index, beam) in beams.enumerated() {
            var row = rows[index]
            var logits = row.mutableSpan
            logits.normalize()
            pipeline.apply(to: &logits, after: beam.codes)
            for i in 0..<logits.count { scores.append(logits[i] + beam.score) }
        }
        let vocabulary = scores.count / beams.count
        let chosen = try choose(2 * width, from: scores, step: beams[0].codes.count)
        return chosen.map { index in
            let parent = index / vocabulary
            return Beam(codes: beams[parent].codes + [Int32(index % vocabulary)], score: scores[index], parent: parent)
        }
    }

    /// Positions of the best scores, or of drawn ones, in falling order of score.
    private func choose(_ count: Int, from scores: [Float], step: Int) throws -> [Int] {
        let usable = scores.indices.filter { scores[$0] > -.infinity }
        guard usable.count >= count, let top = usable.map({ scores[$0] }).max(), top.isFinite else {
            throw InputError.model(
                "the logits of step \(step) leave \(usable.count) continuations, and \(width) beams need \(count)",
                try: "check the weights, and try fewer beams")
        }
        func inOrder(_ indices: [Int]) -> [Int] {
            indices.sorted { scores[$0] == scores[$1] ? $0 < $1 : scores[$0] > scores[$1] }
        }
        var drawn: Set<Int> = []
        if !settings.isGreedy {
            let weights = usable.map { exp(Double(scores[$0]) - Double(top)) }
            drawn = Set(drawIndices(weights, count: count, random[step].stream).map { usable[$0] })
        }
        guard drawn.count < count else { return inOrder(Array(drawn)) }
        // Beams that could not be told apart yet have no weight; the best of them fill up what was not drawn.
        let rest = drawn.isEmpty ? usable : usable.filter { !drawn.contains($0) }
        var values = rest.map { scores[$0] }
        let limit = values.largest(count - drawn.count)
        let filling = inOrder(rest.filter { scores[$0] >= limit }).prefix(count - drawn.count)
        return inOrder(Array(drawn) + filling)
    }
}
