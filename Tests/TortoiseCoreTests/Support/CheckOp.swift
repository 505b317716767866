import Foundation
import Testing

@testable import TortoiseCore

/// How far an operation may be from its oracles.
struct OpTolerance {
    /// Of the output, as `TensorDifference` measures.
    var forward = 4e-6
    /// Of the gradients, likewise.
    var gradient = 8e-6
    /// Of directional derivatives by central differences, relative to their standard deviation over directions.
    var difference = 1e-2
}

/// Which checks of `checkOp` make sense for a case.
struct OpChecks: OptionSet {
    let rawValue: Int
    /// Gradients against central differences: not at kinks such as relu's 0.
    static let differences = OpChecks(rawValue: 1)
    /// Inputs that are views.
    static let views = OpChecks(rawValue: 2)
    /// Inputs repeated along an axis: not where that makes ties or zeros.
    static let repeats = OpChecks(rawValue: 4)
    static let all: OpChecks = [.differences, .views, .repeats]
}

/// Checks an operation against a golden case, for every instruction set and with one and two threads.
///
/// Forward and gradients against PyTorch's; gradients against central differences; inputs that are dense against
/// inputs that are views; every gradient alone against all together; one thread against two, bit for bit.
/// In the spirit of tinygrad's `helper_test_op`.
///
/// - Parameter op: Computes the output from the case's inputs, of which it must not care whether they are tracked.
/// - Returns: The largest error against the golden, of the output and of the gradients.
@discardableResult
func checkOp(
    _ golden: GoldenCase, _ checks: OpChecks = .all, tolerance: OpTolerance = OpTolerance(),
    at location: SourceLocation = #_sourceLocation, _ op: ([Tensor]) -> Tensor
) -> (forward: Double, gradient: Double) {
    var check = OpCheck(golden: golden, tolerance: tolerance, location: location)
    withoutActuallyEscaping(op) { op in
        for set in TortoiseCore.InstructionSet.allCases where set.isAvailable {
            for threads in [1, 2] {
                Execution.with(instructionSet: set, threads: threads) { check.checkAgainstGolden(op) }
            }
            Execution.with(instructionSet: set, threads: 1) {
                if golden.gradients.contains(where: { $0 != nil }) { check.checkGradientsAlone(op) }
                if checks.contains(.views) { check.checkViews(op) }
                if checks.contains(.repeats) { check.checkRepeatedInputs(op) }
                if checks.contains(.differences) { check.checkDifferences(op) }
            }
        }
    }
    if ProcessInfo.processInfo.environment["TORTOISE_REPORT_ERRORS"] != nil {
        print("checkOp", golden.name, check.worst.forward, check.worst.gradient, check.worst.difference)
    }
    return (check.worst.forward, check.worst.gradient)
}

/// What an operation gave: its output and the gradients of the inputs that were tracked.
private struct Outcome {
    let output: Tensor
    let gradients: [Tensor?]

    init(_ inputs: [Tensor], tracked: Set<Int>, upstream: Tensor?, _ op: ([Tensor]) -> Tensor) {
        let leaves = inputs.enumerated().map { tracked.contains($0.offset) ? $0.element.tracked() : $0.element }
        let result = op(leaves)
        output = result.detached
        guard !tracked.isEmpty, result.isTracked, let upstream, upstream.shape == result.shape else {
            gradients = leaves.map { _ in nil }
            return
        }
        let found = result.gradients(seed: upstream)
        gradients = leaves.map { found[$0] }
    }
}

private struct OpCheck {
    let golden: GoldenCase
    let tolerance: OpTolerance
    let location: SourceLocation
    var worst = (forward: 0.0, gradient: 0.0, difference: 0.0)
    /// What each instruction set gave with one thread.
    private var oneThread: [TortoiseCore.InstructionSet: Outcome] = [:]

    init(golden: GoldenCase, tolerance: OpTolerance, location: SourceLocation) {
        (self.golden, self.tolerance, self.location) = (golden, tolerance, location)
    }

    private var differentiated: Set<Int> { Set(golden.gradients.indices.filter { golden.gradients[$0] != nil }) }

    private func fail(_ what: String) {
        let place = "\(golden.name) [\(Execution.instructionSet.rawValue), \(Execution.threadCount) threads]"
        Issue.record("\(place): \(what)", sourceLocation: location)
    }

    /// Records a failure when two tensors differ by more than a tolerance; returns their difference.
    @discardableResult
    private func compare(_ actual: Tensor, _ expected: Tensor, _ tolerance: Double, _ what: String) -> Double {
        guard actual.shape == expected.shape else {
            fail("\(what) has shape \(actual.shape), expected \(expected.shape)")
            return .infinity
        }
        let difference = TensorDifference(actual, from: expected)
        if difference.error > tolerance { fail("\(what): \(difference), allowed \(tolerance)") }
        return difference.error
    }

    private func compare(_ actual: Outcome, _ expected: Outcome, _ what: String) {
        compare(actual.output, expected.output, 2 * tolerance.forward, "\(what), output")
        for index in golden.inputs.indices {
            switch (actual.gradients[index], expected.gradients[index]) {
            case (nil, nil): break
            case (let found?, let wanted?):
                compare(found, wanted, 2 * tolerance.gradient, "\(what), gradient \(index)")
            default: fail("\(what): input \(index) has a gradient one way and none the other")
            }
        }
    }

    private func evaluate(_ inputs: [Tensor], _ upstream: Tensor?, _ op: ([Tensor]) -> Tensor) -> Outcome {
        Outcome(inputs, tracked: differentiated, upstream: upstream, op)
    }

    // MARK: - The checks

