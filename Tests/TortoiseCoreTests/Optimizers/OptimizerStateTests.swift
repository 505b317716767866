import Testing

@testable import TortoiseCore

@Suite struct OptimizerStateTests {
    private func parameters() -> [Parameter] {
        [trainable("layer.weight", .ones([3, 4])), trainable("layer.bias", .ones([4]))]
    }

    /// The state of an Adam that has made one step.
    private func state() throws -> StateDictionary {
        let parameters = parameters(), adam = Adam([ParameterGroup(parameters, learningRate: 0.1)])
        adam.step(try gradients(parameters.map { ($0, .ones($0.shape)) }))
        return adam.state()
    }

    /// A copy in which entries are renamed, replaced or left out.
    private func edited(
        _ state: StateDictionary, kind: String = "adam", scalar: (String, Double) -> (String, Double)? = { ($0, $1) },
        tensor: (String, Tensor) -> (String, Tensor)? = { ($0, $1) }
    ) -> StateDictionary {
        var result = StateDictionary(kind: kind)
        for entry in state.scalars.compactMap({ scalar($0.name, $0.value) }) { result.append(entry.0, entry.1) }
        for entry in state.tensors.compactMap({ tensor($0.name, $0.tensor) }) { result.append(entry.0, entry.1) }
        return result
    }

    @Test("The state lists steps and moments by PyTorch's names, in the parameters' order")
    func names() throws {
        let state = try state()
        #expect(state.scalars.map(\.name) == ["layer.weight.step", "layer.bias.step"])
        #expect(
            state.tensors.map(\.name) == [
                "layer.weight.exp_avg", "layer.weight.exp_avg_sq", "layer.bias.exp_avg", "layer.bias.exp_avg_sq",
            ])
    }

    @Test("Restoring names everything that does not fit, and changes nothing")
    func unfit() throws {
        let state = try state()
        let parameters = parameters(), adam = Adam([ParameterGroup(parameters, learningRate: 0.1)])
        let before = adam.state().fingerprint
        func fault(_ state: StateDictionary) throws -> String {
            let error = try #require(throws: InputError.self) { try adam.restore(state) }
            #expect(error.kind == .model)
            #expect(adam.state().fingerprint == before)
            return error.description
        }
        let renamed = try fault(
            edited(state, tensor: { ($0 == "layer.bias.exp_avg" ? "layer.base.exp_avg" : $0, $1) }))
        #expect(renamed.contains("missing: layer.bias.exp_avg (did it mean layer.base.exp_avg?)"))
        #expect(renamed.contains("not expected: layer.base.exp_avg"))
        let misshapen = try fault(
            edited(state, tensor: { ($0, $0 == "layer.weight.exp_avg_sq" ? .ones([4, 3]) : $1) }))
        #expect(misshapen.contains("layer.weight.exp_avg_sq (expected [3, 4] of float32, found [4, 3] of float32)"))
        let integers = try fault(
            edited(state, tensor: { ($0, $0 == "layer.bias.exp_avg" ? Tensor(indices: [1, 2, 3, 4]) : $1) }))
        #expect(integers.contains("layer.bias.exp_avg (expected [4] of float32, found [4] of int32)"))
        for value in [-1, 0.5, .nan, .infinity, 1e300] {
            let count = try fault(edited(state, scalar: { ($0, $0 == "layer.bias.step" ? value : $1) }))
            #expect(count.contains("layer.bias.step (expected a whole number, found \(value))"))
        }
        let both = try fault(
            edited(state, scalar: { $0 == "layer.bias.step" ? nil : ($0, $1) }, tensor: { _, _ in nil }))
        #expect(both.contains("missing: layer.weight.exp_avg, layer.weight.exp_avg_sq, layer.bias.step"))
        #expect(try fault(edited(state, kind: "sgd")).contains("expected the state of adam, found that of sgd"))
        var twice = state
        twice.append("layer.bias.exp_avg", .ones([4]))
        #expect(try fault(twice).contains("two entries of one name: layer.bias.exp_avg"))
    }

    @Test("Prodigy refuses a distance that is not one", arguments: [0, -1, Double.nan, .infinity])
    func prodigyDistance(value: Double) throws {
        let prodigy = Prodigy([ParameterGroup(parameters(), learningRate: 1)])
        let state = edited(prodigy.state(), kind: "prodigy", scalar: { ($0, $0 == "d" ? value : $1) })
        #expect(throws: InputError.self) { try prodigy.restore(state) }
    }

    @Test("A parameter without a gradient keeps its bits and has no state")
    func withoutGradient() throws {
        let parameters = parameters()
        let group = ParameterGroup(parameters, learningRate: 0.1, weightDecay: 0.5)
        let optimizers: [any Optimizer] = [SGD([group], SGD.Settings(momentum: 0.9)), Adam([group]), Prodigy([group])]
        for optimizer in optimizers {
            let before = parameters[1].value.bytes, moved = parameters[0].value.bytes
            optimizer.step(try gradients([(parameters[0], .ones([3, 4]))]))
            #expect(parameters[1].value.bytes == before)
            #expect(parameters[0].value.bytes != moved)
            #expect(optimizer.state().tensors.allSatisfy { $0.name.hasPrefix("layer.weight.") })
        }
    }

    @Test("Prodigy does nothing without a gradient, with zero gradients, or at rate zero")
    func prodigyIdle() throws {
        let parameters = parameters(), before = parameters.map(\.value.bytes)
        let prodigy = Prodigy([ParameterGroup(parameters, learningRate: 1, weightDecay: 0.5)])
        prodigy.step(Gradients())
        prodigy.step(try gradients(parameters.map { ($0, .zeros($0.shape)) }))
        prodigy.learningRateFactor = 0
        prodigy.step(try gradients(parameters.map { ($0, .ones($0.shape)) }))
        #expect(parameters.map(\.value.bytes) == before && prodigy.distance == 1e-6)
    }
}
