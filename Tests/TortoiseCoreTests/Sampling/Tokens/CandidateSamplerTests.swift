import Foundation
import Testing

@testable import TortoiseCore

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
}
