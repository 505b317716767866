import Testing

@testable import TortoiseCore

@Suite struct CodeFinisherTests {
    private let finisher = CodeFinisher(CodeMarkers())

    private func stopped(_ codes: [Int32]) -> SampledCodes { SampledCodes(codes: codes, isStopped: true) }

    /// Equal to `fix_autoregressive_output` over rows padded as `tts()` pads them.
    @Test func originalEnding() throws {
        for golden in try GoldenFile("Sampling/codes.safetensors").cases() {
            let codes = SampledCodes(codes: golden.inputs[0].indexValues, isStopped: try golden.bool("stopped"))
            let found = finisher.finish(codes, .original(length: try golden.int("length")))
            #expect(found == golden.output.indexValues, "\(golden.name)")
        }
    }

    /// By default no real code is lost, and trimming leaves what it leaves of the original's padding.
    @Test func silenceFollowsTheLastRealCode() {
        let speeches: [[Int32]] = [
            [], [7], Array(100..<180), [1, 2, 83, 83, 83], [5] + [Int32](repeating: 83, count: 8),
        ]
        for codes in speeches {
            let found = finisher.finish(stopped(codes))
            let original = finisher.finish(stopped(codes), .original(length: 500))
            #expect(Array(found.prefix(codes.count)) == codes)
            #expect(finisher.trimmedCount(found) == found.count)
            #expect(found == Array(original.prefix(finisher.trimmedCount(original))))
        }
    }

    @Test func whatNeverStoppedStaysAsItIs() {
        for ending in [CodeEnding.silence, .original(length: 500), .original(length: 2)] {
            #expect(finisher.finish(SampledCodes(codes: [1, 2, 3], isStopped: false), ending) == [1, 2, 3])
        }
    }

    @Test func shortRowsDoNotCrash() {
        for length in 0...4 {
            #expect(finisher.finish(stopped([]), .original(length: length)).count == length)
            #expect(finisher.finish(stopped([9]), .original(length: length)).count == max(1, length))
        }
    }

    @Test func longSilenceEndsTheClip() {
        let calm = { [Int32](repeating: 83, count: $0) }
        #expect(finisher.trimmedCount([]) == 0)
        #expect(finisher.trimmedCount([1, 2] + calm(8) + [3]) == 11)
        #expect(finisher.trimmedCount([1, 2] + calm(9) + [3]) == 10)
        #expect(finisher.trimmedCount(calm(4) + [1] + calm(20)) == 13)
        #expect(CodeFinisher(CodeMarkers(calm: 5), maximumCalm: 2).trimmedCount([5, 5, 1, 5, 5, 5, 1]) == 5)
    }
}
