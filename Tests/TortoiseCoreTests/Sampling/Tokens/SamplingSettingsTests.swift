import Testing

@testable import TortoiseCore

@Suite struct SamplingSettingsTests {
    @Test func defaultsAreTheOriginals() throws {
        let settings = SamplingSettings()
        #expect(settings.temperature == 0.8 && settings.topP == 0.8 && settings.topK == 50)
        #expect(settings.repetitionPenalty == 2 && settings.lengthPenalty == 1 && settings.maximumSteps == 500)
        #expect(!settings.isGreedy && !settings.usesBeams && settings.typicalMass == nil)
        try settings.validate()
    }

    @Test func presetsAreTheOriginals() throws {
        let table: [(String, Int, Int, Bool)] = [
            ("ultra_fast", 16, 30, false), ("fast", 96, 80, true), ("standard", 256, 200, true),
            ("high_quality", 256, 400, true),
        ]
        #expect(SpeechPreset.allCases.map(\.rawValue) == table.map(\.0))
        for (name, candidates, steps, isFree) in table {
            let preset = try SpeechPreset(named: name)
            #expect(preset.candidates == candidates && preset.diffusionSteps == steps)
            #expect(preset.isConditioningFree == isFree && preset.guidance == 2)
            #expect(preset.sampling == SamplingSettings())
        }
        #expect(throws: InputError.self) { _ = try SpeechPreset(named: "slow") }
    }

    private static let faults: [(String, @Sendable (inout SamplingSettings) -> Void)] = [
        ("--ar-temp", { $0.temperature = -0.1 }), ("--ar-temp", { $0.temperature = .nan }),
        ("--ar-guidance", { $0.guidance = -1 }), ("--ar-guidance", { $0.guidance = .nan }),
        ("--ar-temp", { $0.temperature = .infinity }), ("--top-k", { $0.topK = -1 }), ("--top-p", { $0.topP = 1.01 }),
        ("--top-p", { $0.topP = .nan }), ("--min-p", { $0.minP = -1 }), ("--typical-mass", { $0.typicalMass = 0 }),
        ("--typical-mass", { $0.typicalMass = 1 }), ("--repetition-penalty", { $0.repetitionPenalty = 0 }),
        ("--repetition-penalty", { $0.repetitionPenalty = -2 }),
        ("--repetition-penalty-decay", { $0.repetitionDecay = 3 }),
        ("--stop-penalty", { $0.stopPenalty = .nan }), ("--length-penalty", { $0.lengthPenalty = 99 }),
        ("--beam-width", { $0.beamWidth = 33 }), ("--beam-width", { $0.beamWidth = -1 }),
        ("--max-ar-steps", { $0.maximumSteps = 0 }),
        ("--min-ar-temp", { $0.dynamicTemperature = DynamicTemperature(minimum: 0, maximum: 1) }),
        ("--max-ar-temp", { $0.dynamicTemperature = DynamicTemperature(minimum: 1, maximum: 0.5) }),
        ("--max-ar-temp", { $0.dynamicTemperature = DynamicTemperature(minimum: 1, maximum: .nan) }),
        ("--ar-temp-exponent", { $0.dynamicTemperature = DynamicTemperature(minimum: 1, maximum: 2, exponent: 0) }),
        ("--mirostat-tau", { $0.mirostat = Mirostat(tau: -1) }), ("--mirostat-eta", { $0.mirostat = Mirostat(eta: 2) }),
        ("--mirostat", { ($0.mirostat, $0.beamWidth) = (Mirostat(), 2) }),
        ("--mirostat", { ($0.mirostat, $0.temperature) = (Mirostat(), 0) }),
        ("--dry-multiplier", { $0.dry = RepeatedRunPenalty(multiplier: -1) }),
        ("--dry-base", { $0.dry = RepeatedRunPenalty(base: 0.5) }),
        ("--dry-allowed-length", { $0.dry = RepeatedRunPenalty(allowedLength: 0) }),
        ("--dry-range", { $0.dry = RepeatedRunPenalty(range: -1) }),
    ]

    @Test(arguments: faults.indices) func faultsNameTheFlag(index: Int) {
        let (flag, change) = Self.faults[index]
        var settings = SamplingSettings()
        change(&settings)
        let error = #expect(throws: InputError.self) { try settings.validate() }
        #expect(error?.place == flag && error?.kind == .usage && error?.remedy != nil)
    }
}
