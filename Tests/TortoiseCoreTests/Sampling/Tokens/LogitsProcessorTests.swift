import Foundation
import Testing

@testable import TortoiseCore

/// Every processor against `transformers`' or against its definition in NumPy, on random rows.
@Suite struct LogitsProcessorTests {
    private let file: GoldenFile

    init() throws { file = try GoldenFile("Sampling/processors.safetensors") }

    /// The start token is no code: what follows the autoregressive model does not know it.
    @Test(arguments: [Float(0), 1]) func theStartTokenIsNeverDrawn(temperature: Float) {
        var settings = SamplingSettings()
        (settings.temperature, settings.topK, settings.topP) = (temperature, 0, 1)
        var logits: [Float] = [0, 1, 9, 2]
        var span = logits.mutableSpan
        LogitsPipeline(settings, CodeMarkers(start: 2, stop: 3, calm: 0, tail: [])).apply(to: &span, after: [])
        #expect(logits[2] == -.infinity && logits[1].isFinite)
    }

    /// Applies something to every row of a case, and compares; what is left out must be the same.
    private func check(_ prefix: String, _ apply: (GoldenCase, inout MutableSpan<Float>, [Int32]) throws -> Void) throws
    {
        for golden in try file.cases(prefix) {
            let rows = LogitsRows(golden.inputs[0])
            let codes = golden.inputs.count > 1 ? golden.inputs[1].indexValues : []
            let (count, width) = (golden.output.size(0), golden.output.size(1))
            var result: [Float] = []
            for index in 0..<count {
                var row = rows[index]
                var span = row.mutableSpan
                try apply(
                    golden, &span, Array(codes[(codes.count / count * index)..<(codes.count / count * (index + 1))]))
                result += row
            }
            let difference = TensorDifference(Tensor(result, shape: [count, width]), from: golden.output)
            #expect(difference.error < 2e-6, "\(golden.name): \(difference)")
        }
    }

    @Test func temperature() throws {
        try check("temperature") { golden, row, _ in Temperature(value: try golden.float("value")).apply(to: &row) }
    }

    @Test func topK() throws {
        try check("topK") { golden, row, _ in
            TopK(count: try golden.int("value"), minimumKept: try golden.int("least")).apply(to: &row)
        }
    }

    @Test func topP() throws {
        try check("topP") { golden, row, _ in
            TopP(mass: try golden.float("value"), minimumKept: try golden.int("least")).apply(to: &row)
        }
    }

    @Test func minP() throws {
        try check("minP") { golden, row, _ in
            MinP(share: try golden.float("value"), minimumKept: try golden.int("least")).apply(to: &row)
        }
    }

    @Test func typical() throws {
        try check("typical") { golden, row, _ in
            Typical(mass: try golden.float("value"), minimumKept: try golden.int("least")).apply(to: &row)
        }
    }

    @Test func repetitionPenalty() throws {
        try check("repetition") { golden, row, codes in
            RepetitionPenalty(penalty: try golden.float("value"), decay: 0).apply(to: &row, after: codes)
        }
    }

    @Test func repetitionPenaltyThatDecays() throws {
        try check("decay") { golden, row, codes in
            RepetitionPenalty(penalty: try golden.float("value"), decay: try golden.float("decay"))
                .apply(to: &row, after: codes)
        }
    }

    @Test func dynamicTemperature() throws {
        try check("dynamic") { golden, row, _ in
            DynamicTemperature(
                minimum: try golden.float("low"), maximum: try golden.float("high"),
                exponent: try golden.float("exponent")
            ).apply(to: &row)
        }
    }

    @Test func dry() throws {
        try check("dry") { golden, row, codes in
            let settings = RepeatedRunPenalty(
                multiplier: try golden.float("multiplier"), base: try golden.float("base"),
                allowedLength: try golden.int("allowed"))
            RepeatedRunProcessor(settings: settings, breaker: Int32(try golden.int("breaker"))).apply(
                to: &row, after: codes)
        }
    }

    @Test func dryLooksNoFurtherThanItsRange() {
        let codes: [Int32] = [1, 2, 3, 9, 9, 9, 1, 2]
        func penalized(_ range: Int) -> Bool {
            var row = [Float](repeating: 0, count: 10)
            var span = row.mutableSpan
            RepeatedRunProcessor(settings: RepeatedRunPenalty(range: range), breaker: 0).apply(to: &span, after: codes)
            return row[3] < 0
        }
        #expect(penalized(0) && penalized(8) && !penalized(6))
    }

