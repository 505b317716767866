import Foundation
import Testing

@testable import TortoiseCore

/// Spectrograms against PyTorch's, and against what is known of them.
@Suite struct STFTTests {
    @Test func magnitudesMatchPyTorch() throws {
        for golden in try GoldenFile("Ops/stft.safetensors").cases() {
            let (size, hop) = (try golden.int("fftSize"), try golden.int("hop"))
            let (window, power) = (try golden.int("windowLength"), try golden.int("power"))
            let name = try golden.string("padding")
            let padding: PaddingMode? = name == "none" ? nil : name == "zero" ? .zero : .reflect
            checkOp(golden) {
                stftMagnitude($0[0], fftSize: size, hop: hop, windowLength: window, padding: padding, power: power)
            }
        }
    }

    /// A cosine in the middle of bin 37: a Hann window puts half its sum there and a quarter on both neighbours.
    @Test func aSinusoidIsWhereItBelongs() {
        let size = 1_024
        let samples = (0..<size).map { Float(cos(2 * Double.pi * 37 * Double($0) / Double(size) + 0.3)) }
        let bins = stftMagnitude(Tensor(samples, shape: [1, size]), fftSize: size, hop: 256, padding: nil).values
        for (bin, value) in bins.enumerated() {
            let expected: Float = bin == 37 ? 256 : bin == 36 || bin == 38 ? 128 : 0
            #expect(abs(value - expected) < 2e-4, "bin \(bin): \(value)")
        }
    }

    @Test func silenceHasNoGradient() {
        let x = Tensor.zeros([1, 400]).tracked()
        let y = stftMagnitude(x, fftSize: 64, hop: 16)
        let gradient = y.gradients(seed: Tensor.ones(y.shape))[x]
        #expect(gradient?.values == [Float](repeating: 0, count: 400))
    }

    @Test func resultsDoNotDependOnHowWorkIsSplit() {
        checkSplitting("stft", [randomTensor([2, 6_000], "x")]) { stftMagnitude($0[0], fftSize: 60, hop: 13) }
    }

    @Test func aSignalShorterThanAFrameStops() async {
        await #expect(processExitsWith: .failure) {
            _ = stftMagnitude(Tensor.zeros([1, 63]), fftSize: 64, hop: 16, padding: nil)
        }
    }
}
