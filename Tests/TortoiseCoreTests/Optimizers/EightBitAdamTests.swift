import Foundation
import Testing

@testable import TortoiseCore

@Suite struct EightBitAdamTests {
    @Test("The maps are those of the 8-bit optimizers")
    func maps() throws {
        let golden = try GoldenArrays("Optimizers/eight_bit.safetensors")
        for (map, name) in [(DynamicQuantization.signedMap, "signed"), (DynamicQuantization.unsignedMap, "unsigned")] {
            let expected = try golden.floats(name)
            #expect(map.count == 256 && map == map.sorted() && Set(map).count == 256)
            #expect(zip(map, expected).allSatisfy { abs($0 - $1) <= 1e-7 * abs($1) })
        }
    }

    @Test("Six steps give the codes, scales and weights of a NumPy implementation", arguments: availableInstructionSets)
    func steps(instructionSet: TortoiseCore.InstructionSet) throws {
        let golden = try GoldenArrays("Optimizers/eight_bit.safetensors")
        let count = 4196
        let target = (0..<count).map { Float(($0 * 104_729 + 7) % 997) / 997 }
        let pull = (0..<count).map { exp2(-Float($0 % 9)) }
        let parameter = trainable("w", Tensor((0..<count).map { Float(($0 * 7919 + 13) % 1009) / 1009 }))
        let settings = Adam.Settings(beta1: 0.9, beta2: 0.99, epsilon: 1e-8, statePrecision: .eightBit)
        let adam = Adam([ParameterGroup([parameter], learningRate: 0.01, weightDecay: 0.1)], settings)
        try Execution.with(instructionSet: instructionSet) {
            for _ in 0..<6 {
                let w = parameter.value.values
                adam.step(try gradients([(parameter, Tensor(w.indices.map { (w[$0] - target[$0]) * pull[$0] }))]))
            }
        }
        expectClose(parameter.value, try golden.tensor("w"), 1e-6, "weights")
        let state = Dictionary(uniqueKeysWithValues: adam.state().tensors)
        for (name, key) in [("m", "exp_avg"), ("v", "exp_avg_sq")] {
            let codes = try #require(state["w.\(key)_codes"]).bytes, expected = try golden.bytes(name)
            let wrong = zip(codes, expected).filter { $0 != $1 }
            // A value on the border of two codes may fall to either side.
            #expect(codes.count == count && wrong.count <= 8, "\(wrong.count) codes of \(key) differ")
            #expect(wrong.allSatisfy { abs(Int($0) - Int($1)) == 1 })
            let scales = try #require(state["w.\(key)_scales"])
            expectClose(scales, try golden.tensor("\(name)_scales"), 1e-6, "scales of \(key)")
        }
    }

    @Test("Small arrays keep float32 moments, large ones a quarter of the bytes")
    func sizes() throws {
        let parameters = [trainable("small", .ones([4095])), trainable("large", .ones([4096]))]
        let adam = Adam([ParameterGroup(parameters, learningRate: 0.1)], Adam.Settings(statePrecision: .eightBit))
        adam.step(try gradients(parameters.map { ($0, .ones($0.shape)) }))
        let tensors = adam.state().tensors
        #expect(
            tensors.map(\.name) == [
                "small.exp_avg", "small.exp_avg_sq", "large.exp_avg_codes", "large.exp_avg_scales",
                "large.exp_avg_sq_codes",
                "large.exp_avg_sq_scales",
            ])
        #expect(tensors.suffix(4).reduce(0) { $0 + $1.tensor.bytes.count } == 2 * (4096 + 16 * 4))
    }

    /// A linear regression of 64 outputs on 64 inputs of the given sizes: the share of the target that is left unexplained
    /// after 200 steps.
    private func regressionLoss(_ precision: Adam.StatePrecision, inputSize: (Int) -> Float) throws -> Double {
        let (samples, inputs, outputs) = (96, 64, 64)
        let random = RandomSource(seed: 5)
        var x = random["x"].stream.normals(samples * inputs)
        for i in x.indices { x[i] *= inputSize(i % inputs) }
        let input = Tensor(x, shape: [samples, inputs])
        let target = input.matmul(Tensor(random["goal"].stream.normals(inputs * outputs), shape: [inputs, outputs]))
        let w = trainable("w", .zeros([inputs, outputs]))
        let adam = Adam([ParameterGroup([w], learningRate: 0.05)], Adam.Settings(statePrecision: precision))
        let schedule = LearningRateSchedule.cosine(steps: 200)
        for step in 0..<200 {
            let error = input.matmul(w.value) - target
            adam.learningRateFactor = schedule.factor(at: step)
            adam.step((error * error).mean.gradients())
        }
        return (input.matmul(w.value.detached) - target).sumOfSquares / target.sumOfSquares
    }

    @Test("A regression with 8-bit state converges as with float32 state")
    func convergence() throws {
        let even = try (regressionLoss(.float32) { _ in 1 }, regressionLoss(.eightBit) { _ in 1 })
        #expect(even.1 <= 1.1 * even.0 + 1e-3)
        // Four inputs share a block of 256 weights; their gradients differ by a factor of up to 2¹⁵.
        let uneven = try (
            regressionLoss(.float32) { exp2(-5 * Float($0 % 4)) },
            regressionLoss(.eightBit) { exp2(-5 * Float($0 % 4)) }
        )
        #expect(uneven.1 <= 1.1 * uneven.0 + 1e-3)
    }
}
