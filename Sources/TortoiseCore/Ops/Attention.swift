// Scaled dot-product attention: softmax(scale Q Kᵀ + bias) V.

/// What attention may see, and what is added to its scores.
public struct AttentionMask {
    /// Query i sees the keys up to i + keys − queries.
    public var isCausal = false
    /// Added to the scores: [batch or 1, heads or 1, queries, keys]. Gradients reach it when it has batch size 1.
    public var bias: Tensor?
    /// Added to the scores by the distance of key and query: [heads or 1, queries + keys − 1], where the element at
    /// key − query + queries − 1 is added. Memory stays linear in the lengths. Stands in the place of `bias`.
    public var relativeBias: Tensor?
    /// The number of keys of each batch entry that are real; the rest is padding.
    public var keyCounts: [Int]?
    /// Dropout of the weights, while training.
    public var dropout: Dropout?

    public init(
        causal: Bool = false, bias: Tensor? = nil, relativeBias: Tensor? = nil, keyCounts: [Int]? = nil,
        dropout: Dropout? = nil
    ) {
        isCausal = causal
        self.bias = bias
        self.relativeBias = relativeBias
        self.keyCounts = keyCounts
        self.dropout = dropout
    }

    public static var none: AttentionMask { AttentionMask() }
    public static var causal: AttentionMask { AttentionMask(causal: true) }
}

/// Attention of queries over keys and values.
///
/// Memory is linear in the lengths, forward and backward. Operands may be views in which heads were split off without
/// a copy. A query that sees no key gives 0.
/// - Parameters:
///   - q: [batch, heads, queries, width]
///   - k: [batch, heads, keys, width]
///   - v: [batch, heads, keys, width]
///   - scale: 1 / √width unless given.
/// - Returns: [batch, heads, queries, width]; merging the heads of the result ([batch, queries, heads · width]) is a view.
/// - Precondition: the shapes agree.
public func attention(_ q: Tensor, _ k: Tensor, _ v: Tensor, _ mask: AttentionMask = .none, scale: Float? = nil)
    -> Tensor
{
    let operands = AttentionOperands(q: q.detached, k: k.detached, v: v.detached)
    let result = Tensor(uninitialized: [q.size(0), q.size(2), q.size(1), q.size(3)]).viewPermuted([0, 2, 1, 3])
    return recordedAttention(operands, mask, scale: scale, result: result, inputs: [q, k, v]) {
        // Gradients lie as the operands do after the heads were split: time-major.
        let made = [q, k, v].map { Tensor(uninitialized: [$0.size(0), $0.size(2), $0.size(1), $0.size(3)]) }
        let views = made.map { $0.viewPermuted([0, 2, 1, 3]) }
        return (AttentionOperands(q: views[0], k: views[1], v: views[2]), views)
    }
}

/// How queries, keys and values lie together in the output of one projection.
public enum PackedAttentionLayout: Sendable {
    /// [batch, time, 3 · heads · width]: all queries, then all keys, then all values, as in GPT-2.
    case timeMajor
    /// [batch, heads · 3 · width, time]: each head's queries, keys and values together, as in the diffusion decoder.
    case channelMajor
}

/// Self-attention from one projection, without taking it apart.
///
/// - Parameters:
///   - qkv: The projection, laid out as `layout` says.
///   - heads: Divides its channels.
/// - Returns: [batch, time, heads · width] for the time-major layout, [batch, heads · width, time] for the other.
/// - Precondition: the channels divide by 3 · heads.
public func packedAttention(
    _ qkv: Tensor, heads: Int, layout: PackedAttentionLayout, _ mask: AttentionMask = .none, scale: Float? = nil
) -> Tensor {
    precondition(qkv.rank == 3, "attention: expected a projection of three axes, found \(qkv.shape)")
    let channels = qkv.size(layout == .timeMajor ? 2 : 1)
    precondition(heads > 0 && channels % (3 * heads) == 0, "attention: \(heads) heads of \(qkv.shape)")
    let packed = qkv.contiguousValues
    let (batch, time, width) = (qkv.size(0), qkv.size(layout == .timeMajor ? 1 : 2), channels / (3 * heads))
    let merged: Tensor
    let result: Tensor
    switch layout {
    case .timeMajor:
        merged = Tensor(uninitialized: [batch, time, heads * width])
        result = merged.splitHeads(heads)
    case .channelMajor:
        merged = Tensor(uninitialized: [batch, heads * width, time])
        result = merged.view(
            shape: [batch, heads, width, time], strides: [heads * width * time, width * time, time, 1], offset: 0
        )
        .viewPermuted([0, 1, 3, 2])
    }
    let operands = AttentionOperands(packed: packed, heads: heads, width: width, layout)
    let output = recordedAttention(operands, mask, scale: scale, result: result, inputs: [qkv]) {
        let whole = Tensor(uninitialized: packed.shape)
        return (AttentionOperands(packed: whole, heads: heads, width: width, layout), [whole])
    }
    // The result is a view of `merged` with a record; give the record the merged shape.
    return output.isTracked ? mergedHeads(output, layout) : merged
}

