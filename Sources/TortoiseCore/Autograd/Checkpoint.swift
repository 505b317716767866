/// Computes a block without keeping its activations: they are computed again when the gradient is asked for.
///
/// Memory falls from all activations of the block to its inputs, for one more forward pass (Chen et al., "Training deep
/// nets with sublinear memory cost", 2016). What the block uses, inputs and parameters alike, is found from the record
/// of the first pass, so `block` may capture anything.
///
/// - Parameter block: Computes a tensor; called twice, and must do the same both times. Randomness that is keyed
///   (`RandomSource`) does.
public func checkpoint(_ block: @escaping () -> Tensor) -> Tensor {
    let horizon = GraphNode.horizon
    let first = block()
    guard let root = first.node else { return first }
    guard root.id >= horizon else { return first }
    let used = nodesOlder(than: horizon, reachedFrom: root)
    var result = first.detached
    result.node = GraphNode("checkpoint", inputs: used) { gradient in
        let horizon = GraphNode.horizon
        guard let root = block().node else {
            preconditionFailure("checkpoint: the block computed an untracked tensor the second time")
        }
        let gradients = backpropagate(from: root, seed: gradient, stoppingBefore: horizon)
        return used.map { gradients[$0] }
    }
    return result
}

/// The nodes made before `horizon` that a computation ends at, each once.
private func nodesOlder(than horizon: UInt64, reachedFrom root: GraphNode) -> [GraphNode] {
    var seen: Set<UInt64> = [root.id]
    var pending = [root]
    var older: [GraphNode] = []
    while let node = pending.popLast() {
        guard node.id >= horizon else {
            older.append(node)
            continue
        }
        for case let input? in node.inputs where seen.insert(input.id).inserted { pending.append(input) }
    }
    return older
}
