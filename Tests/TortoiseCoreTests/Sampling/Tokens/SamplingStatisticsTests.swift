import Foundation
import Testing

@testable import TortoiseCore

/// Whether draws have the probabilities that they should have: χ² below its 99.9 % point, with fixed seeds.
@Suite struct SamplingStatisticsTests {
    /// Codes drawn by 20,000 candidates against the probabilities that the pipeline leaves: χ² stays below its 99.9 % point.
    @Test func drawsFollowTheProbabilities() throws {
        let logits = RandomSource(seed: 9)["logits"].stream.normals(24).map { $0 * 1.5 }
        let variants: [(inout SamplingSettings) -> Void] = [
            {
                $0.topP = 1; $0.topK = 0; $0.temperature = 1
            },
            { $0.topK = 12 },
            {
                $0.topP = 1; $0.minP = 0.1; $0.typicalMass = 0.8; $0.temperature = 1.3
            },
        ]
        for (number, variant) in variants.enumerated() {
            let change = { (settings: inout SamplingSettings) in
                variant(&settings)
                settings.maximumSteps = 1
            }
            let sampler = try makeSampler(batch: 16, seed: UInt64(number), change)
            var row = logits
            var span = row.mutableSpan
            LogitsPipeline(sampler.settings, SmallDecoder.markers).apply(to: &span, after: [])
            let probabilities = span.probabilities
            let draws = 20_000
            var counts = [Int](repeating: 0, count: 24)
            for candidate in try sampler.sample(draws, from: ConstantDecoder(logits)) {
                counts[Int(candidate.codes.first ?? SmallDecoder.markers.stop)] += 1
            }
            let chi = chiSquare(counts, probabilities.map { $0 * Double(draws) })
            #expect(chi.value < chi.limit, "χ² \(chi.value), limit \(chi.limit)")
        }
    }

    /// Later steps of one candidate are as independent as candidates are.
    @Test func stepsOfACandidateFollowTheProbabilities() throws {
        let logits = RandomSource(seed: 10)["logits"].stream.normals(20).map { $0 * 0.7 }
        let sampler = try makeSampler {
            $0 = SamplingSettings()
            ($0.topP, $0.topK, $0.repetitionPenalty, $0.temperature) = (1, 0, 1, 1)
            $0.maximumSteps = 20_000
        }
        let codes = try sampler.sample(1, from: ConstantDecoder(logits))[0].codes
        var row = logits
        let probabilities = row.mutableSpan.probabilities
        var (counts, pairs) = ([Int](repeating: 0, count: 20), [Int](repeating: 0, count: 400))
        for code in codes { counts[Int(code)] += 1 }
        for (a, b) in zip(codes, codes.dropFirst()) { pairs[Int(a) * 20 + Int(b)] += 1 }
        let single = chiSquare(counts, probabilities.map { $0 * 20_000 })
        #expect(single.value < single.limit)
        let joint = chiSquare(pairs, (0..<400).map { probabilities[$0 / 20] * probabilities[$0 % 20] * 19_999 })
        #expect(joint.value < joint.limit)
    }

    /// What beams draw: pairs without replacement in the probabilities that successive draws have.
    @Test func drawsWithoutReplacementFollowTheProbabilities() {
        let weights = [0.4, 0, 0.3, 0.2, 0.1]
        var (counts, expected) = ([Int](repeating: 0, count: 25), [Double](repeating: 0, count: 25))
        for draw in 0..<20_000 {
            let found = drawIndices(weights, count: 2, RandomSource(seed: 2)[draw].stream)
            counts[found[0] * 5 + found[1]] += 1
        }
        for a in 0..<5 {
            for b in 0..<5 where a != b { expected[a * 5 + b] = 20_000 * weights[a] * weights[b] / (1 - weights[a]) }
        }
        let chi = chiSquare(counts, expected)
        #expect(chi.value < chi.limit)
        #expect(drawIndices(weights, count: 9, RandomSource(seed: 2).stream).sorted() == [0, 2, 3, 4])
        #expect(drawIndices([0, 0], count: 1, RandomSource(seed: 2).stream).isEmpty)
    }

    @Test func drawsAtTheEndsNeverTakeWhatIsImpossible() {
        #expect(drawIndex([0, 1, 0, 1, 0], at: 0) == 1)
        #expect(drawIndex([0, 1, 0, 1, 0], at: 1 - 0x1p-53) == 3)
        #expect(drawIndex([0.1, 0.2, 0.7, 0], at: 1) == 2)
        #expect(drawIndex([0, 0], at: 0.5) == nil && drawIndex([.nan], at: 0.5) == nil)
        #expect(drawIndex([], at: 0) == nil)
    }

