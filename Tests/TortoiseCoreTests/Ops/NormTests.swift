import Testing

@testable import TortoiseCore

/// Normalisation over features, groups and weights, and the snake activations.
@Suite struct NormTests {
    private let file: GoldenFile

    init() throws { file = try GoldenFile("Ops/norms.safetensors") }

    @Test func layerNorms() throws {
        for item in try file.cases("layer.full") { checkOp(item) { layerNorm($0[0], weight: $0[1], bias: $0[2]) } }
        for item in try file.cases("layer.weight") { checkOp(item) { layerNorm($0[0], weight: $0[1], bias: nil) } }
        for item in try file.cases("layer.bias") { checkOp(item) { layerNorm($0[0], weight: nil, bias: $0[1]) } }
        for item in try file.cases("layer.plain") { checkOp(item) { layerNorm($0[0], weight: nil, bias: nil) } }
        // 100 away from zero two digits are gone from the input's own rounding.
        checkOp(try file["layer.far"], .views, tolerance: OpTolerance(forward: 4e-5, gradient: 4e-5)) {
            layerNorm($0[0], weight: nil, bias: nil)
        }
    }

    @Test func rootMeanSquareNorms() throws {
        for item in try file.cases("rms.weight") { checkOp(item) { rmsNorm($0[0], weight: $0[1]) } }
        for item in try file.cases("rms.plain") { checkOp(item) { rmsNorm($0[0], weight: nil) } }
    }

    @Test func groupNorms() throws {
        for kind in ["full", "weight", "plain"] {
            for item in try file.cases("group.\(kind)") {
                let (groups, silu) = (try item.int("groups"), try item.bool("silu"))
                // A group of few equal numbers has a variance of epsilon, and curvature beyond what a step can see.
                checkOp(item, [.differences, .views], tolerance: OpTolerance(difference: 3e-2)) { x in
                    groupNorm(
                        x[0], groups: groups, weight: kind == "plain" ? nil : x[1], bias: kind == "full" ? x[2] : nil,
                        silu: silu)
                }
            }
        }
    }

    @Test func weightNorms() throws {
        for item in try file.cases("weightNorm") {
            let axis = try item.int("axis")
            checkOp(item) { weightNorm(direction: $0[0], length: $0[1], axis: axis) }
        }
    }

    @Test func snakes() throws {
        let file = try GoldenFile("Ops/snake.safetensors")
        for item in try file.cases("snake") { checkOp(item) { snake($0[0], alpha: $0[1]) } }
        for item in try file.cases("beta") { checkOp(item) { snakeBeta($0[0], alpha: $0[1], inverseBeta: $0[2]) } }
    }

    @Test func largeInputsAreSplitWithoutATrace() {
        let (weight, bias) = (randomTensor([130], "w"), randomTensor([130], "b"))
        checkSplitting("layer norm", [randomTensor([500, 130]), weight, bias]) {
            layerNorm($0[0], weight: $0[1], bias: $0[2])
        }
        checkSplitting("RMS norm", [randomTensor([500, 130]), weight]) { rmsNorm($0[0], weight: $0[1]) }
        checkSplitting("group norm", [randomTensor([3, 130, 171]), weight, bias]) {
            groupNorm($0[0], groups: 26, weight: $0[1], bias: $0[2], silu: true)
        }
        checkSplitting("weight norm", [randomTensor([130, 70, 5]), randomTensor([130, 1, 1], "g")]) {
            weightNorm(direction: $0[0], length: $0[1])
        }
        checkSplitting("snake", [randomTensor([2, 130, 171]), weight.magnitude + 0.5]) { snake($0[0], alpha: $0[1]) }
    }

    @Test func wrongShapesStop() async {
        await #expect(processExitsWith: .failure) { _ = layerNorm(.ones([2, 3]), weight: .ones([2]), bias: nil) }
        await #expect(processExitsWith: .failure) { _ = rmsNorm(.ones([2, 3]), weight: .ones([2])) }
        await #expect(processExitsWith: .failure) {
            _ = groupNorm(.ones([2, 3, 4]), groups: 2, weight: nil, bias: nil)
        }
        await #expect(processExitsWith: .failure) {
            _ = groupNorm(.ones([2, 4, 4]), groups: 2, weight: .ones([2]), bias: nil)
        }
        await #expect(processExitsWith: .failure) { _ = weightNorm(direction: .ones([2, 3]), length: .ones([2])) }
        await #expect(processExitsWith: .failure) { _ = snake(.ones([2, 3, 4]), alpha: .ones([2])) }
    }
}
