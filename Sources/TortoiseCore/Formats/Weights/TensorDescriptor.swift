/// Where a tensor lies in a file and how its elements are laid out there.
public struct TensorDescriptor: Sendable, Equatable {
    public let dtype: DType
    public let shape: [Int]
    /// The distance between neighbours along each axis, in elements.
    public let strides: [Int]
    /// The file's byte at which the first element starts; of any alignment.
    public let byteOffset: Int

    /// Describes a dense row-major tensor, or one with the strides given.
    ///
    /// - Precondition: The shape came through `elementCount(of:)`, and there are as many strides as axes.
    public init(dtype: DType, shape: [Int], strides: [Int]? = nil, byteOffset: Int) {
        self.dtype = dtype
        self.shape = shape
        self.strides = strides ?? Self.denseStrides(shape)
        self.byteOffset = byteOffset
        precondition(self.strides.count == shape.count, "a tensor has one stride per axis")
    }

    /// The number of elements.
    public var count: Int { shape.reduce(1, *) }

    /// The bytes that the elements take when they lie densely.
    public var byteCount: Int { count * dtype.byteCount }

    /// Whether the elements lie densely in row-major order, so that they can be used in place.
    public var isContiguous: Bool {
        if shape.contains(0) { return true }
        var expected = 1
        for (size, stride) in zip(shape, strides).reversed() where size != 1 {
            guard stride == expected else { return false }
            expected *= size
        }
        return true
    }

    /// The number of elements of a shape; nil when a size is negative or the bytes would overflow.
    public static func elementCount(of shape: [Int], dtype: DType) -> Int? {
        var bytes = dtype.byteCount
        guard shape.allSatisfy({ $0 >= 0 }) else { return nil }
        // An axis of size 0 makes the product 0, but the others must stay harmless to stride over, too.
        for size in shape where size > 0 {
            let (product, overflow) = bytes.multipliedReportingOverflow(by: size)
            if overflow { return nil }
            bytes = product
        }
        return shape.contains(0) ? 0 : bytes / dtype.byteCount
    }

    static func denseStrides(_ shape: [Int]) -> [Int] {
        var strides = shape
        var stride = 1
        for axis in shape.indices.reversed() {
            strides[axis] = stride
            stride *= max(1, shape[axis])
        }
        return strides
    }
}
