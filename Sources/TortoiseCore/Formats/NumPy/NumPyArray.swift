/// A NumPy array of numbers or booleans: its elements as they lie in the file, and how to read them.
public struct NumPyArray: Sendable, Equatable {
    public let element: NumPyElement
    public let shape: [Int]
    /// Whether the first axis is the one whose neighbours touch.
    public let isFortranOrder: Bool
    /// Whether the most significant byte comes first.
    public let isBigEndian: Bool
    /// The elements as stored.
    public let storedBytes: TensorBytes

    /// The number of elements.
    public var count: Int { shape.reduce(1, *) }

    /// Makes an array of dense row-major values; an empty shape is a scalar.
    public init<Scalar: NumPyScalar>(_ values: [Scalar], shape: [Int]) {
        precondition(values.count == shape.reduce(1, *), "NumPyArray: \(values.count) values for \(shape)")
        element = Scalar.numPyElement
        self.shape = shape
        isFortranOrder = false
        isBigEndian = false
        storedBytes = .copied(values.withUnsafeBytes { Array($0) })
    }

    /// Describes bytes of a file; nil when there are not exactly as many as the shape asks for.
    init?(
        _ element: NumPyElement, shape: [Int], isFortranOrder: Bool = false, isBigEndian: Bool = false,
        bytes: TensorBytes
    ) {
        guard let byteCount = Self.byteCount(element, shape), byteCount == bytes.count else { return nil }
        self.element = element
        self.shape = shape
        self.isFortranOrder = isFortranOrder
        self.isBigEndian = isBigEndian && element.byteCount > 1
        storedBytes = bytes
    }

    /// The bytes that a shape takes; nil when a size is negative or the product is too large.
    static func byteCount(_ element: NumPyElement, _ shape: [Int]) -> Int? {
        // The tensor type of the same width stands in for those that tensors lack.
        TensorDescriptor.elementCount(of: shape + [element.byteCount], dtype: .uint8)
    }

    /// The elements densely, row-major and little-endian: in place where they already lie so, else a copy.
    public func denseBytes() -> TensorBytes {
        let isTransposed = isFortranOrder && shape.count > 1
        guard isTransposed || isBigEndian, count > 0 else { return storedBytes }
        let size = element.byteCount
        var dense = storedBytes.withUnsafeBytes { Array($0) }
        if isTransposed {
            var stride = 1
            let strides = shape.map { length in
                defer { stride *= length }
                return stride
            }
            dense = storedBytes.withUnsafeBytes { source in
                gatheredElements(of: source, shape: shape, strides: strides, elementSize: size)
            }
        }
        if isBigEndian {
            for start in Swift.stride(from: 0, to: dense.count, by: size) {
                dense[start..<start + size].reverse()
            }
        }
        return .copied(dense)
    }

    /// The elements as numbers of a Swift type, row-major.
    ///
    /// - Throws: `InputError` when the array holds elements of another type.
    public func values<Scalar: NumPyScalar>(as _: Scalar.Type = Scalar.self, at place: String? = nil) throws -> [Scalar]
    {
        guard Scalar.numPyElement == element else {
            throw InputError.data("expected \(Scalar.numPyElement) elements and found \(element)", at: place)
        }
        return denseBytes().withUnsafeBytes { bytes in
            (0..<count).map { bytes.loadUnaligned(fromByteOffset: $0 * MemoryLayout<Scalar>.stride, as: Scalar.self) }
        }
    }

    /// The elements as whole numbers, row-major; nil for floats, and where one exceeds `Int`.
    public func integers() -> [Int]? {
        let values = (plainValues() as [CheckpointValue]).compactMap { value -> Int? in
            if case .integer(let number) = value { number } else { nil }
        }
        return values.count == count ? values : nil
    }

    /// The elements as plain values, row-major, whatever their type.
    func plainValues<Tensor>() -> [PickleValue<Tensor>] {
        denseBytes().withUnsafeBytes { bytes in
            stride(from: 0, to: bytes.count, by: element.byteCount).map { offset in
                switch element {
                case .bool: .bool(bytes.loadUnaligned(fromByteOffset: offset, as: UInt8.self) != 0)
                case .int8: .integer(Int(bytes.loadUnaligned(fromByteOffset: offset, as: Int8.self)))
                case .int16: .integer(Int(bytes.loadUnaligned(fromByteOffset: offset, as: Int16.self)))
                case .int32: .integer(Int(bytes.loadUnaligned(fromByteOffset: offset, as: Int32.self)))
                case .int64: .integer(bytes.loadUnaligned(fromByteOffset: offset, as: Int.self))
                case .uint8: .integer(Int(bytes.loadUnaligned(fromByteOffset: offset, as: UInt8.self)))
                case .uint16: .integer(Int(bytes.loadUnaligned(fromByteOffset: offset, as: UInt16.self)))
                case .uint32: .integer(Int(bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)))
                case .uint64: Self.unsigned(bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
                case .float16: .float(Double(bytes.loadUnaligned(fromByteOffset: offset, as: Float16.self)))
                case .float32: .float(Double(bytes.loadUnaligned(fromByteOffset: offset, as: Float.self)))
                case .float64: .float(bytes.loadUnaligned(fromByteOffset: offset, as: Double.self))
                }
            }
        }
    }

    private static func unsigned<Tensor>(_ value: UInt64) -> PickleValue<Tensor> {
        if let small = Int(exactly: value) { return .integer(small) }
        return .largeInteger(withUnsafeBytes(of: value.littleEndian) { Array($0) } + [0])
    }
}
