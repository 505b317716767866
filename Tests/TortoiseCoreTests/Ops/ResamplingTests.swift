import Testing

@testable import TortoiseCore

/// Padding and interpolation against PyTorch.
@Suite struct ResamplingTests {
    private let file: GoldenFile

    init() throws { file = try GoldenFile("Ops/resampling.safetensors") }

    /// Positions between samples are single-precision, as PyTorch's for float32, where the goldens have doubles.
    private let tolerance = OpTolerance(forward: 2e-5, gradient: 2e-5)

    private func interpolation(_ golden: GoldenCase) throws -> InterpolationMode {
        try golden.string("mode") == "linear" ? .linear : .nearest
    }

    @Test func paddingMatchesPyTorch() throws {
        let modes: [String: PaddingMode] = ["zero": .zero, "reflect": .reflect, "replicate": .replicate]
        for golden in try file.cases("padded/") {
            let mode = try #require(modes[try golden.string("mode")])
            let (before, after) = (try golden.int("before"), try golden.int("after"))
            checkOp(golden) { $0[0].padded(before: before, after: after, mode: mode) }
            // Along another axis: the same of the transposed tensor.
            let axis = golden.inputs[0].rank - 2
            checkOp(golden) {
                $0[0].transposed().padded(axis: axis, before: before, after: after, mode: mode).transposed()
            }
        }
    }

    @Test func interpolationToASizeMatchesPyTorch() throws {
        for golden in try file.cases("interpolatedToSize/") {
            let (size, mode) = (try golden.int("size"), try interpolation(golden))
            checkOp(golden, tolerance: tolerance) { $0[0].interpolated(size: size, mode: mode) }
        }
    }

    @Test func interpolationByAScaleMatchesPyTorch() throws {
        for golden in try file.cases("interpolatedByScale/") {
            let (scale, mode) = (Double(try golden.float("scale")), try interpolation(golden))
            checkOp(golden, tolerance: tolerance) { $0[0].interpolated(scale: scale, mode: mode) }
        }
    }

    @Test func aReflectionLongerThanTheAxisStops() async {
        await #expect(processExitsWith: .failure) {
            _ = Tensor.zeros([2, 4]).padded(before: 4, after: 0, mode: .reflect)
        }
    }
}
