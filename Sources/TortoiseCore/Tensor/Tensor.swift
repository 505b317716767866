import Foundation

/// An array of numbers with a shape: a cheap handle over shared storage.
///
/// Copies and views share storage, and no public operation writes to it, so a tensor behaves as a value. Arithmetic is
/// float32; other element types hold indices and stored weights. A tensor that takes part in training is *tracked*:
/// operations on it record how to find gradients (see `GraphNode`); operations on untracked tensors record nothing.
///
/// Not `Sendable`: a tensor stays on the thread that made it.
public struct Tensor {
    /// The size along each axis; empty for a scalar.
    public let shape: [Int]
    /// Elements of storage between neighbours along each axis; 0 along an expanded axis.
    public let strides: [Int]
    /// The type of the elements.
    public let dtype: DType
    /// The position of the first element in the storage, in elements.
    let offset: Int
    /// Shared with copies and views. A `var` only so that uniqueness can be asked.
    var storage: Storage
    /// Where this tensor came from in the recorded computation; `nil` when untracked.
    var node: GraphNode?

    init(storage: Storage, shape: [Int], strides: [Int], offset: Int, dtype: DType, node: GraphNode? = nil) {
        self.storage = storage
        self.shape = shape
        self.strides = strides
        self.offset = offset
        self.dtype = dtype
        self.node = node
    }

    /// The number of axes.
    public var rank: Int { shape.count }
    /// The number of elements.
    public var count: Int { shape.product }
    /// Whether gradients can flow back through this tensor.
    public var isTracked: Bool { node != nil }
    /// The same values, cut off from the recorded computation.
    public var detached: Tensor {
        Tensor(storage: storage, shape: shape, strides: strides, offset: offset, dtype: dtype)
    }

    /// The size along an axis; negative axes count from the end.
    public func size(_ axis: Int) -> Int { shape[resolve(axis)] }

    /// Turns a negative axis into its position.
    ///
    /// - Precondition: the axis exists.
    func resolve(_ axis: Int) -> Int {
        precondition(axis >= -rank && axis < rank, "axis \(axis) of a tensor of shape \(shape)")
        return axis < 0 ? axis + rank : axis
    }

    /// Whether the elements lie one after another in row-major order.
    public var isContiguous: Bool {
        var expected = 1
        for (size, stride) in zip(shape, strides).reversed() where size != 1 {
            guard stride == expected || size == 0 else { return false }
            expected *= size
        }
        return true
    }
}

extension Array where Element == Int {
    /// The product of the sizes; 1 for no axes.
    var product: Int { reduce(1, *) }

    /// Strides of a dense row-major array of this shape.
    var denseStrides: [Int] {
        var strides = [Int](repeating: 1, count: count)
        var step = 1
        for axis in indices.reversed() {
            strides[axis] = step
            step *= Swift.max(self[axis], 1)
        }
        return strides
    }
}

// MARK: - Making tensors

extension Tensor {
    /// A dense tensor whose contents are undefined until written.
    init(uninitialized shape: [Int], dtype: DType = .float32) {
        precondition(shape.allSatisfy { $0 >= 0 }, "a tensor cannot have shape \(shape)")
        self.init(
            storage: Storage(byteCount: shape.product * dtype.byteCount), shape: shape, strides: shape.denseStrides,
            offset: 0, dtype: dtype)
    }

    /// A dense tensor that `write` fills, given where its elements lie.
    static func filled(_ shape: [Int], _ write: (UnsafeMutablePointer<Float>) -> Void) -> Tensor {
        let tensor = Tensor(uninitialized: shape)
        withFloats(tensor, write)
        return tensor
    }

    /// A tensor with these values in row-major order.
    ///
    /// - Precondition: there are as many values as the shape holds.
    public init(_ values: [Float], shape: [Int]) {
        precondition(values.count == shape.product, "\(values.count) values do not fill shape \(shape)")
        self.init(uninitialized: shape)
        values.withUnsafeBytes {
            storage.base.copyMemory(from: $0.baseAddress ?? UnsafeRawPointer(storage.base), byteCount: $0.count)
        }
    }

    /// A vector.
    public init(_ values: [Float]) { self.init(values, shape: [values.count]) }

    /// A scalar.
    public init(_ value: Float) { self.init([value], shape: []) }

    /// A tensor of indices with these values in row-major order.
    ///
    /// - Precondition: there are as many values as the shape holds.
    public init(indices values: [Int32], shape: [Int]) {
        precondition(values.count == shape.product, "\(values.count) indices do not fill shape \(shape)")
        self.init(uninitialized: shape, dtype: .int32)
        values.withUnsafeBytes {
            storage.base.copyMemory(from: $0.baseAddress ?? UnsafeRawPointer(storage.base), byteCount: $0.count)
        }
    }

    /// A vector of indices.
    public init(indices values: [Int32]) { self.init(indices: values, shape: [values.count]) }

    /// A tensor over bytes that somebody else keeps alive, such as a weight in a mapped file.
    ///
    /// - Precondition: there are enough bytes for the shape, and they are aligned for the element type.
    public init(viewing bytes: UnsafeRawBufferPointer, owner: AnyObject, shape: [Int], dtype: DType) {
        precondition(
            bytes.count >= shape.product * dtype.byteCount, "\(bytes.count) bytes do not hold \(shape) of \(dtype)")
        precondition(
            Int(bitPattern: bytes.baseAddress) % dtype.byteCount == 0, "the bytes are not aligned for \(dtype)")
        self.init(
            storage: Storage(viewing: bytes, owner: owner), shape: shape, strides: shape.denseStrides, offset: 0,
            dtype: dtype)
    }

    /// A tensor in which every element is `value`.
    public static func full(_ shape: [Int], _ value: Float) -> Tensor {
        let count = shape.product
        return filled(shape) { $0.update(repeating: value, count: count) }
    }

    /// A tensor of zeros.
    public static func zeros(_ shape: [Int]) -> Tensor { full(shape, 0) }
    /// A tensor of ones.
    public static func ones(_ shape: [Int]) -> Tensor { full(shape, 1) }

    /// The numbers 0, 1, … `count` − 1.
    public static func range(_ count: Int) -> Tensor {
        filled([count]) { values in for i in 0..<count { values[i] = Float(i) } }
    }
}

// MARK: - Reading values

extension Tensor {
    /// The values in row-major order.
    ///
    /// - Precondition: the tensor is float32.
    public var values: [Float] {
        let dense = contiguousValues
        return withFloats(dense) { Array(UnsafeBufferPointer(start: $0, count: dense.count)) }
    }

    /// The indices in row-major order.
    ///
    /// - Precondition: the tensor is int32.
    public var indexValues: [Int32] {
        let dense = contiguousValues
        return withIndices(dense) { Array(UnsafeBufferPointer(start: $0, count: dense.count)) }
    }

    /// The value of a tensor that has just one.
    ///
    /// - Precondition: the tensor has one element.
    public var item: Float {
        precondition(count == 1, "item: expected one element, found shape \(shape)")
        return withFloats(self) { $0[0] }
    }
}

extension Tensor: CustomStringConvertible {
    /// Shape, type and the first values.
    public var description: String {
        let head: String
        switch dtype {
        case .float32: head = values.prefix(8).map { String(format: "%.5g", $0) }.joined(separator: ", ")
        case .int32: head = indexValues.prefix(8).map(String.init).joined(separator: ", ")
        default: head = ""
        }
        return "Tensor \(shape) \(dtype)\(isTracked ? " tracked" : "") [\(head)\(count > 8 ? ", …" : "")]"
    }
}
