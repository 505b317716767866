import Foundation
import Testing

@testable import TortoiseCore

@Suite struct OptimizerTrajectoryTests {
    private static let runs = Trajectory.cases.flatMap { name in availableInstructionSets.map { (name, $0) } }

    /// Bounds the error of a tensor relative to how far it went from its start.
    private func expectSame(
        _ found: Tensor, _ expected: Tensor, from start: [Float], within tolerance: Double = 1e-5, _ what: String
    ) {
        let (found, expected) = (found.values, expected.values)
        func norm(_ values: some Sequence<Double>) -> Double { values.reduce(0) { $0 + $1 * $1 }.squareRoot() }
        let error = norm(zip(found, expected).map { Double($0) - Double($1) })
        let way = norm(zip(expected, start).map { Double($0) - Double($1) })
        #expect(found.count == expected.count && error <= tolerance * way, "\(what): relative error \(error / way)")
    }

    @Test("Fifty steps go where PyTorch's and prodigyopt's go", arguments: runs)
    func trajectory(name: String, instructionSet: TortoiseCore.InstructionSet) throws {
        try Execution.with(instructionSet: instructionSet) {
            let golden = try GoldenArrays("Optimizers/trajectories.safetensors")
            var run = try Trajectory(name, golden)
            let starts = run.parameters.map(\.value.values)
            for end in [Trajectory.steps / 2, Trajectory.steps] {
                try run.run(to: end)
                for (parameter, start) in zip(run.parameters, starts) {
                    let expected = try golden.tensor("\(name).\(end).\(parameter.name)")
                    expectSame(parameter.value, expected, from: start, "\(name), \(parameter.name) at \(end)")
                }
            }
            for (found, expected) in zip(run.norms, try golden.doubles("\(name).norms")) {
                #expect(abs(found - expected) <= 1e-5 * expected)
            }
            for (found, expected) in zip(run.distances, golden.has("\(name).d") ? try golden.doubles("\(name).d") : [])
            {
                #expect(abs(found - expected) <= 1e-5 * expected, "d \(found), expected \(expected)")
            }
            try expectState(run, name, golden)
        }
    }

    /// Compares what the optimizers remember, under PyTorch's names.
    private func expectState(_ run: Trajectory, _ name: String, _ golden: GoldenArrays) throws {
        var compared = 0
        // Close to the target Prodigy's averages are small differences of large gradients.
        let tolerance = name.hasPrefix("prodigy") || name.hasPrefix("muon") ? 1e-4 : 1e-5
        for (key, tensor) in run.optimizer.state().tensors where golden.has("\(name).state.\(key)") {
            let expected = try golden.floats("\(name).state.\(key)")
            let zeros = expected.map { _ in Float(0) }
            expectSame(tensor, Tensor(expected, shape: tensor.shape), from: zeros, within: tolerance, "\(name), \(key)")
            compared += 1
        }
        let arrays = ["sgd": 0, "momentum": 4, "nesterov": 4, "adam": 8, "adamw": 8, "reference": 8, "muon": 6]
        #expect(compared == arrays[name] ?? (name == "muon-heavy" ? 6 : 16))
    }

    @Test("A run that stops halfway ends on the same bits", arguments: Trajectory.cases)
    func resume(name: String) throws {
        let golden = try GoldenArrays("Optimizers/trajectories.safetensors")
        var whole = try Trajectory(name, golden), half = try Trajectory(name, golden),
            rest = try Trajectory(name, golden)
        try whole.run(to: Trajectory.steps)
        try half.run(to: 25)
        try rest.resume(from: half)
        #expect(rest.fingerprint == half.fingerprint)
        // The state that was taken is a value: the first run going on must not change it.
        try half.run(to: 30)
        try rest.run(to: Trajectory.steps)
        #expect(rest.fingerprint == whole.fingerprint)
    }

    @Test("A state that was taken stays as it was while the optimizer goes on", arguments: Trajectory.cases)
    func stateIsValue(name: String) throws {
        var run = try Trajectory(name, GoldenArrays("Optimizers/trajectories.safetensors"))
        try run.run(to: 10)
        let state = run.optimizer.state(), before = state.fingerprint
        try run.run(to: 12)
        #expect(state.fingerprint == before)
        #expect(name == "sgd" || run.optimizer.state().fingerprint != before)
    }
}
