import Testing

@testable import TortoiseCore

@Suite struct ExponentialMovingAverageTests {
    private func values(_ seed: Int, _ count: Int) -> [Float] { RandomSource(seed: 9)[seed].stream.normals(count) }

    @Test("The average follows its recurrence in double precision", arguments: [0, 3], availableInstructionSets)
    func recurrence(start: Int, instructionSet: TortoiseCore.InstructionSet) throws {
        let count = 1003, decay = 0.6
        let parameter = trainable("w", Tensor(values(0, count)))
        let average = ExponentialMovingAverage([parameter], decay: decay, start: start)
        var expected = values(0, count).map(Double.init)
        try Execution.with(instructionSet: instructionSet) {
            for update in 1...12 {
                let weights = values(update, count)
                parameter.assign(Tensor(weights))
                average.update()
                let n = Double(update - start)
                let keep = n <= 0 ? 0 : min(decay, (1 + n) / (10 + n))
                for i in 0..<count { expected[i] = keep * expected[i] + (1 - keep) * Double(weights[i]) }
                let found = try #require(average.values.first?.tensor.values)
                #expect(zip(found, expected).allSatisfy { abs(Double($0) - $1) <= 1e-6 }, "update \(update)")
            }
        }
        #expect(average.updates == 12)
    }

    @Test("Averages are lent to the parameters and taken back bit for bit")
    func swap() throws {
        let parameters = [trainable("a", Tensor(values(1, 40_000))), trainable("b", Tensor(values(2, 5)))]
        let frozen = Parameter(name: "frozen", value: .ones([3]))
        let average = ExponentialMovingAverage(parameters + [frozen], decay: 0.9)
        for parameter in parameters { parameter.assign(parameter.value * 2) }
        average.update()
        let weights = parameters.map(\.value.bytes), averages = average.values.map(\.tensor.bytes)
        #expect(average.values.map(\.name) == ["a", "b"] && weights != averages)
        struct Stop: Error {}
        #expect(throws: Stop.self) {
            try average.withAverages {
                #expect(average.isSwapped && parameters.map(\.value.bytes) == averages)
                throw Stop()
            }
        }
        #expect(!average.isSwapped && parameters.map(\.value.bytes) == weights)
        #expect(average.values.map(\.tensor.bytes) == averages)
    }

    @Test("A restored average goes on with the same bits; what does not fit is named")
    func restore() throws {
        let parameter = trainable("w", Tensor(values(1, 100)))
        let first = ExponentialMovingAverage([parameter], decay: 0.99)
        for update in 0..<4 {
            parameter.assign(Tensor(values(update, 100)))
            first.update()
        }
        let state = first.state(), before = state.fingerprint
        let second = ExponentialMovingAverage([parameter], decay: 0.99)
        try second.restore(state)
        parameter.assign(Tensor(values(5, 100)))
        first.update()
        #expect(state.fingerprint == before)
        second.update()
        #expect(second.state().fingerprint == first.state().fingerprint && first.state().fingerprint != before)

        let other = ExponentialMovingAverage([trainable("v", .ones([100]))], decay: 0.99)
        let error = try #require(throws: InputError.self) { try other.restore(state) }
        #expect(error.description.contains("missing: v") && error.description.contains("not expected: w"))
    }
}
