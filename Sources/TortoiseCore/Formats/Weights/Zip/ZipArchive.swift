/// The directory of a mapped zip archive (PKWARE's APPNOTE 6.3.10), zip64 included; records are used where they lie.
///
/// Only stored records can be used: PyTorch and `np.savez` store theirs, so that they can be mapped.
struct ZipArchive {
    struct Entry {
        let name: String
        let method: UInt16
        let flags: UInt16
        let byteCount: Int
        let storedByteCount: Int
        let headerOffset: Int
    }

    let file: MappedFile
    /// In the order of the directory.
    let entries: [Entry]
    private let indices: [String: Int]

    private static let localSignature: UInt32 = 0x0403_4B50
    private static let directorySignature: UInt32 = 0x0201_4B50
    private static let endSignature: UInt32 = 0x0605_4B50
    private static let end64Signature: UInt32 = 0x0606_4B50
    private static let locator64Signature: UInt32 = 0x0706_4B50

    /// Whether a file starts as archives do.
    static func isArchive(_ file: MappedFile) -> Bool {
        file.bytes.starts(with: [0x50, 0x4B, 3, 4]) || file.bytes.starts(with: [0x50, 0x4B, 5, 6])
    }

    init(_ file: MappedFile) throws {
        self.file = file
        let directory = try Self.directory(of: file)
        var cursor = ByteCursor(file.bytes, of: file.path)
        try cursor.seek(to: directory.offset, "the archive's directory")
        cursor = ByteCursor(
            UnsafeRawBufferPointer(rebasing: file.bytes[..<directory.end]), at: directory.offset, of: file.path)
        var entries: [Entry] = []
        var indices: [String: Int] = [:]
        // The count is only a claim, so that the directory's bytes decide.
        while !cursor.isAtEnd {
            let entry = try Self.entry(&cursor)
            guard indices.updateValue(entries.count, forKey: entry.name) == nil else {
                throw cursor.malformed("the archive has two records named \(entry.name)")
            }
            entries.append(entry)
        }
        guard entries.count == directory.count else {
            throw cursor.malformed("the archive claims \(directory.count) records and lists \(entries.count)")
        }
        self.entries = entries
        self.indices = indices
    }

    /// Where the content of a record lies in the file; nil when there is no such record.
    ///
    /// - Throws: `InputError` when the record is compressed, encrypted, or not where the directory says.
    func range(of name: String) throws -> Range<Int>? {
        guard let index = indices[name] else { return nil }
        let entry = entries[index]
        guard entry.method == 0, entry.byteCount == entry.storedByteCount, entry.flags & 1 == 0 else {
            throw InputError.model(
                "record \(name) is compressed or encrypted (method \(entry.method))", at: file.path,
                try: "unpack the archive and pack it again without compression: zip -0 -r")
        }
        var cursor = ByteCursor(file.bytes, of: file.path)
        try cursor.seek(to: entry.headerOffset, "a record")
        guard try cursor.integer(UInt32.self, "a record's header") == Self.localSignature else {
            throw cursor.malformed("record \(name) is not where the archive's directory says")
        }
        _ = try cursor.take(22, "a record's header")
        let nameCount = Int(try cursor.integer(UInt16.self, "a record's header"))
        let extraCount = Int(try cursor.integer(UInt16.self, "a record's header"))
        _ = try cursor.take(nameCount + extraCount, "a record's header")
        let start = cursor.position
        _ = try cursor.take(entry.byteCount, "a record")
        return start..<start + entry.byteCount
    }

