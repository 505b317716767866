// Views and rearrangements. Forward passes share storage where they can; pullbacks put gradients back in place.

extension Tensor {
    /// The same elements under another shape; one size may be −1 and follows from the others.
    ///
    /// Shares storage when the elements lie so that it can, else copies.
    /// - Precondition: the element counts agree.
    public func reshaped(_ sizes: Int...) -> Tensor { reshaped(sizes) }

    /// The same elements under another shape; one size may be −1 and follows from the others.
    public func reshaped(_ sizes: [Int]) -> Tensor {
        let newShape = resolveShape(sizes)
        let result =
            detached.viewReshaped(newShape)
            ?? contiguousValues.view(
                shape: newShape, strides: newShape.denseStrides, offset: 0)
        let shape = shape
        return result.recorded("reshape", from: self) { [$0.reshaped(shape)] }
    }

    private func resolveShape(_ sizes: [Int]) -> [Int] {
        guard let free = sizes.firstIndex(of: -1) else {
            precondition(sizes.product == count, "reshape: \(shape) cannot become \(sizes)")
            return sizes
        }
        let known = sizes.enumerated().filter { $0.offset != free }.map(\.element).product
        precondition(known > 0 && count % known == 0, "reshape: \(shape) cannot become \(sizes)")
        var resolved = sizes
        resolved[free] = count / known
        return resolved
    }

    /// The axes in another order: axis `axes[i]` becomes axis i.
    ///
    /// - Precondition: `axes` names every axis once.
    public func permuted(_ axes: Int...) -> Tensor { permuted(axes) }

    /// The axes in another order: axis `axes[i]` becomes axis i.
    public func permuted(_ axes: [Int]) -> Tensor {
        let axes = axes.map(resolve)
        precondition(axes.sorted() == Array(0..<rank), "permute: \(axes) does not reorder the axes of \(shape)")
        var inverse = axes
        for (position, axis) in axes.enumerated() { inverse[axis] = position }
        return detached.viewPermuted(axes).recorded("permute", from: self) { [$0.permuted(inverse)] }
    }

    /// Two axes exchanged; the last two unless others are named.
    public func transposed(_ first: Int = -2, _ second: Int = -1) -> Tensor {
        var axes = Array(0..<rank)
        axes.swapAt(resolve(first), resolve(second))
        return permuted(axes)
    }

    /// Every `step`-th of the elements `range` along an axis.
    ///
    /// - Precondition: the range lies within the axis.
    public func sliced(_ axis: Int, _ range: Range<Int>, step: Int = 1) -> Tensor {
        let axis = resolve(axis)
        precondition(
            step > 0 && range.lowerBound >= 0 && range.upperBound <= shape[axis],
            "slice: \(range) by \(step) of axis \(axis) of \(shape)")
        let taken = (range.count + step - 1) / step
        let result = detached.viewSliced(axis: axis, from: range.lowerBound, count: taken, step: step)
        let shape = shape
        return result.recorded("slice", from: self) { gradient in
            let whole = Tensor.zeros(shape)
            whole.viewSliced(axis: axis, from: range.lowerBound, count: taken, step: step).storeValues(of: gradient)
            return [whole]
        }
    }

    /// The elements at one position of an axis, without that axis.
    public func select(_ axis: Int, _ index: Int) -> Tensor {
        let axis = resolve(axis)
        return sliced(axis, index..<index + 1).squeezed(axis)
    }

    /// The tensor cut along an axis into pieces of these sizes.
    ///
    /// - Precondition: the sizes add up to the axis.
    public func split(_ sizes: [Int], axis: Int) -> [Tensor] {
        precondition(sizes.reduce(0, +) == size(axis), "split: \(sizes) of axis \(axis) of \(shape)")
        var start = 0
        return sizes.map { size in
            defer { start += size }
            return sliced(axis, start..<start + size)
        }
    }

    /// The tensor cut along an axis into equal pieces.
    ///
    /// - Precondition: the axis divides evenly.
    public func chunks(_ pieces: Int, axis: Int) -> [Tensor] {
        precondition(size(axis) % pieces == 0, "chunks: \(pieces) of axis \(axis) of \(shape)")
        return split([Int](repeating: size(axis) / pieces, count: pieces), axis: axis)
    }

    /// A new axis of size 1 before `axis`.
    public func unsqueezed(_ axis: Int) -> Tensor {
        let position = axis < 0 ? axis + rank + 1 : axis
        precondition((0...rank).contains(position), "unsqueeze: axis \(axis) of \(shape)")
        var newShape = shape
        newShape.insert(1, at: position)
        return reshaped(newShape)
    }

    /// The tensor without an axis of size 1.
    public func squeezed(_ axis: Int) -> Tensor {
        let axis = resolve(axis)
        precondition(shape[axis] == 1, "squeeze: axis \(axis) of \(shape) has more than one element")
        var newShape = shape
        newShape.remove(at: axis)
        return reshaped(newShape)
    }

    /// Axes of size 1 repeated to reach a shape, without copying; axes are aligned at the end.
    public func expanded(_ newShape: [Int]) -> Tensor {
        let shape = shape
        return detached.viewExpanded(newShape).recorded("expand", from: self) { [$0.summed(to: shape)] }
    }

    /// The same values in dense row-major order.
    public var contiguous: Tensor {
        isContiguous ? self : contiguousValues.recorded("contiguous", from: self) { [$0] }
    }
}

/// The tensors one after another along an axis.
///
/// - Precondition: the shapes agree but for that axis, and so do the types.
public func concatenated(_ tensors: [Tensor], axis: Int) -> Tensor {
    guard let first = tensors.first else { preconditionFailure("concatenate: no tensors") }
    let axis = first.resolve(axis)
    for tensor in tensors {
        var expected = first.shape
        expected[axis] = tensor.rank == first.rank ? tensor.shape[axis] : -1
        precondition(
            tensor.shape == expected && tensor.dtype == first.dtype,
            "concatenate: \(tensor.shape) and \(first.shape) along axis \(axis)")
    }
    var shape = first.shape
    shape[axis] = tensors.reduce(0) { $0 + $1.shape[axis] }
    let result = Tensor(uninitialized: shape, dtype: first.dtype)
    var start = 0
    for tensor in tensors {
        result.viewSliced(axis: axis, from: start, count: tensor.shape[axis]).storeValues(of: tensor.detached)
        start += tensor.shape[axis]
    }
    let sizes = tensors.map { $0.shape[axis] }
    return result.recorded("concatenate", from: tensors) { $0.split(sizes, axis: axis) }
}

/// The tensors side by side along a new axis.
///
/// - Precondition: all have the same shape.
public func stacked(_ tensors: [Tensor], axis: Int = 0) -> Tensor {
    concatenated(tensors.map { $0.unsqueezed(axis) }, axis: axis)
}