    /// However long a run is, its penalty is a number.
    @Test func dryNeverOverflows() {
        var row = [Float](repeating: 0, count: 4)
        var span = row.mutableSpan
        RepeatedRunProcessor(settings: RepeatedRunPenalty(base: 10), breaker: 0)
            .apply(to: &span, after: [Int32](repeating: 3, count: 500))
        #expect(row == [0, 0, 0, -1e9])
    }

    @Test func stopPenalty() throws {
        try check("stop") { golden, row, codes in
            StopPenalty(power: try golden.float("value"), stop: Int32(try golden.int("stop"))).apply(
                to: &row, after: codes)
        }
    }

    /// The whole order against `generate`'s own list of processors, over a stream that begins with the original's dummies.
    @Test func pipelineInTheOriginalsOrder() throws {
        try check("pipeline") { golden, row, codes in
            var settings = SamplingSettings()
            settings.temperature = try golden.float("temperature")
            settings.topK = try golden.int("top_k")
            settings.topP = try golden.float("top_p")
            settings.repetitionPenalty = try golden.float("repetition_penalty")
            if golden.has("min_p") { settings.minP = try golden.float("min_p") }
            if golden.has("typical") { settings.typicalMass = try golden.float("typical") }
            if golden.has("num_beams") { settings.beamWidth = try golden.int("num_beams") }
            let markers = CodeMarkers(start: Int32(try golden.int("start")), stop: 59)
            LogitsPipeline(settings, markers).apply(to: &row, after: codes)
        }
    }

    @Test func selectionFindsEveryRank() {
        for count in [1, 2, 3, 10, 57] {
            let values = RandomSource(seed: 3)[count].stream.uniforms(count).map { ($0 * 10).rounded() }
            for rank in 1...count {
                var copy = values
                #expect(copy.largest(rank) == values.sorted(by: >)[rank - 1])
            }
        }
    }

    // MARK: - Mirostat

    @Test func mirostatFollowsItsDefinition() throws {
        for golden in try GoldenFile("Sampling/mirostat.safetensors").cases() {
            let version = try #require(Mirostat.Version(rawValue: try golden.int("version")))
            var state = MirostatState(Mirostat(version, tau: try golden.float("tau"), eta: try golden.float("eta")))
            let (shares, expected) = (golden.inputs[1].values, golden.inputs[2].indexValues)
            var limits: [Float] = []
            for (step, share) in shares.enumerated() {
                var row = golden.inputs[0].select(0, step).values
                let code = state.draw(row.mutableSpan.probabilities, at: Double(share))
                #expect(code == Int(expected[step]), "\(golden.name), step \(step)")
                limits.append(Float(state.limit))
            }
            let difference = TensorDifference(Tensor(limits), from: golden.output)
            #expect(difference.error < 1e-5, "\(golden.name): \(difference)")
        }
    }

    /// Over many steps the mean surprise comes to the target.
    @Test(arguments: Mirostat.Version.allCases)
    func mirostatHoldsItsTarget(version: Mirostat.Version) {
        let target = 5.0
        var state = MirostatState(Mirostat(version, tau: Float(target), eta: 0.1))
        var row = RandomSource(seed: 5)["row"].stream.normals(400).map { $0 * 1.5 }
        let probabilities = row.mutableSpan.probabilities
        let stream = RandomSource(seed: 5)["shares"].stream
        var (before, errors) = (state.limit, 0.0)
        for step in 0..<4_000 {
            _ = state.draw(probabilities, at: stream.uniform(UInt64(step)))
            // The limit moves by eta × (target − surprise).
            if step >= 1_000 { errors += (state.limit - before) / 0.1 }
            before = state.limit
        }
        #expect(abs(errors / 3_000) < 0.05, "mean error \(errors / 3_000) bits")
    }

    @Test func mirostatSurvivesExtremes() {
        for version in Mirostat.Version.allCases {
            for probabilities in [[1.0, 0, 0], [Double](repeating: 0.25, count: 4), [0.5, 0.5], [1]] {
                var state = MirostatState(Mirostat(version, tau: 0, eta: 1))
                for step in 0..<50 {
                    let code = state.draw(probabilities, at: Double(step) / 50)
                    #expect(code.map { probabilities[$0] > 0 } == true)
                }
            }
            var state = MirostatState(Mirostat(version))
            #expect(state.draw([.nan, .nan], at: 0.5) == nil)
        }
    }
}