    mutating func checkAgainstGolden(_ op: ([Tensor]) -> Tensor) {
        let plain = op(golden.inputs)
        if plain.isTracked { fail("untracked inputs gave a tracked output") }
        worst.forward = max(worst.forward, compare(plain, golden.output, tolerance.forward, "output"))

        let outcome = evaluate(golden.inputs, golden.upstream, op)
        if !haveSameBits(plain, outcome.output) { fail("the output depends on whether inputs are tracked") }
        for (index, expected) in golden.gradients.enumerated() {
            guard let expected else { continue }
            guard let found = outcome.gradients[index] else {
                fail("input \(index) has no gradient")
                continue
            }
            worst.gradient = max(worst.gradient, compare(found, expected, tolerance.gradient, "gradient \(index)"))
        }
        guard Execution.threadCount > 1 else {
            oneThread[Execution.instructionSet] = outcome
            return
        }
        if let first = oneThread[Execution.instructionSet] { compareBits(outcome, first) }
    }

    private func compareBits(_ outcome: Outcome, _ first: Outcome) {
        if !haveSameBits(outcome.output, first.output) { fail("the output differs from one thread's") }
        for (index, pair) in zip(outcome.gradients, first.gradients).enumerated() {
            guard let found = pair.0, let wanted = pair.1 else { continue }
            if !haveSameBits(found, wanted) { fail("gradient \(index) differs from one thread's") }
        }
    }

    /// Each input tracked alone has the gradient that it has among the others.
    func checkGradientsAlone(_ op: ([Tensor]) -> Tensor) {
        let all = evaluate(golden.inputs, golden.upstream, op)
        for index in differentiated where differentiated.count > 1 {
            let alone = Outcome(golden.inputs, tracked: [index], upstream: golden.upstream, op)
            guard let found = alone.gradients[index], let wanted = all.gradients[index] else { continue }
            compare(found, wanted, tolerance.gradient, "gradient \(index) alone")
        }
    }

    /// Views of other memory with the same values give the same.
    func checkViews(_ op: ([Tensor]) -> Tensor) {
        let dense = evaluate(golden.inputs, golden.upstream, op)
        for (name, view) in [("transposed", transposedInMemory), ("strided", stridedInMemory)] {
            compare(evaluate(golden.inputs.map(view), golden.upstream.map(view), op), dense, "\(name) inputs")
        }
    }

    /// An input that repeats along an axis without copies gives what copies give; so does a repeating upstream gradient.
    func checkRepeatedInputs(_ op: ([Tensor]) -> Tensor) {
        for (index, input) in golden.inputs.enumerated() where input.dtype == .float32 {
            for axis in 0..<input.rank where input.shape[axis] > 1 {
                var inputs = golden.inputs
                inputs[index] = repeated(input, axis)
                let sparse = evaluate(inputs, golden.upstream, op)
                inputs[index] = inputs[index].contiguousValues
                compare(sparse, evaluate(inputs, golden.upstream, op), "input \(index) repeated along axis \(axis)")
            }
        }
        guard let upstream = golden.upstream, upstream.rank > 0, upstream.shape[0] > 1 else { return }
        let seed = repeated(upstream, 0)
        let sparse = evaluate(golden.inputs, seed, op)
        compare(sparse, evaluate(golden.inputs, seed.contiguousValues, op), "upstream gradient repeated")
    }

    /// Random directions: ⟨gradient, step⟩ against the change of ⟨upstream, output⟩, summed in double precision.
    ///
    /// The step, 1/128, balances the curvature left out (some 1e-4 of the slope) against float32's rounding of the
    /// output, which is allowed for on top of the tolerance.
    mutating func checkDifferences(_ op: ([Tensor]) -> Tensor) {
        guard let upstream = golden.upstream else { return }
        let outcome = evaluate(golden.inputs, upstream, op)
        let weights = upstream.values
        for index in differentiated {
            guard let gradient = outcome.gradients[index]?.values else { continue }
            for direction in 0..<2 {
                let bits = RandomSource(seed: 5)[golden.name][index][direction].stream.uniforms(gradient.count)
                let (low, high) = steps(from: golden.inputs[index], bits)
                let (below, above) = (output(with: low, at: index, op), output(with: high, at: index, op))
                var (change, predicted, variance, rounding) = (0.0, 0.0, 0.0, 0.0)
                for (i, weight) in weights.enumerated() {
                    change += Double(weight) * (Double(above[i]) - Double(below[i]))
                    rounding += Double(weight * above[i]) * Double(weight * above[i])
                }
                for (i, pair) in zip(low.values, high.values).enumerated() {
                    let part = Double(gradient[i]) * (Double(pair.1) - Double(pair.0))
                    predicted += part
                    variance += part * part
                }
                let allowed = tolerance.difference * variance.squareRoot() + 0x1p-20 * rounding.squareRoot() + 1e-9
                let error = abs(change - predicted)
                if variance > 0 { worst.difference = max(worst.difference, error / variance.squareRoot()) }
                if !(error <= allowed) {
                    fail("gradient \(index): slope \(predicted), by differences \(change), allowed ±\(allowed)")
                }
            }
        }
    }

    private func steps(from input: Tensor, _ uniforms: [Float]) -> (low: Tensor, high: Tensor) {
        let signs = Tensor(uniforms.map { $0 < 0.5 ? -0x1p-7 : 0x1p-7 }, shape: input.shape)
        return (input - signs, input + signs)
    }

    private func output(with input: Tensor, at index: Int, _ op: ([Tensor]) -> Tensor) -> [Float] {
        var inputs = golden.inputs
        inputs[index] = input
        return op(inputs).values
    }
}
