/// The checksum of zip archives (ISO 3309, reflected polynomial 0xEDB88320), eight bytes at a time.
struct CRC32 {
    private var state: UInt32 = ~0

    /// The checksum of everything added so far.
    var value: UInt32 { ~state }

    mutating func add(_ bytes: UnsafeRawBufferPointer) {
        var crc = state
        Self.tables.withUnsafeBufferPointer { tables in
            var offset = 0
            // Table k advances a byte by k more bytes, so that eight look-ups do not wait for each other.
            while offset + 8 <= bytes.count {
                let word =
                    UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)) ^ UInt64(crc)
                crc = tables[0x700 + Int(word & 0xFF)] ^ tables[0x600 + Int(word >> 8 & 0xFF)]
                crc ^= tables[0x500 + Int(word >> 16 & 0xFF)] ^ tables[0x400 + Int(word >> 24 & 0xFF)]
                crc ^= tables[0x300 + Int(word >> 32 & 0xFF)] ^ tables[0x200 + Int(word >> 40 & 0xFF)]
                crc ^= tables[0x100 + Int(word >> 48 & 0xFF)] ^ tables[Int(word >> 56)]
                offset += 8
            }
            while offset < bytes.count {
                crc = crc >> 8 ^ tables[Int((crc ^ UInt32(bytes[offset])) & 0xFF)]
                offset += 1
            }
        }
        state = crc
    }

    private static let tables: [UInt32] = {
        var tables = (0..<256).map { (index: UInt32) -> UInt32 in
            (0..<8).reduce(index) { crc, _ in crc & 1 == 0 ? crc >> 1 : crc >> 1 ^ 0xEDB8_8320 }
        }
        for index in 256..<8 * 256 {
            let previous = tables[index - 256]
            tables.append(previous >> 8 ^ tables[Int(previous & 0xFF)])
        }
        return tables
    }()
}
