import Synchronization

/// One recorded operation: what it was made from, and how a gradient of its result becomes gradients of its inputs.
///
/// Ids grow in the order of creation, so descending ids are a reverse order of the computation and no sort of the graph
/// is needed. A leaf has no pullback: its gradient is what the caller of `gradients` wants.
final class GraphNode {
    /// Turns the gradient of the result into the gradients of the inputs; `nil` for an input that needs none.
    typealias Pullback = (Tensor) -> [Tensor?]

    let id: UInt64
    let operation: StaticString
    /// Whether this is where a computation starts.
    let isLeaf: Bool
    private(set) var inputs: [GraphNode?]
    private(set) var pullback: Pullback?

    private static let nextId = Atomic<UInt64>(1)

    /// The id that the next node will have at least.
    static var horizon: UInt64 { nextId.load(ordering: .relaxed) }

    /// A leaf.
    init() {
        id = Self.nextId.wrappingAdd(1, ordering: .relaxed).oldValue
        operation = "leaf"
        isLeaf = true
        inputs = []
        pullback = nil
    }

    init(_ operation: StaticString, inputs: [GraphNode?], pullback: @escaping Pullback) {
        id = Self.nextId.wrappingAdd(1, ordering: .relaxed).oldValue
        self.operation = operation
        isLeaf = false
        self.inputs = inputs
        self.pullback = pullback
    }

    /// Takes the pullback out, with the values it holds; each may run once.
    func consume() -> Pullback {
        guard let pullback else {
            preconditionFailure("\(operation): the gradients of this computation were taken before; compute it again")
        }
        self.pullback = nil
        return pullback
    }

    /// Lets go of the nodes before this one.
    func releaseInputs() -> [GraphNode?] {
        defer { inputs = [] }
        return inputs
    }

    /// A long chain of nodes would otherwise be released by recursion, one stack frame per node.
    deinit {
        guard !inputs.isEmpty else { return }
        var pending = inputs
        inputs = []
        pullback = nil
        while !pending.isEmpty {
            // Taken out without a second reference, or no node would ever be found unique.
            guard var node = pending.removeLast() else { continue }
            guard isKnownUniquelyReferenced(&node) else { continue }
            node.pullback = nil
            pending += node.releaseInputs()
        }
    }
}

extension Tensor {
    /// The same values as the start of a recorded computation: a leaf, whose gradient can be asked for.
    public func tracked() -> Tensor {
        precondition(dtype == .float32, "only float32 tensors can be tracked, found \(dtype)")
        var leaf = detached
        leaf.node = GraphNode()
        return leaf
    }

    /// This result with a record of how to find the gradients of the inputs, if any of those is tracked.
    ///
    /// The pullback must work on untracked tensors only, and may return `nil` for inputs that are not tracked.
    func recorded(_ operation: StaticString, from inputs: Tensor..., pullback: @escaping GraphNode.Pullback) -> Tensor {
        recorded(operation, from: inputs, pullback: pullback)
    }

    func recorded(_ operation: StaticString, from inputs: [Tensor], pullback: @escaping GraphNode.Pullback) -> Tensor {
        guard inputs.contains(where: \.isTracked) else { return self }
        var result = self
        result.node = GraphNode(operation, inputs: inputs.map(\.node), pullback: pullback)
        return result
    }
}
