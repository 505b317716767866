/// Writes a zip archive of stored records, streamed; zip64 fields are written where numbers need them.
struct ZipWriter {
    private let file: AtomicFile
    private var directory: [UInt8] = []
    private var count = 0
    /// Numbers from here on do not fit 32 bits; tests lower it.
    private let zip64Threshold: Int

    init(_ file: AtomicFile, zip64Threshold: Int = 0xFFFF_FFFF) {
        self.file = file
        self.zip64Threshold = zip64Threshold
    }

    /// Appends a record whose content starts at a multiple of `alignment` bytes.
    ///
    /// - Parameter content: Must hand exactly `byteCount` bytes, in pieces, to the closure it is given.
    mutating func record(
        _ name: String, byteCount: Int, alignment: Int = 64,
        content: ((UnsafeRawBufferPointer) throws -> Void) throws -> Void
    ) throws {
        let offset = file.position
        let isLarge = byteCount >= zip64Threshold
        var extra: [UInt8] = isLarge ? Self.zip64Field([byteCount, byteCount]) : []
        // Field "FB" is PyTorch's own for padding; readers skip what they do not know.
        let unpadded = offset + 30 + name.utf8.count + extra.count + 4
        let padding = (alignment - unpadded % alignment) % alignment
        extra += little(0x4246 as UInt16) + little(UInt16(padding)) + [UInt8](repeating: 0x5A, count: padding)

        let size = isLarge ? .max : UInt32(byteCount)
        // Version 4.5 for zip64; bit 11 says that names are UTF-8; 1 January 1980 keeps files reproducible.
        let common: [UInt8] =
            little(45 as UInt16) + little(0x0800 as UInt16) + little(0 as UInt16) + little(0 as UInt16)
            + little(0x21 as UInt16)
        let sizes = little(size) + little(size) + little(UInt16(name.utf8.count))
        try file.write(little(0x0403_4B50 as UInt32) + common + little(0 as UInt32) + sizes)
        try file.write(little(UInt16(extra.count)) + Array(name.utf8) + extra)

        var checksum = CRC32()
        let start = file.position
        try content { piece in
            checksum.add(piece)
            try file.write(piece)
        }
        precondition(file.position - start == byteCount, "record \(name) did not get the bytes that were announced")
        try file.overwrite(little(checksum.value), at: offset + 14)
        addEntry(name, common, checksum.value, sizes, byteCount: byteCount, isLarge: isLarge, offset: offset)
    }

    /// Appends a record of bytes at hand.
    mutating func record(_ name: String, _ bytes: [UInt8]) throws {
        try record(name, byteCount: bytes.count) { write in try bytes.withUnsafeBytes(write) }
    }

    /// Writes the archive's directory; nothing can follow.
    mutating func finish() throws {
        let offset = file.position
        try file.write(directory)
        if count >= min(0xFFFF, zip64Threshold) || offset >= zip64Threshold || directory.count >= zip64Threshold {
            let end64 = file.position
            try file.write(
                little(0x0606_4B50 as UInt32) + little(44 as UInt64) + little(45 as UInt16) + little(45 as UInt16)
                    + little(0 as UInt64) + little(UInt64(count)) + little(UInt64(count))
                    + little(UInt64(directory.count))
                    + little(UInt64(offset)))
            try file.write(
                little(0x0706_4B50 as UInt32) + little(0 as UInt32) + little(UInt64(end64)) + little(1 as UInt32))
            try file.write(little(0x0605_4B50 as UInt32) + little(0 as UInt32))
            try file.write([UInt8](repeating: 0xFF, count: 12) + little(0 as UInt16))
        } else {
            try file.write(
                little(0x0605_4B50 as UInt32) + little(0 as UInt32) + little(UInt16(count)) + little(UInt16(count))
                    + little(UInt32(directory.count)) + little(UInt32(offset)) + little(0 as UInt16))
        }
    }

    private mutating func addEntry(
        _ name: String, _ common: [UInt8], _ checksum: UInt32, _ sizes: [UInt8], byteCount: Int, isLarge: Bool,
        offset: Int
    ) {
        let isFar = offset >= zip64Threshold
        let numbers = (isLarge ? [byteCount, byteCount] : []) + (isFar ? [offset] : [])
        let extra = numbers.isEmpty ? [] : Self.zip64Field(numbers)
        directory += little(0x0201_4B50 as UInt32) + little(45 as UInt16) + common + little(checksum) + sizes
        directory += little(UInt16(extra.count)) + [UInt8](repeating: 0, count: 10)
        directory += little(isFar ? .max : UInt32(offset)) + Array(name.utf8) + extra
        count += 1
    }

    private static func zip64Field(_ numbers: [Int]) -> [UInt8] {
        little(1 as UInt16) + little(UInt16(8 * numbers.count)) + numbers.flatMap { little(UInt64($0)) }
    }
}

/// The bytes of an integer, least significant first.
func little<Integer: FixedWidthInteger>(_ value: Integer) -> [UInt8] {
    withUnsafeBytes(of: value.littleEndian) { Array($0) }
}
