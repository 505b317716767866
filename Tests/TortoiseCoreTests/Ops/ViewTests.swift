import Testing

@testable import TortoiseCore

/// Views and rearrangements, forward and back.
@Suite struct ViewTests {
    private static let functions: [String: @Sendable ([Tensor]) -> Tensor] = [
        "reshape.dense": { $0[0].reshaped(6, 4) }, "reshape.free": { $0[0].reshaped(-1, 2) },
        "reshape.permuted": { $0[0].permuted(2, 0, 1).reshaped(4, 6) },
        "reshape.permutedCopy": { $0[0].permuted(2, 0, 1).reshaped(8, 3) },
        "reshape.sliced": { $0[0].sliced(1, 1..<3).reshaped(2, 8) },
        "reshape.slicedCopy": { $0[0].sliced(2, 1..<3).reshaped(12) },
        "reshape.splitAxis": { $0[0].sliced(1, 0..<3, step: 2).reshaped(2, 2, 2, 2) },
        "permute.012": { $0[0].permuted(0, 1, 2) }, "permute.120": { $0[0].permuted(1, 2, 0) },
        "permute.210": { $0[0].permuted(-1, 1, 0) }, "transpose": { $0[0].transposed() },
        "transpose.02": { $0[0].transposed(0, 2) }, "slice": { $0[0].sliced(1, 1..<3) },
        "slice.step": { $0[0].sliced(-1, 0..<4, step: 3) }, "slice.step2": { $0[0].sliced(1, 1..<3, step: 2) },
        "slice.empty": { $0[0].sliced(1, 1..<1) },
        "slice.twice": { $0[0].sliced(1, 1..<3).sliced(2, 0..<4, step: 2).sliced(0, 1..<2) },
        "select": { $0[0].select(1, 1) }, "expand": { $0[0].expanded([2, 3, 5]) },
        "expand.new": { $0[0].expanded([4, 2, 3]) }, "expand.middle": { $0[0].expanded([3, 2, 4, 5]) },
        "expand.scalar": { $0[0].expanded([2, 3]) }, "unsqueeze": { $0[0].unsqueezed(1) },
        "unsqueeze.last": { $0[0].unsqueezed(-1) }, "squeeze": { $0[0].squeezed(1) },
        "concatenate": { concatenated($0, axis: 1) }, "concatenate.first": { concatenated($0, axis: 0) },
        "concatenate.last": { concatenated($0, axis: -1) },
        "concatenate.same": { concatenated([$0[0], $0[0]], axis: 0) },
        "stack": { stacked($0) }, "stack.last": { stacked($0, axis: -1) },
        "split": { x in
            let pieces = x[0].split([1, 3, 2], axis: 1)
            return concatenated(zip(pieces, [1, 2, 0]).map { ($0 * $1).reshaped(-1) }, axis: 0)
        },
        "split.unused": { $0[0].split([1, 2], axis: 1)[1] },
        "chunks": { x in
            let halves = x[0].chunks(2, axis: -1)
            return halves[0] * halves[1]
        },
        "chain": { x in
            let rows = x[0].permuted(2, 0, 1).sliced(0, 1..<3).reshaped(2, 6)
            return rows.transposed().unsqueezed(0).expanded([3, 6, 2])
        },
    ]

    @Test func matchPyTorch() throws {
        let file = try GoldenFile("Ops/views.safetensors")
        #expect(Set(file.names) == Set(Self.functions.keys))
        for name in file.names {
            let function = try #require(Self.functions[name])
            checkOp(try file[name]) { function($0) }
            checkOp(try file[name]) { function($0).contiguous }
        }
    }

