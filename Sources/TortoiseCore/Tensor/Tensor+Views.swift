/// Views of the same storage, without a record: the public, tracked forms are in `Ops/Views.swift`.
extension Tensor {
    func view(shape: [Int], strides: [Int], offset: Int) -> Tensor {
        Tensor(storage: storage, shape: shape, strides: strides, offset: offset, dtype: dtype)
    }

    func viewPermuted(_ axes: [Int]) -> Tensor {
        view(shape: axes.map { shape[$0] }, strides: axes.map { strides[$0] }, offset: offset)
    }

    /// The view under another shape, or `nil` where the elements lie so that only a copy could have it.
    func viewReshaped(_ newShape: [Int]) -> Tensor? {
        if isContiguous || count == 0 { return view(shape: newShape, strides: newShape.denseStrides, offset: offset) }
        var newStrides: [Int] = []
        var axis = 0
        let old = zip(shape, strides).filter { $0.0 != 1 }
        var new = newShape[...]
        while axis < old.count {
            // A run of old axes that can be walked with one stride, against the new axes of the same extent.
            var extent = old[axis].0
            var last = axis
            while last + 1 < old.count, old[last].1 == old[last + 1].0 * old[last + 1].1 {
                last += 1
                extent *= old[last].0
            }
            var taken: [Int] = []
            while taken.product < extent, let size = new.first {
                taken.append(size)
                new.removeFirst()
            }
            guard taken.product == extent else { return nil }
            newStrides += taken.denseStrides.map { $0 * old[last].1 }
            axis = last + 1
        }
        newStrides += new.map { _ in 1 }
        return view(shape: newShape, strides: newStrides, offset: offset)
    }

    func viewSliced(axis: Int, from start: Int, count: Int, step: Int = 1) -> Tensor {
        var newShape = shape
        var newStrides = strides
        newShape[axis] = count
        newStrides[axis] *= step
        return view(shape: newShape, strides: newStrides, offset: offset + start * strides[axis])
    }

    /// The view in which axes of size 1 repeat to reach `newShape`; axes are aligned at the end.
    func viewExpanded(_ newShape: [Int]) -> Tensor {
        let added = newShape.count - rank
        precondition(added >= 0, "expand: cannot expand \(shape) to \(newShape)")
        var newStrides = [Int](repeating: 0, count: newShape.count)
        for axis in 0..<rank {
            let target = newShape[axis + added]
            precondition(shape[axis] == target || shape[axis] == 1, "expand: cannot expand \(shape) to \(newShape)")
            newStrides[axis + added] = shape[axis] == target ? strides[axis] : 0
        }
        return view(shape: newShape, strides: newStrides, offset: offset)
    }

    /// The same values in dense row-major order, untracked; `self` without a copy when they are so already.
    var contiguousValues: Tensor {
        guard !isContiguous else { return detached }
        let result = Tensor(uninitialized: shape, dtype: dtype)
        result.storeValues(of: self)
        return result
    }

    /// Writes the values of a tensor of the same shape and type into this one's storage, in place.
    ///
    /// For storage that has one owner: a fresh result, a cache, a parameter that an optimizer updates.
    func storeValues(of source: Tensor) {
        precondition(
            shape == source.shape && dtype == source.dtype,
            "store: \(source.shape) of \(source.dtype) does not fit \(shape) of \(dtype)")
        guard count > 0 else { return }
        let size = dtype.byteCount
        withExtendedLifetime((storage, source.storage)) {
            Kernel.copy(
                to: storage.base + offset * size, from: UnsafeRawPointer(source.storage.base + source.offset * size),
                elementSize: size, LoopNest(shape: shape, a: strides, b: source.strides))
        }
    }
}
