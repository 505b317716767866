import Foundation

/// Appends utterances to a dataset file, so that a kill at any moment leaves every committed one readable.
///
/// Data goes to disk first and the count of utterances last. HDF5's single-writer mode keeps the file's own structure whole in
/// between, and lets other processes read while this one writes. A second writer is refused. What was not committed when the
/// writer is let go is dropped, as after a kill.
public final class DatasetWriter {
    public let path: String
    public let schema: DatasetSchema

    private let lock: WriterLock
    private let file: HDF5File
    private let columns: DatasetColumns
    private var counts: DatasetColumns.Counts
    private var speakerIndices: [String: Int32] = [:]
    private var languageIndices: [String: Int32] = [:]
    private var known: Set<String> = []

    /// Creates an empty dataset; an existing file of that name is replaced when the new one is complete.
    public static func create(path: String, schema: DatasetSchema) throws -> DatasetWriter {
        for mel in schema.mels
        where mel.name.isEmpty || mel.name.contains(where: { "/,:.".contains($0) }) || mel.bands < 1 {
            throw InputError.data(
                "expected a spectrogram's name without / , : . and at least one band, found '\(mel.name)'")
        }
        let temporary = path + ".partial-\(UInt64.random(in: .min ... .max))"
        defer { unlink(temporary) }
        try HDF5Library.locked {
            let file = try HDF5File.create(temporary)
            try DatasetColumns.create(schema, in: file.root)
            try file.flush()
        }
        guard rename(temporary, path) == 0 else {
            throw InputError.data("cannot give the dataset its name: \(String(cString: strerror(errno)))", at: path)
        }
        return try DatasetWriter(appendingTo: path)
    }

    /// Opens a dataset to append to it, also one whose writer was killed.
    public init(appendingTo path: String) throws {
        self.path = path
        let lock = try WriterLock(path)
        // With the lock held no writer is alive: a mark that one left in the file means that it was killed.
        try HDF5File.repairAfterKill(path)
        (file, columns, counts) = try HDF5Library.locked {
            let file = try HDF5File.open(path, .append)
            let columns = try DatasetColumns(file)
            return (file, columns, try columns.readCounts())
        }
        self.lock = lock
        schema = columns.schema
        try HDF5Library.locked { try readExisting() }
    }

    /// Utterances that were added since the last commit.
    private var waiting = 0
    private static let commitInterval = 200

    /// The number of utterances: committed and waiting.
    public var count: Int { counts.utterances }

    /// Whether an utterance of this speaker and name is there already.
    public func contains(speaker: String, name: String) -> Bool { known.contains("\(speaker)/\(name)") }

    /// Adds an utterance; it is kept in memory until `commit()`.
    ///
    /// - Throws: `InputError` for a repeated name and for arrays whose widths are not the schema's.
    public func append(_ utterance: Utterance) throws {
        try check(utterance)
        let speaker = index(of: utterance.speaker, in: &speakerIndices, columns.speakerNames, &counts.speakers)
        let language = index(of: utterance.language, in: &languageIndices, columns.languageNames, &counts.languages)
        columns.codes.append(utterance.codes)
        columns.tokens.append(utterance.tokens)
        columns.texts.append(Array(utterance.text.utf8))
        columns.names.append(Array(utterance.name.utf8))
        for mel in columns.mels { mel.column.append(utterance.mels[mel.name] ?? []) }
        columns.waveforms?.append(utterance.waveform)
        columns.autoregressiveLatents?.append(utterance.autoregressiveLatent)
        columns.diffusionLatents?.append(utterance.diffusionLatent)
        columns.sampleCounts.append([Int64(utterance.sampleCount)])
        columns.speakers.append([speaker])
        columns.languages.append([language])
        columns.checksums.append([utterance.checksum(speakerIndex: speaker, languageIndex: language)])
        counts.utterances += 1
        waiting += 1
        known.insert("\(utterance.speaker)/\(utterance.name)")
    }

    /// Writes what was added and makes it part of the dataset.
    ///
    /// Each commit leaves up to some 100 KB of unused space in the file, so commit hundreds of utterances at a time.
    public func commit() throws {
        try HDF5Library.locked {
            try columns.commit(counts) { try lock.synchronize() }
        }
        waiting = 0
    }

    /// Commits where that is worth its space: to be called after every utterance.
    public func commitIfDue() throws {
        if waiting >= Self.commitInterval { try commit() }
    }

    /// Commits what is waiting, if anything: however the work ends.
    public func finish() throws {
        if waiting > 0 { try commit() }
    }

    private func index(
        of name: String, in indices: inout [String: Int32], _ column: RaggedColumn<UInt8>, _ count: inout Int
    ) -> Int32 {
        if let index = indices[name] { return index }
        let index = Int32(count)
        indices[name] = index
        column.append(Array(name.utf8))
        count += 1
        return index
    }

