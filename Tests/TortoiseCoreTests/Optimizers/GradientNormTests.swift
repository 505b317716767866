import Foundation
import Testing

@testable import TortoiseCore

@Suite struct GradientNormTests {
    private func parameters(_ shapes: [[Int]]) -> [Parameter] {
        shapes.enumerated().map { trainable("p\($0)", .zeros($1)) }
    }

    @Test("The norm is that of all gradients together, and clipping scales it to the limit")
    func norm() throws {
        let parameters = parameters([[2], [1, 2], [3]])
        let found = try gradients([(parameters[0], Tensor([3, 0])), (parameters[1], Tensor([0, 4], shape: [1, 2]))])
        let free = found.norm(of: parameters)
        #expect(free == GradientNorm(value: 5, scale: 1, nonFinite: []) && free.isFinite)
        #expect(found.norm(of: parameters, clippingAt: 6).scale == 1)
        let clipped = found.norm(of: parameters, clippingAt: 2, scale: 0.5)
        #expect(clipped.value == 2.5 && abs(clipped.scale - 0.4) < 1e-6)
        #expect(found.norm(of: [parameters[1]]).value == 4)
        #expect(Gradients().norm(of: parameters, clippingAt: 1) == GradientNorm(value: 0, scale: 1, nonFinite: []))
    }

    @Test("A view's gradient counts in its own order, and large values do not overflow")
    func layouts() throws {
        let parameters = parameters([[2, 3]])
        let column = Tensor([1, 2], shape: [2, 1]).viewExpanded([2, 3])
        #expect(try gradients([(parameters[0], column)]).norm(of: parameters).value == Double(15).squareRoot())
        let large = try gradients([(parameters[0], .full([2, 3], 3e38))]).norm(of: parameters, clippingAt: 1)
        #expect(large.isFinite && abs(large.value / (6.0.squareRoot() * 3e38) - 1) < 1e-6)
    }

    @Test("Parameters whose gradients are not finite are named", arguments: [Float.nan, .infinity, -.infinity])
    func nonFinite(value: Float) throws {
        let parameters = parameters([[3], [40], [2]])
        var bad = [Float](repeating: 1, count: 40)
        bad[37] = value
        let found = try gradients([
            (parameters[0], .ones([3])), (parameters[1], Tensor(bad)), (parameters[2], Tensor([0, value])),
        ])
        let norm = found.norm(of: parameters, clippingAt: 1)
        #expect(!norm.isFinite && !norm.value.isFinite && norm.nonFinite == ["p1", "p2"])
    }

    @Test("Any number of threads gives the same bits", arguments: availableInstructionSets)
    func threads(instructionSet: TortoiseCore.InstructionSet) throws {
        let parameters = parameters([[300_001], [70_000], [5]])
        let values = parameters.map { ($0, Tensor(RandomSource(seed: 3)[$0.name].stream.normals($0.shape[0]))) }
        let found = try gradients(values)
        let norms = [1, 2, 3].map { threads in
            Execution.with(instructionSet: instructionSet, threads: threads) {
                found.norm(of: parameters).value.bitPattern
            }
        }
        #expect(Set(norms).count == 1)
    }

    /// Large enough that every kernel is split.
    @Test(
        "Steps with any number of threads give the same bits", arguments: availableInstructionSets,
        ["sgd", "adam", "adam8", "prodigy", "slice"])
    func steps(instructionSet: TortoiseCore.InstructionSet, name: String) throws {
        let start = RandomSource(seed: 1).stream.normals(100_003)
        let gradient = RandomSource(seed: 2).stream.normals(100_003).map { 1e-3 * $0 }
        var sliced = Prodigy.Settings()
        sliced.sliceStride = 7
        let results = try [1, 2, 3].map { threads in
            try Execution.with(instructionSet: instructionSet, threads: threads) {
                let parameter = trainable("w", Tensor(start)), group = ParameterGroup([parameter], learningRate: 1)
                let optimizer: any Optimizer =
                    switch name {
                    case "sgd": SGD([group], SGD.Settings(momentum: 0.9))
                    case "adam": Adam([group])
                    case "adam8": Adam([group], Adam.Settings(statePrecision: .eightBit))
                    case "slice": Prodigy([group], sliced)
                    default: Prodigy([group])
                    }
                for _ in 0..<4 { optimizer.step(try gradients([(parameter, Tensor(gradient))]), gradientScale: 0.7) }
                return [parameter.value.bytes: optimizer.state().fingerprint]
            }
        }
        #expect(results[0] == results[1] && results[1] == results[2])
    }
}
