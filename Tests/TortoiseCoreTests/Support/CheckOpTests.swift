import Testing

@testable import TortoiseCore

/// The check itself must be able to fail.
@Suite struct CheckOpTests {
    private let golden: GoldenCase

    init() throws { golden = try GoldenFile("Ops/arithmetic.safetensors")["multiply00"] }

    @Test func acceptsWhatIsRight() {
        checkOp(golden) { $0[0] * $0[1] }
    }

    @Test func rejectsWrongOutputs() {
        withKnownIssue { checkOp(golden, []) { $0[0] * $0[1] + 1e-4 } }
        withKnownIssue { checkOp(golden, []) { ($0[0] * $0[1]).reshaped(-1) } }
        withKnownIssue { checkOp(golden, []) { ($0[0] * $0[1]).detached } }
    }

    @Test func rejectsWrongGradients() {
        withKnownIssue {
            checkOp(golden, []) { multiplied($0) { gradient, x in [gradient * x[1] * 1.0001, gradient * x[0]] } }
        }
        withKnownIssue { checkOp(golden, []) { multiplied($0) { gradient, x in [gradient * x[1], nil] } } }
    }

    /// A golden whose gradient is wrong as the operation's is: only the differences can tell.
    @Test func differencesSeeWhatAGoldenDoesNot() {
        let wrong = GoldenCase(
            name: golden.name, inputs: golden.inputs, output: golden.output, upstream: golden.upstream,
            gradients: golden.gradients.map { $0.map { $0 * 1.05 } }, attributes: golden.attributes)
        let op = { (x: [Tensor]) in
            self.multiplied(x) { gradient, x in [gradient * x[1] * 1.05, gradient * x[0] * 1.05] }
        }
        checkOp(wrong, [.views, .repeats]) { op($0) }
        withKnownIssue { checkOp(wrong, .differences) { op($0) } }
    }

    @Test func viewsShowWhoReadsMemoryAsIfItWereDense() {
        withKnownIssue {
            checkOp(golden, .views) { x in
                let dense = x[0].view(shape: x[0].shape, strides: x[0].shape.denseStrides, offset: x[0].offset)
                return dense * x[1]
            }
        }
    }

    @Test func rejectsWhatDependsOnThreads() {
        withKnownIssue { checkOp(golden, []) { $0[0] * $0[1] * (1 + Float(Execution.threadCount - 1) * 0x1p-23) } }
        withKnownIssue {
            checkSplitting("threads", [golden.inputs[0]]) { $0[0] * (1 + Float(Execution.threadCount - 1) * 0x1p-23) }
        }
    }

    private func multiplied(_ x: [Tensor], pullback: @escaping (Tensor, [Tensor]) -> [Tensor?]) -> Tensor {
        let values = x.map(\.detached)
        return (values[0] * values[1]).recorded("multiply", from: x) { pullback($0, values) }
    }
}
