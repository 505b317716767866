import CKernels

/// A loop nest over two operands, with axes that can be walked together merged.
struct LoopNest {
    private(set) var extents: [Int] = []
    private(set) var a: [Int] = []
    private(set) var b: [Int] = []

    /// - Parameters:
    ///   - shape: The extents, innermost last.
    ///   - a: Strides of the first operand in elements.
    ///   - b: Strides of the second.
    init(shape: [Int], a aStrides: [Int], b bStrides: [Int]) {
        for axis in shape.indices where shape[axis] != 1 {
            let (extent, aStride, bStride) = (shape[axis], aStrides[axis], bStrides[axis])
            if let outer = extents.indices.last, a[outer] == aStride * extent, b[outer] == bStride * extent {
                extents[outer] *= extent
                a[outer] = aStride
                b[outer] = bStride
            } else {
                extents.append(extent)
                a.append(aStride)
                b.append(bStride)
            }
        }
        if extents.isEmpty {
            extents = [1]
            a = [1]
            b = [1]
        }
        precondition(extents.count <= Int(TK_MAX_RANK), "at most \(TK_MAX_RANK) axes can be walked, found \(shape)")
    }

    /// The number of elements walked.
    var count: Int { extents.reduce(1, *) }
    /// The number of innermost rows.
    var rows: Int { extents.dropLast().reduce(1, *) }
    /// The length of an innermost row.
    var rowLength: Int { extents[extents.count - 1] }

    /// The nest as the kernels want it.
    var kernelForm: tk_nest {
        var nest = tk_nest()
        nest.rank = Int32(extents.count)
        withUnsafeMutableBytes(of: &nest.extent) { Self.fill($0, with: extents) }
        withUnsafeMutableBytes(of: &nest.a) { Self.fill($0, with: a) }
        withUnsafeMutableBytes(of: &nest.b) { Self.fill($0, with: b) }
        return nest
    }

    private static func fill(_ bytes: UnsafeMutableRawBufferPointer, with values: [Int]) {
        for (i, value) in values.enumerated() {
            bytes.storeBytes(of: value, toByteOffset: i * MemoryLayout<Int>.stride, as: Int.self)
        }
    }

    /// The part of the nest whose outermost index lies in `range`, and how far the operands move to its start.
    func slice(outermost range: Range<Int>) -> (nest: LoopNest, aOffset: Int, bOffset: Int) {
        var part = self
        part.extents[0] = range.count
        return (part, range.lowerBound * a[0], range.lowerBound * b[0])
    }
}
