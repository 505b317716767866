/// Reads little-endian values one after another from bytes that nobody vouches for; every read is checked.
///
/// `UnsafeRawBufferPointer` checks nothing in release builds, so parsers here never index one themselves.
struct ByteCursor {
    let bytes: UnsafeRawBufferPointer
    private(set) var position: Int
    /// The file, for messages.
    let place: String

    init(_ bytes: UnsafeRawBufferPointer, at position: Int = 0, of place: String) {
        precondition(position >= 0 && position <= bytes.count, "byte cursor: position \(position) of \(bytes.count)")
        self.bytes = bytes
        self.position = position
        self.place = place
    }

    var remaining: Int { bytes.count - position }
    var isAtEnd: Bool { position == bytes.count }

    /// The next byte, left where it is; nil at the end.
    var next: UInt8? { isAtEnd ? nil : bytes[position] }

    mutating func seek(to offset: Int, _ what: StaticString) throws {
        guard offset >= 0 && offset <= bytes.count else {
            throw malformed("\(what) would be at byte \(offset) of \(bytes.count)")
        }
        position = offset
    }

    /// The next `count` bytes, in place.
    mutating func take(_ count: Int, _ what: StaticString) throws -> UnsafeRawBufferPointer {
        guard count >= 0 && count <= remaining else {
            throw malformed("\(what) needs \(count) bytes at byte \(position), and \(remaining) are left")
        }
        defer { position += count }
        return UnsafeRawBufferPointer(rebasing: bytes[position..<position + count])
    }

    mutating func byte(_ what: StaticString) throws -> UInt8 {
        guard position < bytes.count else { throw malformed("the file ends before \(what)") }
        defer { position += 1 }
        return bytes[position]
    }

    mutating func integer<T: FixedWidthInteger & BitwiseCopyable>(_: T.Type, _ what: StaticString) throws -> T {
        T(littleEndian: try take(MemoryLayout<T>.size, what).loadUnaligned(as: T.self))
    }

    /// A length or an offset: an unsigned 64-bit number that must be an `Int`.
    mutating func length(_ what: StaticString) throws -> Int {
        let value = try integer(UInt64.self, what)
        guard let length = Int(exactly: value) else { throw malformed("\(what) is \(value), which no file can hold") }
        return length
    }

    /// Steps over the byte that `next` showed.
    mutating func skipOne() {
        precondition(!isAtEnd, "byte cursor: read past the end")
        position += 1
    }

    mutating func skip(while condition: (UInt8) -> Bool) {
        while let byte = next, condition(byte) { position += 1 }
    }

    func malformed(_ problem: String) -> InputError {
        .model(problem, at: place, try: "the file is damaged or of another kind: fetch it again")
    }
}
