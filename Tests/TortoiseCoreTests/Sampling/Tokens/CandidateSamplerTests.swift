import Foundation
import Testing

@testable import TortoiseCore

private func makeSampler(
    batch: Int = 4, seed: UInt64 = 1, _ change: (inout SamplingSettings) -> Void = { _ in }
) throws -> CandidateSampler {
    var settings = SamplingSettings()
    change(&settings)
    return try CandidateSampler(settings, SmallDecoder.markers, batchSize: batch, random: RandomSource(seed: seed))
}

/// Candidates against `transformers` generate on the same weights, and what must not change them.
@Suite struct CandidateSamplerTests {
    private let file: GoldenFile

    init() throws { file = try GoldenFile("Sampling/generate.safetensors") }

    /// A row of a golden as a candidate: the codes before the first stop token.
    private func candidate(_ row: ArraySlice<Int32>) -> SampledCodes {
        let codes = row.prefix { $0 != SmallDecoder.markers.stop }
        return SampledCodes(codes: Array(codes), isStopped: codes.count < row.count)
    }

    // MARK: - Equal to transformers

    @Test func greedyCodesAreThoseOfTransformers() throws {
        for golden in try file.cases("greedy") {
            let sampler = try makeSampler {
                $0.temperature = 0
                $0.repetitionPenalty = (try? golden.float("penalty")) ?? .nan
                $0.maximumSteps = (try? golden.int("steps")) ?? 0
            }
            let found = try sampler.sample(1, from: SmallDecoder.load(prompt: golden.inputs[0].indexValues))
            #expect(found == [candidate(golden.output.indexValues[...])], "\(golden.name)")
        }
    }

    @Test func beamsAreThoseOfTransformers() throws {
        var stopped = 0
        for golden in try file.cases("beams") {
            let width = try golden.int("beams")
            let sampler = try makeSampler {
                $0.temperature = 0
                $0.beamWidth = width
                $0.repetitionPenalty = (try? golden.float("penalty")) ?? .nan
                $0.lengthPenalty = (try? golden.float("lengthPenalty")) ?? .nan
                $0.maximumSteps = (try? golden.int("steps")) ?? 0
            }
            let found = try sampler.sample(width, from: SmallDecoder.load(prompt: golden.inputs[0].indexValues))
            let expected = golden.output.indexValues
            let steps = expected.count / width
            let scores = try file.tensor("\(golden.name)/scores").values
            #expect(found.count == width)
            for (index, sequence) in found.enumerated() {
                let wanted = candidate(expected[(index * steps)..<((index + 1) * steps)])
                #expect(sequence.codes == wanted.codes, "\(golden.name), hypothesis \(index)")
                #expect(abs((sequence.score ?? 0) - scores[index]) < 1e-4 * max(1, abs(scores[index])))
                stopped += sequence.isStopped ? 1 : 0
            }
        }
        #expect(stopped > 20)
    }

    // MARK: - What must not matter

    @Test func codesDoNotDependOnTheBatchOrTheThreads() throws {
        func sample(
            _ batch: Int, _ threads: Int, count: Int = 16, _ change: (inout SamplingSettings) -> Void
        ) throws -> [SampledCodes] {
            try Execution.with(threads: threads) {
                try makeSampler(batch: batch, change).sample(count, from: SmallDecoder.load())
            }
        }
        let variants: [(inout SamplingSettings) -> Void] = [
            { $0.temperature = 1.2 }, { $0.mirostat = Mirostat(tau: 2) }, { $0.dry = RepeatedRunPenalty() },
            { $0.dynamicTemperature = DynamicTemperature(minimum: 0.5, maximum: 1.5) },
        ]
        for variant in variants {
            let short = { (settings: inout SamplingSettings) in
                variant(&settings)
                settings.maximumSteps = 30
            }
            let alone = try sample(1, 1, short)
            #expect(Set(alone.map(\.codes)).count > 8)
            for (batch, threads) in [(4, 1), (16, 1), (16, 2), (5, 3), (1, 2)] {
                #expect(try sample(batch, threads, short) == alone, "batch \(batch), \(threads) threads")
            }
            // Candidate 2 is the same among three as among sixteen.
            #expect(try sample(2, 1, count: 3, short) == Array(alone[..<3]))
        }
    }

    @Test func drawnBeamsDoNotDependOnThreads() throws {
        let change = { (settings: inout SamplingSettings) in
            settings.beamWidth = 3
            settings.temperature = 1.2
            settings.maximumSteps = 20
        }
        let alone = try Execution.with(threads: 1) { try makeSampler(change).sample(6, from: SmallDecoder.load()) }
        let shared = try Execution.with(threads: 3) { try makeSampler(change).sample(6, from: SmallDecoder.load()) }
        #expect(alone == shared && alone.count == 6)
        #expect(Set(alone.map(\.codes)).count > 2)
    }

    @Test func seedsDiffer() throws {
        let first = try makeSampler(seed: 0).sample(4, from: SmallDecoder.load())
        #expect(try makeSampler(seed: 0).sample(4, from: SmallDecoder.load()) == first)
        #expect(try makeSampler(seed: 1).sample(4, from: SmallDecoder.load()) != first)
    }

    // MARK: - Costs

