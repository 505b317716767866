import Foundation

/// A prepared dataset, open for reading; another process may be appending to it.
///
/// Opening reads a few counts, whatever the size; the lengths of all utterances (8 bytes each) are read when first asked for.
/// `@unchecked Sendable` because every member takes HDF5's lock, which also guards what is remembered here.
public final class DatasetFile: @unchecked Sendable {
    public let path: String
    public let schema: DatasetSchema
    private let file: HDF5File
    private let columns: DatasetColumns
    private var counts: DatasetColumns.Counts
    // What has been read of the small columns; empty until asked for.
    private var speakerIndices: [Int32] = []
    private var languageIndices: [Int32] = []
    private var sampleCounts: [Int64] = []
    private var speakerTable: [String] = []
    private var languageTable: [String] = []

    /// Opens a dataset.
    ///
    /// - Throws: `InputError` for a missing or damaged file, and for the Python tool's layout, saying what that lacks.
    public init(path: String) throws {
        self.path = path
        (file, columns, counts) = try HDF5Library.locked {
            let file = try HDF5File.open(path)
            let columns = try DatasetColumns(file)
            return (file, columns, try columns.readCounts())
        }
        schema = columns.schema
    }

    /// The number of complete utterances when the file was opened or last refreshed.
    public var count: Int { HDF5Library.locked { counts.utterances } }

    /// Looks for utterances that were appended since.
    ///
    /// - Returns: The new count.
    @discardableResult public func refresh() throws -> Int {
        try HDF5Library.locked {
            let now = try columns.readCounts()
            guard now != counts else { return now.utterances }
            guard now.utterances >= counts.utterances else {
                throw InputError.data(
                    "expected at least \(counts.utterances) utterances, found \(now.utterances)", at: path)
            }
            try columns.refresh()
            counts = now
            return now.utterances
        }
    }

    // MARK: - All utterances

    /// The names of all speakers, by index.
    public func speakers() throws -> [String] {
        try HDF5Library.locked {
            try columns.speakerNames.load(count: counts.speakers)
            let rows = speakerTable.count..<counts.speakers
            speakerTable += try columns.speakerNames.read(rows).map { String(decoding: $0, as: UTF8.self) }
            return speakerTable
        }
    }

    /// All languages, by index.
    public func languages() throws -> [String] {
        try HDF5Library.locked {
            try columns.languageNames.load(count: counts.languages)
            let rows = languageTable.count..<counts.languages
            languageTable += try columns.languageNames.read(rows).map { String(decoding: $0, as: UTF8.self) }
            return languageTable
        }
    }

    /// The speaker of every utterance, as an index into `speakers()`.
    public func speakerOfEach() throws -> [Int32] {
        try HDF5Library.locked { try grown(&speakerIndices, columns.speakers, limit: speakers().count) }
    }

    /// The language of every utterance, as an index into `languages()`.
    public func languageOfEach() throws -> [Int32] {
        try HDF5Library.locked { try grown(&languageIndices, columns.languages, limit: languages().count) }
    }

    /// Samples of every utterance, at the schema's rate.
    public func sampleCountOfEach() throws -> [Int64] {
        try HDF5Library.locked { try grown(&sampleCounts, columns.sampleCounts, limit: 1 << 40) }
    }

    /// Seconds of every utterance.
    public func durations() throws -> [Double] {
        try sampleCountOfEach().map { Double($0) / Double(schema.sampleRate) }
    }

    /// The number of codes of every utterance.
    public func codeCounts() throws -> [Int] {
        try HDF5Library.locked {
            try columns.codes.load(count: counts.utterances)
            return (0..<counts.utterances).map(columns.codes.length)
        }
    }

    /// The number of text tokens of every utterance.
    public func tokenCounts() throws -> [Int] {
        try HDF5Library.locked {
            try columns.tokens.load(count: counts.utterances)
            return (0..<counts.utterances).map(columns.tokens.length)
        }
    }

    /// The name of every utterance.
    public func utteranceNames() throws -> [String] {
        try HDF5Library.locked {
            try columns.names.load(count: counts.utterances)
            return try columns.names.read(0..<counts.utterances).map { String(decoding: $0, as: UTF8.self) }
        }
    }

    private func grown<Number: HDF5Element & BinaryInteger>(
        _ known: inout [Number], _ column: FixedColumn<Number>, limit: Int
    ) throws -> [Number] {
        if known.count < counts.utterances {
            let more = try column.read(known.count..<counts.utterances)
            guard more.allSatisfy({ $0 >= 0 && Int($0) < limit }) else {
                throw InputError.data(
                    "expected numbers from 0 to \(limit - 1), found others: the file is damaged", at: path)
            }
            known += more
        }
        return known
    }

    // MARK: - Single utterances

