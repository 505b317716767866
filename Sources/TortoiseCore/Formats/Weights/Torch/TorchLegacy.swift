/// The layout before PyTorch 1.6: five pickles (a magic number, the format's version, the machine's sizes, the object,
/// the storages' keys), then each storage as a 64-bit element count and its elements.
enum TorchLegacy {
    /// 0x1950a86a20f9469cfc6c as a pickled integer, behind the two bytes that name the protocol.
    private static let magic: [UInt8] = [0x8A, 10, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19, 0x2E]
    private static let formatVersion = 1001

    static func isLegacy(_ file: MappedFile) -> Bool {
        file.bytes.first == 0x80 && file.bytes.dropFirst(2).starts(with: magic)
    }

    static func root(of file: MappedFile) throws -> CheckpointValue {
        var machine = PickleMachine(file, start: 2 + magic.count, end: file.bytes.count)
        let version = try machine.run()
        guard case .integer(formatVersion) = machine.node(version) else {
            throw machine.malformed("the format's version is not \(formatVersion)")
        }
        let sizes = try machine.run()
        let system = try machine.value(sizes) { _ in throw machine.refused("a tensor in its description") }
        guard system["little_endian"] == .bool(true) else {
            throw InputError.model(
                "the file was written on a big-endian machine", at: file.path,
                try: "load it with torch and save it again on a little-endian one")
        }
        let root = try machine.run()
        let keyList = try machine.run()
        guard case .list(let keys) = machine.node(keyList) else {
            throw machine.malformed("the storages' keys are no list")
        }
        let blocks = try blocks(keys, &machine)
        return try machine.value(root) { storage in
            guard let block = blocks[storage.key] else {
                throw machine.malformed("the file lacks storage \(storage.key)")
            }
            guard storage.firstElement + storage.count <= block.count else {
                throw machine.malformed(
                    "storage \(storage.key) should have \(storage.count) elements and has \(block.count)")
            }
            return block.start + storage.firstElement * storage.elementByteCount
        }
    }

    /// Where each storage's elements start, and how many they are.
    private static func blocks(
        _ keys: [PickleNode.ID], _ machine: inout PickleMachine
    ) throws -> [String: (start: Int, count: Int)] {
        var sizes: [String: Int] = [:]
        for case .storage(let storage) in machine.nodes {
            let old = sizes.updateValue(storage.elementByteCount, forKey: storage.key)
            guard old == nil || old == storage.elementByteCount else {
                throw machine.malformed("storage \(storage.key) has elements of two sizes")
            }
        }
        var blocks: [String: (start: Int, count: Int)] = [:]
        for id in keys {
            guard case .string(let key) = machine.node(id), let size = sizes[key] else {
                throw machine.malformed("the file has a storage that no tensor uses")
            }
            let count = try machine.cursor.length("a storage's element count")
            let (byteCount, overflow) = count.multipliedReportingOverflow(by: size)
            guard !overflow else { throw machine.malformed("storage \(key) claims \(count) elements") }
            let start = machine.cursor.position
            _ = try machine.cursor.take(byteCount, "a storage")
            guard blocks.updateValue((start, count), forKey: key) == nil else {
                throw machine.malformed("storage \(key) is there twice")
            }
        }
        return blocks
    }
}
