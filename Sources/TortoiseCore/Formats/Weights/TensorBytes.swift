/// The dense, little-endian, row-major bytes of a tensor or an array: in place in a mapped file, or a copy.
///
/// Bytes in place may have any alignment: load elements unaligned, or copy them to aligned memory first.
public enum TensorBytes: Sendable {
    /// A range of a mapped file; the file stays mapped as long as this value lives.
    case mapped(MappedFile, Range<Int>)
    /// Elements that had to be gathered or decoded.
    case copied([UInt8])

    public var count: Int {
        switch self {
        case .mapped(_, let range): range.count
        case .copied(let bytes): bytes.count
        }
    }

    /// Calls a closure with the bytes; the pointer must not leave it.
    public func withUnsafeBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        switch self {
        case .mapped(let file, let range):
            try withExtendedLifetime(file) { try body(UnsafeRawBufferPointer(rebasing: file.bytes[range])) }
        case .copied(let bytes):
            try bytes.withUnsafeBytes(body)
        }
    }
}

extension TensorBytes: Equatable {
    /// Whether two values hold the same bytes, wherever they lie.
    public static func == (a: TensorBytes, b: TensorBytes) -> Bool {
        a.withUnsafeBytes { a in b.withUnsafeBytes { b in a.elementsEqual(b) } }
    }
}

extension TensorDescriptor {
    /// The dense bytes of this tensor: in place when it is contiguous, else gathered.
    ///
    /// - Precondition: The descriptor came from a reader of this file, which checked that every element lies in it.
    /// - Throws: `InputError` when the dense copy would be larger than the file (an expanded tensor).
    public func bytes(in file: MappedFile) throws -> TensorBytes {
        if count == 0 { return .copied([]) }
        if isContiguous { return .mapped(file, byteOffset..<byteOffset + byteCount) }
        guard byteCount <= file.bytes.count else {
            throw InputError.model(
                "a tensor of shape \(shape) repeats its elements to more bytes than the file has", at: file.path,
                try: "save it with .contiguous()")
        }
        let dense = gatheredElements(
            of: UnsafeRawBufferPointer(rebasing: file.bytes[byteOffset...]), shape: shape, strides: strides,
            elementSize: dtype.byteCount)
        return .copied(dense)
    }
}

/// Copies a strided tensor's elements to dense row-major memory.
///
/// - Precondition: There are elements, and all of them lie in the source.
func gatheredElements(
    of source: UnsafeRawBufferPointer, shape: [Int], strides: [Int], elementSize: Int
) -> [UInt8] {
    let byteCount = shape.reduce(elementSize, *)
    return [UInt8](unsafeUninitializedCapacity: byteCount) { destination, initialized in
        guard let from = source.baseAddress, let to = UnsafeMutableRawPointer(destination.baseAddress),
            let columns = shape.last, let columnStride = strides.last
        else { return }
        var index = [Int](repeating: 0, count: shape.count)
        var output = to
        for _ in 0..<shape.dropLast().reduce(1, *) {
            var input = from
            for axis in 0..<shape.count - 1 { input += index[axis] * strides[axis] * elementSize }
            for column in 0..<columns {
                output.copyMemory(from: input + column * columnStride * elementSize, byteCount: elementSize)
                output += elementSize
            }
            // The index of the next row, like an odometer.
            for axis in (0..<shape.count - 1).reversed() {
                index[axis] += 1
                if index[axis] < shape[axis] { break }
                index[axis] = 0
            }
        }
        initialized = byteCount
    }
}
