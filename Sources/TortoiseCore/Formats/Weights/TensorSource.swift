/// A tensor on its way to a file: its type, its shape, and where its bytes come from.
///
/// Content is asked for in chunks while the file is written, so that a model is never held twice.
public struct TensorSource {
    public let dtype: DType
    public let shape: [Int]
    private let content: Content

    private enum Content {
        case bytes(UnsafeRawBufferPointer)
        case chunks((_ offset: Int, _ chunk: UnsafeMutableRawBufferPointer) throws -> Void)
    }

    /// The most bytes that a chunk has; a multiple of every element size.
    static let chunkByteCount = 1 << 20

    /// A tensor whose dense little-endian bytes lie in memory that outlives the writing.
    public init(dtype: DType, shape: [Int], bytes: UnsafeRawBufferPointer) {
        self.dtype = dtype
        self.shape = shape
        content = .bytes(bytes)
        precondition(bytes.count == byteCount, "TensorSource: \(bytes.count) bytes for \(dtype) \(shape)")
    }

    /// A tensor whose bytes a closure fills in, chunk by chunk in order, from a byte offset that is a whole element.
    public init(
        dtype: DType, shape: [Int],
        fill: @escaping (_ offset: Int, _ chunk: UnsafeMutableRawBufferPointer) throws -> Void
    ) {
        self.dtype = dtype
        self.shape = shape
        content = .chunks(fill)
    }

    /// A tensor of an array's elements, which must be laid out as the type says.
    public init<Element: BitwiseCopyable>(_ values: [Element], dtype: DType, shape: [Int]) {
        self.init(dtype: dtype, shape: shape) { offset, chunk in
            values.withUnsafeBytes { chunk.copyMemory(from: .init(rebasing: $0[offset..<offset + chunk.count])) }
        }
        precondition(
            values.count * MemoryLayout<Element>.stride == byteCount, "TensorSource: \(values.count) for \(shape)")
    }

    /// A float32 tensor; an empty shape is a scalar.
    public init(_ values: [Float], shape: [Int]) {
        self.init(values, dtype: .float32, shape: shape)
    }

    /// A tensor of an open checkpoint, copied as it is.
    public init(_ descriptor: TensorDescriptor, in file: MappedFile) throws {
        let bytes = try descriptor.bytes(in: file)
        self.init(dtype: descriptor.dtype, shape: descriptor.shape) { offset, chunk in
            bytes.withUnsafeBytes { chunk.copyMemory(from: .init(rebasing: $0[offset..<offset + chunk.count])) }
        }
    }

    /// The number of elements.
    public var count: Int { shape.reduce(1, *) }
    /// The number of bytes.
    public var byteCount: Int { count * dtype.byteCount }

    /// Hands the bytes to a closure, chunk by chunk.
    func forEachChunk(_ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        switch content {
        case .bytes(let bytes):
            for start in stride(from: 0, to: bytes.count, by: Self.chunkByteCount) {
                let end = min(start + Self.chunkByteCount, bytes.count)
                try body(UnsafeRawBufferPointer(rebasing: bytes[start..<end]))
            }
        case .chunks(let fill):
            let size = min(Self.chunkByteCount, byteCount)
            let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 64)
            defer { buffer.deallocate() }
            for start in stride(from: 0, to: byteCount, by: max(size, 1)) {
                let chunk = UnsafeMutableRawBufferPointer(rebasing: buffer[..<min(size, byteCount - start)])
                try fill(start, chunk)
                try body(UnsafeRawBufferPointer(chunk))
            }
        }
    }
}