    /// Finds the directory through the record at the archive's end.
    private static func directory(of file: MappedFile) throws -> (offset: Int, end: Int, count: Int) {
        let bytes = file.bytes
        var cursor = ByteCursor(bytes, of: file.path)
        // The end record has 22 bytes and a comment of at most 65,535.
        let candidates = stride(from: bytes.count - 22, through: max(0, bytes.count - 22 - 65_535), by: -1)
        let end = candidates.first { offset in
            bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self).littleEndian == endSignature
                && Int(bytes.loadUnaligned(fromByteOffset: offset + 20, as: UInt16.self).littleEndian)
                    == bytes.count - offset - 22
        }
        guard let end else {
            throw InputError.model(
                "the file starts as a zip archive and has no directory at its end", at: file.path,
                try: "the download is incomplete: fetch it again")
        }
        if let found = try directory64(before: end, &cursor) { return found }
        try cursor.seek(to: end + 10, "the archive's end")
        let count = Int(try cursor.integer(UInt16.self, "the archive's end"))
        let size = Int(try cursor.integer(UInt32.self, "the archive's end"))
        let offset = Int(try cursor.integer(UInt32.self, "the archive's end"))
        guard offset <= end, size == end - offset else {
            throw cursor.malformed("the archive's directory does not end where the archive ends")
        }
        return (offset, end, count)
    }

    private static func directory64(
        before end: Int, _ cursor: inout ByteCursor
    ) throws -> (offset: Int, end: Int, count: Int)? {
        guard end >= 20 else { return nil }
        try cursor.seek(to: end - 20, "the zip64 locator")
        guard try cursor.integer(UInt32.self, "the zip64 locator") == locator64Signature else { return nil }
        _ = try cursor.take(4, "the zip64 locator")
        let end64 = try cursor.length("the zip64 end's offset")
        try cursor.seek(to: end64, "the zip64 end")
        guard try cursor.integer(UInt32.self, "the zip64 end") == end64Signature else {
            throw cursor.malformed("the zip64 end is not where its locator says")
        }
        _ = try cursor.take(28, "the zip64 end")
        let count = try cursor.length("the number of records")
        let size = try cursor.length("the directory's size")
        let offset = try cursor.length("the directory's offset")
        guard offset <= end64, size == end64 - offset else {
            throw cursor.malformed("the archive's directory does not end where the zip64 end starts")
        }
        return (offset, end64, count)
    }

    private static func entry(_ cursor: inout ByteCursor) throws -> Entry {
        let what: StaticString = "an entry of the archive's directory"
        guard try cursor.integer(UInt32.self, what) == directorySignature else {
            throw cursor.malformed("the archive's directory has an entry without its signature")
        }
        _ = try cursor.take(4, what)
        let flags = try cursor.integer(UInt16.self, what)
        let method = try cursor.integer(UInt16.self, what)
        _ = try cursor.take(8, what)
        var stored = Int(try cursor.integer(UInt32.self, what))
        var size = Int(try cursor.integer(UInt32.self, what))
        let nameCount = Int(try cursor.integer(UInt16.self, what))
        let extraCount = Int(try cursor.integer(UInt16.self, what))
        let commentCount = Int(try cursor.integer(UInt16.self, what))
        _ = try cursor.take(8, what)
        var offset = Int(try cursor.integer(UInt32.self, what))
        let name = String(decoding: try cursor.take(nameCount, what), as: UTF8.self)
        var extra = ByteCursor(try cursor.take(extraCount, what), of: cursor.place)
        _ = try cursor.take(commentCount, what)
        // Field 1 holds, in this order, those 64-bit numbers whose 32-bit place is full of ones.
        while extra.remaining >= 4 {
            let id = try extra.integer(UInt16.self, what)
            let count = Int(try extra.integer(UInt16.self, what))
            var field = ByteCursor(try extra.take(count, what), of: cursor.place)
            guard id == 1 else { continue }
            if size == 0xFFFF_FFFF { size = try field.length(what) }
            if stored == 0xFFFF_FFFF { stored = try field.length(what) }
            if offset == 0xFFFF_FFFF { offset = try field.length(what) }
        }
        return Entry(
            name: name, method: method, flags: flags, byteCount: size, storedByteCount: stored, headerOffset: offset)
    }
}