    /// Candidates that have finished are no longer computed.
    @Test func finishedCandidatesLeaveTheBatch() throws {
        let decoder = try SmallDecoder.load()
        let found = try makeSampler(batch: 16) {
            $0.temperature = 1.5
            $0.maximumSteps = 40
        }.sample(16, from: decoder)
        #expect(decoder.prompts == 1)
        // A code is computed on from if another one follows: the last one of an unfinished candidate is not.
        #expect(decoder.rows == found.reduce(0) { $0 + $1.codes.count - ($1.isStopped ? 0 : 1) })
        #expect(Set(found.map(\.codes.count)).count > 3)
    }

    @Test func stepsAreLimitedByTheSettingsAndTheDecoder() throws {
        for (asked, given) in [(1, 1), (7, 7), (1_000, 48)] {
            let decoder = try SmallDecoder.load()
            let found = try makeSampler {
                $0.maximumSteps = asked
                $0.temperature = 0
                $0.repetitionPenalty = 1
            }.sample(1, from: decoder)
            #expect(found[0].codes.count <= given && decoder.steps < given)
            #expect(found[0].isStopped || found[0].codes.count == given)
        }
    }

    // MARK: - Listening and cancelling

    @Test func progressIsReportedBeforeEveryStepAndCanCancel() throws {
        struct Cancelled: Error {}
        var reports: [SamplingProgress] = []
        let sampler = try makeSampler(batch: 2) { $0.maximumSteps = 10 }
        let found = try sampler.sample(5, from: SmallDecoder.load()) { reports.append($0) }
        #expect(reports.allSatisfy { $0.candidates == 5 && $0.maximumSteps == 10 && $0.steps < 10 && $0.finished < 5 })
        #expect(reports.filter { $0.steps == 0 }.map(\.finished) == [0, 2, 4])
        #expect(found.count == 5)
        for width in [1, 3] {
            let decoder = try SmallDecoder.load()
            let sampler = try makeSampler(batch: 2) { $0.beamWidth = width }
            #expect(throws: Cancelled.self) {
                _ = try sampler.sample(5, from: decoder) { if $0.steps == 3 { throw Cancelled() } }
            }
            #expect(decoder.steps == 2)
        }
    }

    @Test func streamingGivesEachCodeWithTheStateItCameFrom() throws {
        let sampler = try makeSampler { $0.temperature = 1.2 }
        var received: [StreamedCode] = []
        let streamed = try sampler.stream(from: SmallDecoder.load()) { received.append($0) }
        let wanted = try sampler.sample(3, from: SmallDecoder.load())[0]
        #expect(streamed == wanted)
        #expect(received.map(\.code) == wanted.codes + (wanted.isStopped ? [SmallDecoder.markers.stop] : []))
        #expect(received.last?.isStop == wanted.isStopped)
        // The states again, by decoding the codes by hand.
        let decoder = try SmallDecoder.load()
        var output = decoder.start(batch: 1)
        for item in received {
            #expect(item.hidden.shape == [1, 16] && haveSameBits(item.hidden, output.hidden))
            if !item.isStop { output = decoder.step([item.code]) }
        }
        #expect(throws: InputError.self) {
            _ = try makeSampler { $0.beamWidth = 2 }.stream(from: SmallDecoder.load()) { _ in }
        }
    }

    // MARK: - What cannot be done

    @Test func impossibleRequestsAreRefused() throws {
        func refusal(_ body: () throws -> Void) -> InputError? {
            do { try body() } catch { return error as? InputError }
            return nil
        }
        #expect(refusal { _ = try makeSampler().sample(0, from: SmallDecoder.load()) }?.place == "--candidates")
        #expect(refusal { _ = try makeSampler(batch: 0) }?.place == "--batch-size")
        #expect(refusal { _ = try makeSampler { $0.topP = 2 } }?.place == "--top-p")
        let many = refusal {
            _ = try makeSampler {
                $0.beamWidth = 2
                $0.temperature = 0
            }.sample(3, from: SmallDecoder.load())
        }
        #expect(many?.place == "--candidates")
    }

    @Test(arguments: [0, 1.0], [1, 3])
    func brokenWeightsAreAnErrorAndNotACrash(temperature: Float, beams: Int) throws {
        let sampler = try makeSampler {
            $0.temperature = temperature
            $0.beamWidth = beams
        }
        for value in [Float.nan, .infinity, -.infinity] {
            #expect(throws: InputError.self) {
                _ = try sampler.sample(2, from: ConstantDecoder([value, value, value]))
            }
        }
    }

    // MARK: - Statistics

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

    /// χ² of counts, and the 99.9 % point for its degrees of freedom (Wilson and Hilferty's approximation).
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
        let spread = 2 / (9 * freedom)
        return (value, freedom * pow(1 - spread + 3.09 * spread.squareRoot(), 3))
    }
}

/// A decoder that always expects the same.
private final class ConstantDecoder: TokenDecoder {
    private let logits: [Float]
    private var batch = 0
    let maximumSteps = 1_000_000

    init(_ logits: [Float]) { self.logits = logits }

    func start(batch: Int) -> DecoderOutput {
        self.batch = batch
        return DecoderOutput(logits: Tensor(logits, shape: [1, logits.count]), hidden: Tensor.zeros([1, 1]))
    }

    func step(_ tokens: [Int32]) -> DecoderOutput {
        precondition(tokens.count == batch, "a token for each of \(batch) sequences")
        return DecoderOutput(
            logits: Tensor(Array(repeatElement(logits, count: batch).joined()), shape: [batch, logits.count]),
            hidden: Tensor.zeros([batch, 1]))
    }

    func reorder(_ parents: [Int]) { batch = parents.count }
}