extension Tensor {
    /// [batch, time, heads · width] seen as [batch, heads, time, width].
    public func splitHeads(_ heads: Int) -> Tensor {
        precondition(rank == 3 && size(2) % heads == 0, "split heads: \(heads) heads of \(shape)")
        return reshaped(size(0), size(1), heads, size(2) / heads).permuted(0, 2, 1, 3)
    }

    /// [batch, heads, time, width] as [batch, time, heads · width].
    public func mergedHeads() -> Tensor {
        precondition(rank == 4, "merge heads: expected four axes, found \(shape)")
        return permuted(0, 2, 1, 3).reshaped(size(0), size(2), size(1) * size(3))
    }
}

private func mergedHeads(_ output: Tensor, _ layout: PackedAttentionLayout) -> Tensor {
    switch layout {
    case .timeMajor: output.mergedHeads()
    case .channelMajor:
        output.permuted(0, 1, 3, 2).reshaped(output.size(0), output.size(1) * output.size(3), output.size(2))
    }
}

/// Computes attention into `result`, with a record that writes the gradients to where `makeGradients` wants them.
private func recordedAttention(
    _ operands: AttentionOperands, _ mask: AttentionMask, scale: Float?, result: Tensor, inputs: [Tensor],
    makeGradients: @escaping () -> (AttentionOperands, [Tensor])
) -> Tensor {
    let task = AttentionTask(operands, mask, scale: scale)
    let logSumExp = Tensor(uninitialized: Array(operands.q.shape.dropLast()))
    task.forward(into: result, logSumExp)
    let bias = mask.bias ?? mask.relativeBias
    let tracked = inputs + [bias].compactMap { $0 }
    return result.recorded("attention", from: tracked) { gradient in
        let (destinations, gradients) = makeGradients()
        let dBias = task.backward(
            result.detached, logSumExp, gradient, into: destinations, biasIsTracked: bias?.isTracked == true)
        return gradients + (bias.map { [dBias?.reshaped($0.shape)] } ?? [])
    }
}

/// Queries, keys and values as views [batch, heads, time, width].
private struct AttentionOperands {
    let q, k, v: Tensor

    init(q: Tensor, k: Tensor, v: Tensor) {
        precondition(
            q.rank == 4 && k.rank == 4 && v.shape == k.shape && q.size(0) == k.size(0) && q.size(1) == k.size(1)
                && q.size(3) == k.size(3),
            "attention: queries \(q.shape), keys \(k.shape), values \(v.shape)")
        self.q = q.readableByAttention
        self.k = k.readableByAttention
        self.v = v.readableByAttention
    }

    init(packed: Tensor, heads: Int, width: Int, _ layout: PackedAttentionLayout) {
        let (batch, channels) = (packed.size(0), 3 * heads * width)
        let views = (0..<3).map { part -> Tensor in
            switch layout {
            case .timeMajor:
                let time = packed.size(1)
                return packed.view(
                    shape: [batch, heads, time, width], strides: [time * channels, width, channels, 1],
                    offset: packed.offset + part * heads * width)
            case .channelMajor:
                let time = packed.size(2)
                return packed.view(
                    shape: [batch, heads, time, width], strides: [time * channels, 3 * width * time, 1, time],
                    offset: packed.offset + part * width * time)
            }
        }
        (q, k, v) = (views[0], views[1], views[2])
    }
}

extension Tensor {
    /// The tensor itself when time or width has stride 1, else a dense copy.
    fileprivate var readableByAttention: Tensor {
        let isReadable = strides[3] == 1 && strides[2] >= shape[3] || strides[2] == 1 && strides[3] >= shape[2]
        return isReadable ? self : contiguousValues
    }

    fileprivate func attentionOperand(_ base: Floats) -> AttentionOperand {
        AttentionOperand(
            base: base, batchStride: strides[0], headStride: strides[1], timeStride: strides[2], widthStride: strides[3]
        )
    }
}