    @Test func viewsShareStorage() {
        let x = randomTensor([2, 3, 4])
        let slices = x.sliced(1, 1..<3)
        for view in [
            x.reshaped(6, 4), x.permuted(2, 0, 1), slices, slices.reshaped(2, 8), x.permuted(2, 0, 1).reshaped(4, 6),
            x.unsqueezed(0).expanded([5, 2, 3, 4]), x.sliced(1, 0..<3, step: 2).reshaped(2, 2, 2, 2), x.detached,
        ] {
            #expect(view.storage === x.storage, "\(view.shape)")
        }
        #expect(x.permuted(2, 0, 1).reshaped(8, 3).storage !== x.storage)
    }

    /// All reshapes of small tensors that lie in odd ways, against the values in order.
    @Test func reshapesKeepTheOrder() {
        let x = Tensor.range(96).reshaped(4, 4, 6)
        let sources = [
            x, x.permuted(1, 0, 2), x.permuted(2, 1, 0), x.sliced(0, 1..<3), x.sliced(1, 0..<4, step: 2),
            x.sliced(2, 1..<5),
            x.sliced(2, 0..<6, step: 3), x.sliced(0, 0..<1).expanded([4, 4, 6]), x.select(1, 2), x.select(2, 5),
            x.unsqueezed(1).expanded([4, 3, 4, 6]), x.permuted(0, 2, 1).sliced(1, 2..<4),
        ]
        for source in sources {
            let expected = source.values
            for first in 1...expected.count where expected.count % first == 0 {
                let rest = expected.count / first
                for second in 1...rest where rest % second == 0 {
                    let shape = [first, second, 1, rest / second]
                    let reshaped = source.reshaped(shape)
                    #expect(reshaped.shape == shape && reshaped.values == expected, "\(source.shape) as \(shape)")
                }
            }
        }
    }

    @Test func integerViews() {
        let x = Tensor(indices: [1, 2, 3, 4, 5, 6], shape: [2, 3])
        #expect(x.transposed().indexValues == [1, 4, 2, 5, 3, 6])
        #expect(concatenated([x, x.sliced(0, 1..<2)], axis: 0).indexValues == [1, 2, 3, 4, 5, 6, 4, 5, 6])
        #expect(x.sliced(1, 0..<3, step: 2).indexValues == [1, 3, 4, 6])
    }

    @Test func largeInputsAreSplitWithoutATrace() {
        checkSplitting("permuted copy", [randomTensor([37, 41, 83])]) { $0[0].permuted(2, 0, 1).contiguous }
        checkSplitting("concatenated", [randomTensor([30, 700], "a"), randomTensor([30, 900], "b")]) {
            concatenated($0, axis: 1)
        }
        checkSplitting("sliced", [randomTensor([300, 301])]) { $0[0].sliced(1, 1..<300, step: 3) * 2 }
    }

    @Test func wrongShapesStop() async {
        await #expect(processExitsWith: .failure) { _ = Tensor.ones([2, 3]).reshaped(4, 2) }
        await #expect(processExitsWith: .failure) { _ = Tensor.ones([2, 3]).reshaped(-1, 4) }
        await #expect(processExitsWith: .failure) { _ = Tensor.ones([2, 3]).permuted(0, 0) }
        await #expect(processExitsWith: .failure) { _ = Tensor.ones([2, 3]).sliced(1, 2..<4) }
        await #expect(processExitsWith: .failure) { _ = Tensor.ones([2, 3]).sliced(1, 0..<3, step: 0) }
        await #expect(processExitsWith: .failure) { _ = Tensor.ones([2, 3]).expanded([2, 4]) }
        await #expect(processExitsWith: .failure) { _ = Tensor.ones([2, 3]).squeezed(0) }
        await #expect(processExitsWith: .failure) { _ = Tensor.ones([2, 3]).split([1, 1], axis: 1) }
        await #expect(processExitsWith: .failure) { _ = concatenated([.ones([2, 3]), .ones([3, 3])], axis: 1) }
        await #expect(processExitsWith: .failure) { _ = stacked([.ones([2, 3]), .ones([3, 2])]) }
        await #expect(processExitsWith: .failure) { _ = concatenated([], axis: 0) }
    }
}
