import Testing

@testable import TortoiseCore

/// The same values, lying in memory with the axes in reverse order.
func transposedInMemory(_ tensor: Tensor) -> Tensor {
    let reverse = Array((0..<tensor.rank).reversed())
    return tensor.viewPermuted(reverse).contiguousValues.viewPermuted(reverse)
}

/// The same values, lying at every second place of a larger block along each axis.
///
/// What lies between is NaN, or −1 for indices, so that whoever reads it is found out.
func stridedInMemory(_ tensor: Tensor) -> Tensor {
    let shape = tensor.rank == 0 ? [3] : tensor.shape.map { 2 * $0 + 1 }
    var view =
        tensor.dtype == .int32
        ? Tensor(indices: [Int32](repeating: -1, count: shape.product), shape: shape) : Tensor.full(shape, .nan)
    if tensor.rank == 0 {
        view = view.view(shape: [], strides: [], offset: 1)
    } else {
        for axis in 0..<tensor.rank { view = view.viewSliced(axis: axis, from: 1, count: tensor.shape[axis], step: 2) }
    }
    view.storeValues(of: tensor)
    return view
}

/// The first entry along an axis in the place of all, by a stride of 0.
func repeated(_ tensor: Tensor, _ axis: Int) -> Tensor {
    tensor.viewSliced(axis: axis, from: 0, count: 1).viewExpanded(tensor.shape)
}

/// Checks on inputs large enough to be split that 1, 2 and 3 threads give the same bits, output and gradients, and that
/// every instruction set agrees with the scalar one.
///
/// - Parameter inputs: Float32 ones are differentiated.
func checkSplitting(
    _ name: String, _ inputs: [Tensor], tolerance: Double = 2e-5, at location: SourceLocation = #_sourceLocation,
    _ op: ([Tensor]) -> Tensor
) {
    func evaluate(_ set: TortoiseCore.InstructionSet, _ threads: Int) -> [Tensor] {
        Execution.with(instructionSet: set, threads: threads) {
            let leaves = inputs.map { $0.dtype == .float32 ? $0.tracked() : $0 }
            let output = op(leaves)
            guard output.isTracked else { return [output] }
            let gradients = output.gradients(seed: randomTensor(output.shape, "upstream"))
            return [output.detached] + leaves.compactMap { gradients[$0] }
        }
    }
    let reference = evaluate(.scalar, 1)
    for set in TortoiseCore.InstructionSet.allCases where set.isAvailable {
        let oneThread = evaluate(set, 1)
        for (index, pair) in zip(oneThread, reference).enumerated() {
            let difference = TensorDifference(pair.0, from: pair.1)
            #expect(
                difference.error <= tolerance, "\(name) [\(set)]: result \(index) against scalar: \(difference)",
                sourceLocation: location)
        }
        for threads in [2, 3] {
            let same = zip(evaluate(set, threads), oneThread).map(haveSameBits)
            #expect(
                !same.contains(false),
                "\(name) [\(set)]: \(threads) threads against one, output and gradients: \(same)",
                sourceLocation: location)
        }
    }
}
