import TortoiseCore

/// What limits how fast a case can be.
enum Limit {
    /// Floating-point operations.
    case arithmetic(Double)
    /// What OpenBLAS alone takes for the product [m, k] × [k, n].
    case product(m: Int, n: Int, k: Int)
    /// Bytes that must come from or go to memory.
    case memory(Double)
    /// Nothing that is simply said.
    case none
}

/// Something to be timed here and, from the same description, in PyTorch.
struct Case {
    let name: String
    /// What `torch_cases.py` builds the same thing from.
    let description: [String: Any]
    let limit: Limit
    /// Makes the inputs and gives back what is timed.
    let prepare: () -> () -> Void

    init(_ name: String, _ kind: String, _ sizes: [String: Any], _ limit: Limit, _ prepare: @escaping () -> () -> Void)
    {
        self.name = name
        self.limit = limit
        self.prepare = prepare
        description = sizes.merging(["kind": kind, "name": name]) { own, _ in own }
    }
}

/// Values that look like activations, the same in each run.
func random(_ shape: Int..., seed: UInt64 = 1) -> Tensor {
    Tensor(RandomSource(seed: seed).stream.normals(shape.reduce(1, *)), shape: shape)
}