    private func check(_ utterance: Utterance) throws {
        let place = "\(utterance.speaker)/\(utterance.name)"
        func require(_ condition: Bool, _ problem: @autoclosure () -> String) throws {
            if !condition { throw InputError.data(problem(), at: place) }
        }
        try require(!known.contains(place), "this utterance is in the dataset already")
        try require(
            (0...1 << 40).contains(utterance.sampleCount),
            "expected a number of samples, found \(utterance.sampleCount)")
        for (name, latent, width) in [
            ("autoregressive", utterance.autoregressiveLatent, schema.autoregressiveLatentWidth),
            ("diffusion", utterance.diffusionLatent, schema.diffusionLatentWidth),
        ] {
            try require(latent.count == width, "expected a \(name) latent of \(width), found \(latent.count)")
        }
        for mel in schema.mels {
            let count = utterance.mels[mel.name]?.count ?? 0
            try require(
                count % mel.bands == 0, "expected frames of \(mel.bands) for '\(mel.name)', found \(count) values")
        }
        let extra = utterance.mels.keys.filter { name in !schema.mels.contains { $0.name == name } }
        try require(extra.isEmpty, "the dataset stores no '\(extra.first ?? "")' spectrograms")
        try require(utterance.waveform.isEmpty || schema.waveformRate != nil, "the dataset stores no waveforms")
    }

    /// Continues after the committed rows: their ends, tables and names.
    private func readExisting() throws {
        let rows = 0..<counts.utterances
        for column in [columns.codes, columns.tokens] { try column.load(count: rows.count) }
        for column in [columns.texts, columns.names] { try column.load(count: rows.count) }
        for mel in columns.mels { try mel.column.load(count: rows.count) }
        try columns.waveforms?.load(count: rows.count)
        try columns.speakerNames.load(count: counts.speakers)
        try columns.languageNames.load(count: counts.languages)
        columns.autoregressiveLatents?.start(at: rows.count)
        columns.diffusionLatents?.start(at: rows.count)
        columns.sampleCounts.start(at: rows.count)
        columns.speakers.start(at: rows.count)
        columns.languages.start(at: rows.count)
        columns.checksums.start(at: rows.count)
        let speakers = try columns.speakerNames.read(0..<counts.speakers).map { String(decoding: $0, as: UTF8.self) }
        let languages = try columns.languageNames.read(0..<counts.languages).map { String(decoding: $0, as: UTF8.self) }
        for (index, name) in speakers.enumerated() { speakerIndices[name] = Int32(index) }
        for (index, name) in languages.enumerated() { languageIndices[name] = Int32(index) }
        let owners = try columns.speakers.read(rows)
        for (owner, name) in zip(owners, try columns.names.read(rows)) {
            guard speakers.indices.contains(Int(owner)) else {
                throw InputError.data("expected a speaker below \(speakers.count), found \(owner)", at: path)
            }
            known.insert("\(speakers[Int(owner)])/\(String(decoding: name, as: UTF8.self))")
        }
    }
}

/// The right to write to a dataset: a lock of this process on the file, gone with the process however it ends.
private final class WriterLock {
    private let descriptor: Int32
    private let path: String

    /// Linux's F_OFD_SETLK, which the C library's module does not show to Swift.
    private static let setOpenFileLock: Int32 = 37

    init(_ path: String) throws {
        self.path = path
        descriptor = open(path, O_RDWR | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw InputError.data("cannot open the dataset: \(String(cString: strerror(errno)))", at: path)
        }
        // Other programs (h5py) lock with flock while they have the file open; ours never hold that lock.
        let isFree = flock(descriptor, LOCK_EX | LOCK_NB) == 0
        flock(descriptor, LOCK_UN)
        // Of the kind that belongs to the open file and not to the process, so that closing another descriptor of the same file,
        // as HDF5 does, does not drop it; and unlike flock it shuts out no reader of another program.
        var request = Glibc.flock()
        request.l_type = Int16(F_WRLCK)
        request.l_whence = Int16(SEEK_SET)
        guard isFree, Patience.succeeds({ fcntl(descriptor, Self.setOpenFileLock, &request) == 0 }) else {
            throw InputError.data(
                isFree ? "another process is writing to this dataset" : "another program has the dataset open", at: path
            )
        }
    }

    // Runs as well when `init` throws after the descriptor is set; closing there too would close what another thread opened since.
    deinit { if descriptor >= 0 { close(descriptor) } }

    /// Waits until everything written to the file is on disk.
    func synchronize() throws {
        guard fsync(descriptor) == 0 else {
            throw InputError.data("cannot flush the dataset: \(String(cString: strerror(errno)))", at: path)
        }
    }
}