extension AttentionMask {
    /// Where each score finds its bias.
    fileprivate func biasLayout(batch: Int, heads: Int, queries: Int, keys: Int) -> AttentionBias {
        precondition(bias == nil || relativeBias == nil, "attention: a bias by position and one by distance together")
        var layout = AttentionBias()
        if let bias {
            precondition(
                bias.rank == 4 && [1, batch].contains(bias.size(0)) && [1, heads].contains(bias.size(1))
                    && Array(bias.shape.suffix(2)) == [queries, keys],
                "attention: bias \(bias.shape) for scores \([batch, heads, queries, keys])")
            precondition(
                !bias.isTracked || bias.size(0) == 1, "attention: a tracked bias has batch size 1, found \(bias.shape)")
            layout.count = queries * keys
            layout.queryStride = keys
            layout.headStride = bias.size(1) == 1 ? 0 : layout.count
            layout.batchStride = bias.size(0) == 1 ? 0 : bias.size(1) * layout.count
        }
        if let relativeBias {
            layout.count = queries + keys - 1
            precondition(
                relativeBias.rank == 2 && [1, heads].contains(relativeBias.size(0))
                    && relativeBias.size(1) == layout.count,
                "attention: relative bias \(relativeBias.shape) for scores \([batch, heads, queries, keys])")
            layout.queryStride = -1
            layout.start = queries - 1
            layout.headStride = relativeBias.size(0) == 1 ? 0 : layout.count
        }
        return layout
    }
}

/// One attention with everything its gradient needs.
private struct AttentionTask {
    private let operands: AttentionOperands
    private let plan: AttentionPlan
    private let bias: Tensor?
    private let keyMask: [UInt8]?

    init(_ operands: AttentionOperands, _ mask: AttentionMask, scale: Float?) {
        let (q, k) = (operands.q, operands.k)
        let (batch, heads, queries, keys) = (q.size(0), q.size(1), q.size(2), k.size(2))
        var plan = AttentionPlan(
            batch: batch, heads: heads, queries: queries, keys: keys, width: q.size(3),
            scale: scale ?? 1 / Float(q.size(3)).squareRoot(), isCausal: mask.isCausal)
        plan.bias = mask.biasLayout(batch: batch, heads: heads, queries: queries, keys: keys)
        keyMask = mask.keyCounts.map { counts in
            precondition(
                counts.count == batch && counts.allSatisfy { (0...keys).contains($0) },
                "attention: key counts \(counts) for \(batch) batch entries of \(keys) keys")
            return counts.flatMap { count in (0..<keys).map { $0 < count ? 1 : 0 } }
        }
        plan.dropout = mask.dropout
        bias = (mask.bias ?? mask.relativeBias)?.contiguousValues
        self.operands = operands
        self.plan = plan
    }

    func forward(into result: Tensor, _ logSumExp: Tensor) {
        let (q, k, v) = (operands.q, operands.k, operands.v)
        guard result.count > 0 else { return }
        withPlan { plan in
            withFloats(q, k, v) { qBase, kBase, vBase in
                withFloats(result, logSumExp) { output, lse in
                    Kernel.attend(
                        plan, q: q.attentionOperand(qBase), k: k.attentionOperand(kBase), v: v.attentionOperand(vBase),
                        output: result.attentionOperand(output), logSumExp: lse)
                }
            }
        }
    }

    func backward(
        _ output: Tensor, _ logSumExp: Tensor, _ gradient: Tensor, into gradients: AttentionOperands,
        biasIsTracked: Bool
    ) -> Tensor? {
        let dOutput = gradient.readableByAttention
        let dBias = biasIsTracked ? bias.map { Tensor.zeros($0.shape) } : nil
        guard output.count > 0 else { return dBias }
        withPlan { plan in
            withFloats(operands.q, operands.k, operands.v) { q, k, v in
                withFloats(output, dOutput, logSumExp) { o, dO, lse in
                    withFloats(gradients.q, gradients.k, gradients.v) { dq, dk, dv in
                        withOptionalFloats(dBias) { dBias in
                            Kernel.attendGradient(
                                plan, q: operands.q.attentionOperand(q), k: operands.k.attentionOperand(k),
                                v: operands.v.attentionOperand(v), output: output.attentionOperand(o), logSumExp: lse,
                                dOutput: dOutput.attentionOperand(dO), dq: gradients.q.attentionOperand(dq),
                                dk: gradients.k.attentionOperand(dk), dv: gradients.v.attentionOperand(dv), dBias: dBias
                            )
                        }
                    }
                }
            }
        }
        return dBias
    }

    private func withPlan(_ body: (AttentionPlan) -> Void) {
        withOptionalFloats(bias) { bias in
            var plan = plan
            plan.bias.base = bias.map { UnsafePointer($0) }
            guard let keyMask else { return body(plan) }
            keyMask.withUnsafeBufferPointer { mask in
                plan.keyMask = mask.baseAddress
                body(plan)
            }
        }
    }
}
