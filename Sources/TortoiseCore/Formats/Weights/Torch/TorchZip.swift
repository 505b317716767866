/// The zip layout: `<prefix>/data.pkl` is the object, `<prefix>/data/<key>` are the storages.
enum TorchZip {
    /// Local headers lie beside the tensors all over the file; after this many, their pages are given back.
    private static let lookupsBetweenReleases = 128

    static func root(of file: MappedFile) throws -> CheckpointValue {
        let archive = try ZipArchive(file)
        let prefix = try prefix(of: archive)
        // Each storage has a header before it: waiting for the disk once is better than once for each.
        file.prefetch(at: archive.entries.lazy.map(\.headerOffset))
        if let order = try archive.range(of: prefix + "byteorder") {
            guard file.bytes[order].elementsEqual("little".utf8) else {
                throw InputError.model(
                    "the file was written on a big-endian machine", at: file.path,
                    try: "load it with torch and save it again on a little-endian one")
            }
        }
        guard let pickle = try archive.range(of: prefix + "data.pkl") else { throw noTorch(archive) }
        var machine = PickleMachine(file, start: pickle.lowerBound, end: pickle.upperBound)
        let root = try machine.run()
        var lookups = 0
        return try machine.value(root) { storage in
            lookups += 1
            if lookups.isMultiple(of: lookupsBetweenReleases) { file.releasePages() }
            guard let record = try archive.range(of: "\(prefix)data/\(storage.key)") else {
                throw machine.malformed("the archive lacks storage \(storage.key)")
            }
            guard storage.firstElement == 0, storage.count * storage.elementByteCount <= record.count else {
                throw machine.malformed(
                    "storage \(storage.key) should have \(storage.count) elements and has \(record.count) bytes")
            }
            return record.lowerBound
        }
    }

    /// The folder that all records share, with its slash: whatever the file was called when it was saved.
    private static func prefix(of archive: ZipArchive) throws -> String {
        let pickles = archive.entries.map(\.name).filter { $0 == "data.pkl" || $0.hasSuffix("/data.pkl") }
        guard let shortest = pickles.min(by: { $0.utf8.count < $1.utf8.count }) else { throw noTorch(archive) }
        let prefix = String(shortest.dropLast("data.pkl".count))
        guard !archive.entries.contains(where: { $0.name == prefix + "constants.pkl" }) else {
            throw InputError.model(
                "the file is a TorchScript program, not saved weights", at: archive.file.path,
                try: "load it with torch.jit.load and torch.save its state_dict()")
        }
        return prefix
    }

    private static func noTorch(_ archive: ZipArchive) -> InputError {
        .model(
            "the zip archive has no data.pkl, so it is none of torch.save", at: archive.file.path,
            try: "it holds \(archive.entries.prefix(4).map(\.name).joined(separator: ", "))")
    }
}
