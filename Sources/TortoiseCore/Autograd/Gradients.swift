/// The gradients of one value with respect to the leaves it was computed from.
public struct Gradients {
    private var byNode: [UInt64: Tensor] = [:]

    public init() {}

    /// The gradient of a leaf; `nil` when the value did not depend on it.
    public subscript(_ leaf: Tensor) -> Tensor? {
        guard let node = leaf.node else { return nil }
        return byNode[node.id]
    }

    subscript(_ node: GraphNode) -> Tensor? { byNode[node.id] }

    /// Adds the gradients of another value: gradient accumulation over micro-batches.
    public mutating func add(_ other: Gradients) {
        for (id, gradient) in other.byNode { accumulate(gradient, at: id) }
    }

    /// Adds to the gradient at a node, in place where nobody else sees the tensor that is there.
    mutating func accumulate(_ gradient: Tensor, at id: UInt64) {
        guard var sum = byNode.removeValue(forKey: id) else {
            byNode[id] = gradient
            return
        }
        precondition(
            sum.shape == gradient.shape, "gradients of one tensor have shapes \(sum.shape) and \(gradient.shape)")
        let addend = gradient.contiguousValues
        if isKnownUniquelyReferenced(&sum.storage), sum.isContiguous {
            withFloats(sum, addend) { Kernel.accumulate($0, $1, count: addend.count) }
            byNode[id] = sum
        } else {
            byNode[id] = sum + addend
        }
    }

    mutating func remove(_ node: GraphNode) -> Tensor? { byNode.removeValue(forKey: node.id) }
}

extension Tensor {
    /// The gradients of this scalar with respect to every tracked leaf it depends on.
    ///
    /// The recorded computation is used up: its memory is given back step by step while this runs.
    ///
    /// - Parameter scale: A factor for all of them: 1 / micro-batches when gradients are accumulated.
    /// - Precondition: the tensor has one element and is tracked.
    public func gradients(scale: Float = 1) -> Gradients {
        precondition(count == 1, "gradients: expected a scalar, found shape \(shape)")
        return gradients(seed: Tensor.full(shape, scale))
    }

    /// The gradients of the inner product of this tensor with `seed`.
    ///
    /// - Precondition: the tensor is tracked and `seed` has its shape.
    public func gradients(seed: Tensor) -> Gradients {
        precondition(seed.shape == shape, "gradients: a seed of shape \(seed.shape) for a tensor of shape \(shape)")
        guard let node else { preconditionFailure("gradients: the tensor is not tracked") }
        return backpropagate(from: node, seed: seed.detached, stoppingBefore: 0)
    }
}

/// Walks the recorded computation backwards from `root`.
///
/// Nodes older than `horizon` count as leaves, which is how a checkpointed block finds the gradients of what it used.
func backpropagate(from root: GraphNode, seed: Tensor, stoppingBefore horizon: UInt64) -> Gradients {
    var gradients = Gradients()
    gradients.accumulate(seed, at: root.id)
    var queue = NodeQueue()
    queue.insert(root)
    while let node = queue.popNewest() {
        guard !node.isLeaf, node.id >= horizon else { continue }
        let pullback = node.consume()
        let inputs = node.releaseInputs()
        guard let gradient = gradients.remove(node) else { continue }
        let results = pullback(gradient)
        precondition(results.count == inputs.count, "\(node.operation): a gradient per input")
        for (input, result) in zip(inputs, results) {
            guard let input, let result else { continue }
            precondition(!result.isTracked, "\(node.operation): a pullback must compute with untracked tensors")
            gradients.accumulate(result, at: input.id)
            queue.insert(input)
        }
    }
    return gradients
}

/// The nodes still to visit, each once, newest first: a binary heap on ids.
private struct NodeQueue {
    private var heap: [GraphNode] = []
    private var known: Set<UInt64> = []

    mutating func insert(_ node: GraphNode) {
        guard known.insert(node.id).inserted else { return }
        heap.append(node)
        var child = heap.count - 1
        while child > 0, heap[(child - 1) / 2].id < heap[child].id {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    mutating func popNewest() -> GraphNode? {
        guard !heap.isEmpty else { return nil }
        heap.swapAt(0, heap.count - 1)
        let newest = heap.removeLast()
        var parent = 0
        while true {
            let left = 2 * parent + 1
            guard left < heap.count else { break }
            let larger = left + 1 < heap.count && heap[left + 1].id > heap[left].id ? left + 1 : left
            guard heap[larger].id > heap[parent].id else { break }
            heap.swapAt(parent, larger)
            parent = larger
        }
        return newest
    }
}