    /// Whole sequences of three codes as often as `transformers` draws them from the same weights, with and without beams.
    @Test func sequencesAreAsFrequentAsThoseOfTransformers() throws {
        for golden in try GoldenFile("Sampling/distributions.safetensors").cases() {
            let sampler = try makeSampler(batch: 16, seed: 4) {
                $0.temperature = (try? golden.float("temperature")) ?? .nan
                $0.topK = (try? golden.int("top_k")) ?? -1
                $0.topP = (try? golden.float("top_p")) ?? .nan
                $0.minP = (try? golden.float("min_p")) ?? 0
                $0.repetitionPenalty = (try? golden.float("repetition_penalty")) ?? .nan
                $0.beamWidth = (try? golden.int("num_beams")) ?? 1
                $0.lengthPenalty = (try? golden.float("length_penalty")) ?? 1
                $0.maximumSteps = 3
            }
            let (sequences, expected) = (golden.inputs[1].indexValues, golden.output.indexValues)
            let draws = 3_000
            var counts: [[Int32]: Int] = [:]
            let decoder = try SmallDecoder.load(prompt: golden.inputs[0].indexValues, "distributions")
            for candidate in try sampler.sample(draws, from: decoder) {
                let padding = repeatElement(SmallDecoder.markers.stop, count: 3 - candidate.codes.count)
                counts[candidate.codes + padding, default: 0] += 1
            }
            var found: [Int] = []
            for index in expected.indices {
                found.append(counts.removeValue(forKey: Array(sequences[(3 * index)..<(3 * index + 3)])) ?? 0)
            }
            let chi = chiSquare(found, expected.map(Int.init))
            #expect(chi.value < chi.limit, "\(golden.name): χ² \(chi.value), limit \(chi.limit)")
            // What `transformers` never drew is as rare as what it drew once (Good and Turing's estimate).
            let total = expected.reduce(0, +)
            let singles = Double(draws) * Double(expected.count { $0 == 1 }) / Double(total)
            let unseen = counts.values.reduce(0, +)
            #expect(
                Double(unseen) <= singles + 4 * singles.squareRoot() + 1,
                "\(golden.name): \(unseen) of \(draws) sequences are new, and some \(singles) were expected")
        }
    }

    /// χ² of two samples' counts by class, and its 99.9 % point.
    private func chiSquare(_ counts: [Int], _ others: [Int]) -> (value: Double, limit: Double) {
        let (total, otherTotal) = (Double(counts.reduce(0, +)), Double(others.reduce(0, +)))
        let (scale, otherScale) = ((otherTotal / total).squareRoot(), (total / otherTotal).squareRoot())
        var (value, freedom, rest) = (0.0, -1.0, (0, 0))
        func add(_ a: Int, _ b: Int) {
            let difference = Double(a) * scale - Double(b) * otherScale
            value += difference * difference / Double(a + b)
            freedom += 1
        }
        for (a, b) in zip(counts, others) {
            if a + b >= 20 { add(a, b) } else { rest = (rest.0 + a, rest.1 + b) }
        }
        if rest.0 + rest.1 >= 20 { add(rest.0, rest.1) }
        return (value, chiSquareLimit(freedom))
    }

    /// The 99.9 % point of χ² (Wilson and Hilferty's approximation).
    private func chiSquareLimit(_ freedom: Double) -> Double {
        let spread = 2 / (9 * freedom)
        return freedom * pow(1 - spread + 3.09 * spread.squareRoot(), 3)
    }

    /// χ² of counts, and the 99.9 % point for its degrees of freedom.
    private func chiSquare(_ counts: [Int], _ expected: [Double]) -> (value: Double, limit: Double) {
        var (value, freedom, rest) = (0.0, -1.0, (count: 0.0, expected: 0.0))
        for (count, wanted) in zip(counts, expected) {
            if wanted == 0 { #expect(count == 0) }
            // Rare ones are counted together.
            guard wanted >= 5 else {
                rest = (rest.count + Double(count), rest.expected + wanted)
                continue
            }
            value += (Double(count) - wanted) * (Double(count) - wanted) / wanted
            freedom += 1
        }
        if rest.expected >= 5 {
            value += (rest.count - rest.expected) * (rest.count - rest.expected) / rest.expected
            freedom += 1
        }
        return (value, chiSquareLimit(freedom))
    }
}