    /// Reads one utterance.
    ///
    /// - Parameter verifying: Compares the stored checksum.
    /// - Throws: `InputError` when the file is damaged there.
    public func utterance(at index: Int, verifying: Bool = false) throws -> Utterance {
        try utterances(in: index..<index + 1, verifying: verifying)[0]
    }

    /// Reads utterances that follow each other: one read per column.
    public func utterances(in range: Range<Int>, verifying: Bool = false) throws -> [Utterance] {
        try HDF5Library.locked {
            precondition(
                range.lowerBound >= 0 && range.upperBound <= counts.utterances,
                "DatasetFile.utterances: \(range) of \(counts.utterances)")
            guard !range.isEmpty else { return [] }
            let speakers = try speakers()
            let speakerIndices = try speakerOfEach()
            let languages = try languages()
            let languageIndices = try languageOfEach()
            let sampleCounts = try sampleCountOfEach()
            let codes = try read(columns.codes, range)
            let tokens = try read(columns.tokens, range)
            let texts = try read(columns.texts, range)
            let names = try read(columns.names, range)
            let mels = try columns.mels.map { ($0.name, try read($0.column, range)) }
            let waveforms = try columns.waveforms.map { try read($0, range) }
            let autoregressive = try columns.autoregressiveLatents?.read(range) ?? []
            let diffusion = try columns.diffusionLatents?.read(range) ?? []
            let sums = verifying ? try columns.checksums.read(range) : []
            return try range.enumerated().map { place, index in
                func row(_ all: [Float], _ width: Int) -> [Float] { Array(all[place * width..<(place + 1) * width]) }
                let utterance = Utterance(
                    name: String(decoding: names[place], as: UTF8.self), speaker: speakers[Int(speakerIndices[index])],
                    language: languages[Int(languageIndices[index])],
                    text: String(decoding: texts[place], as: UTF8.self),
                    tokens: tokens[place], codes: codes[place], sampleCount: Int(sampleCounts[index]),
                    autoregressiveLatent: row(autoregressive, schema.autoregressiveLatentWidth),
                    diffusionLatent: row(diffusion, schema.diffusionLatentWidth),
                    mels: Dictionary(uniqueKeysWithValues: mels.map { ($0, $1[place]) }),
                    waveform: waveforms?[place] ?? [])
                if verifying {
                    let sum = utterance.checksum(
                        speakerIndex: speakerIndices[index], languageIndex: languageIndices[index])
                    guard sum == sums[place] else {
                        throw InputError.data(
                            "utterance \(index) does not match its checksum: the file is damaged", at: path)
                    }
                }
                return utterance
            }
        }
    }

    /// What training the autoregressive model reads of one utterance, and nothing else.
    public func autoregressiveItem(at index: Int) throws -> (tokens: [UInt16], codes: [UInt16], latent: [Float]) {
        try HDF5Library.locked {
            precondition((0..<counts.utterances).contains(index), "DatasetFile: \(index) of \(counts.utterances)")
            return (
                try read(columns.tokens, index..<index + 1)[0], try read(columns.codes, index..<index + 1)[0],
                try columns.autoregressiveLatents?.read(index..<index + 1) ?? []
            )
        }
    }

    /// One utterance's conditioning latent for the autoregressive model; empty when none are stored.
    public func autoregressiveLatent(at index: Int) throws -> [Float] {
        try HDF5Library.locked {
            precondition((0..<counts.utterances).contains(index), "DatasetFile: \(index) of \(counts.utterances)")
            return try columns.autoregressiveLatents?.read(index..<index + 1) ?? []
        }
    }

    /// One utterance's spectrogram. Shape: [frames, bands], row by row.
    ///
    /// - Throws: `InputError` when the file stores none of this name.
    public func mel(_ name: String, at index: Int) throws -> [Float] {
        try HDF5Library.locked {
            precondition((0..<counts.utterances).contains(index), "DatasetFile: \(index) of \(counts.utterances)")
            guard let mel = columns.mels.first(where: { $0.name == name }) else {
                throw InputError.data(
                    "holds no '\(name)' spectrograms", at: path,
                    try: "prepare the dataset with prepare.store_mels: True")
            }
            return try read(mel.column, index..<index + 1)[0]
        }
    }

    /// One utterance's waveform, at the schema's waveform rate.
    ///
    /// - Throws: `InputError` when the file stores none.
    public func waveform(at index: Int) throws -> [Int16] {
        try HDF5Library.locked {
            precondition((0..<counts.utterances).contains(index), "DatasetFile: \(index) of \(counts.utterances)")
            guard let waveforms = columns.waveforms else {
                throw InputError.data(
                    "holds no waveforms", at: path, try: "prepare the dataset with prepare.store_waveforms: True")
            }
            return try read(waveforms, index..<index + 1)[0]
        }
    }

    private func read<Element>(_ column: RaggedColumn<Element>, _ range: Range<Int>) throws -> [[Element]] {
        try column.load(count: counts.utterances)
        return try column.read(range)
    }
}
