/// Access to elements for the length of a call, during which the storage is kept alive.
///
/// The pointers are mutable because the same functions serve results that have just been made; inputs are only read.

func withElements<Element, Result>(
    _ tensor: Tensor, as type: Element.Type, _ body: (UnsafeMutablePointer<Element>) throws -> Result
) rethrows -> Result {
    precondition(
        MemoryLayout<Element>.stride == tensor.dtype.byteCount, "expected \(type) elements, found \(tensor.dtype)")
    return try withExtendedLifetime(tensor.storage) {
        try body(tensor.storage.base.assumingMemoryBound(to: Element.self) + tensor.offset)
    }
}

typealias Floats = UnsafeMutablePointer<Float>
typealias Indices = UnsafeMutablePointer<Int32>

func withFloats<Result>(_ a: Tensor, _ body: (Floats) throws -> Result) rethrows -> Result {
    precondition(a.dtype == .float32, "expected a float32 tensor, found \(a.dtype)")
    return try withElements(a, as: Float.self, body)
}

func withFloats<Result>(_ a: Tensor, _ b: Tensor, _ body: (Floats, Floats) throws -> Result) rethrows -> Result {
    try withFloats(a) { a in try withFloats(b) { b in try body(a, b) } }
}

func withFloats<Result>(
    _ a: Tensor, _ b: Tensor, _ c: Tensor, _ body: (Floats, Floats, Floats) throws -> Result
) rethrows -> Result {
    try withFloats(a, b) { a, b in try withFloats(c) { c in try body(a, b, c) } }
}

func withFloats<Result>(
    _ a: Tensor, _ b: Tensor, _ c: Tensor, _ d: Tensor, _ body: (Floats, Floats, Floats, Floats) throws -> Result
) rethrows -> Result {
    try withFloats(a, b) { a, b in try withFloats(c, d) { c, d in try body(a, b, c, d) } }
}

/// The elements of a tensor that may be missing, such as a bias.
func withOptionalFloats<Result>(_ a: Tensor?, _ body: (Floats?) throws -> Result) rethrows -> Result {
    guard let a else { return try body(nil) }
    return try withFloats(a) { try body($0) }
}

func withIndices<Result>(_ a: Tensor, _ body: (Indices) throws -> Result) rethrows -> Result {
    precondition(a.dtype == .int32, "expected an int32 tensor, found \(a.dtype)")
    return try withElements(a, as: Int32.self, body)
}
