import Foundation

/// All columns of an open dataset file, and how many rows of them are complete.
final class DatasetColumns {
    let schema: DatasetSchema
    let codes: RaggedColumn<UInt16>
    let tokens: RaggedColumn<UInt16>
    let texts: RaggedColumn<UInt8>
    let names: RaggedColumn<UInt8>
    let mels: [(name: String, column: RaggedColumn<Float>)]
    let waveforms: RaggedColumn<Int16>?
    let autoregressiveLatents: FixedColumn<Float>?
    let diffusionLatents: FixedColumn<Float>?
    let sampleCounts: FixedColumn<Int64>
    let speakers: FixedColumn<Int32>
    let languages: FixedColumn<Int32>
    let checksums: FixedColumn<UInt32>
    let speakerNames: RaggedColumn<UInt8>
    let languageNames: RaggedColumn<UInt8>
    private let committed: HDF5Dataset

    /// The number of complete utterances, speakers and languages.
    struct Counts: Equatable {
        var utterances = 0
        var speakers = 0
        var languages = 0
    }

    init(_ file: HDF5File) throws {
        let root = file.root
        schema = try DatasetSchema(from: root)
        codes = try RaggedColumn(in: root.group("codes"), width: 1)
        tokens = try RaggedColumn(in: root.group("tokens"), width: 1)
        texts = try RaggedColumn(in: root.group("text"), width: 1)
        names = try RaggedColumn(in: root.group("name"), width: 1)
        let melGroup = schema.mels.isEmpty ? nil : try root.group("mels")
        mels = try schema.mels.sorted { $0.name < $1.name }.compactMap { mel in
            try melGroup.map { (mel.name, try RaggedColumn(in: $0.group(mel.name), width: mel.bands)) }
        }
        waveforms = try schema.waveformRate.map { _ in try RaggedColumn(in: root.group("waveform"), width: 1) }
        func latents(_ name: String, _ width: Int) throws -> FixedColumn<Float>? {
            width == 0 ? nil : try FixedColumn(in: root.group("latents"), name, width: width)
        }
        autoregressiveLatents = try latents("autoregressive", schema.autoregressiveLatentWidth)
        diffusionLatents = try latents("diffusion", schema.diffusionLatentWidth)
        sampleCounts = try FixedColumn(in: root, "samples")
        speakers = try FixedColumn(in: root, "speaker")
        languages = try FixedColumn(in: root, "language")
        checksums = try FixedColumn(in: root, "checksum")
        speakerNames = try RaggedColumn(in: root.group("speakers"), width: 1)
        languageNames = try RaggedColumn(in: root.group("languages"), width: 1)
        committed = try root.dataset("committed")
    }

    /// Makes the empty columns of a new file.
    static func create(_ schema: DatasetSchema, in root: HDF5Group) throws {
        try schema.write(to: root)
        let packs = schema.packsIntegers
        for name in ["codes", "tokens"] {
            try RaggedColumn<UInt16>.create(in: root.createGroup(name), width: 1, packs: packs, packsEnds: packs)
        }
        for name in ["text", "name", "speakers", "languages"] {
            try RaggedColumn<UInt8>.create(in: root.createGroup(name), width: 1, packs: packs, packsEnds: packs)
        }
        if !schema.mels.isEmpty {
            let group = try root.createGroup("mels")
            for mel in schema.mels {
                try RaggedColumn<Float>.create(
                    in: group.createGroup(mel.name), width: mel.bands, packs: schema.packsSignals, packsEnds: packs)
            }
        }
        if schema.waveformRate != nil {
            try RaggedColumn<Int16>.create(
                in: root.createGroup("waveform"), width: 1, packs: schema.packsSignals, packsEnds: packs)
        }
        let latents = try root.createGroup("latents")
        for (name, width) in [
            ("autoregressive", schema.autoregressiveLatentWidth), ("diffusion", schema.diffusionLatentWidth),
        ]
        where width > 0 {
            try FixedColumn<Float>.create(in: latents, name, width: width, packs: schema.packsSignals)
        }
        try FixedColumn<Int64>.create(in: root, "samples", packs: packs)
        try FixedColumn<Int32>.create(in: root, "speaker", packs: packs)
        try FixedColumn<Int32>.create(in: root, "language", packs: packs)
        try FixedColumn<UInt32>.create(in: root, "checksum", packs: false)
        let committed = try root.createDataset("committed", Int64.self, rows: 3, chunkRows: nil)
        try committed.write([Int64(0), 0, 0], fromRow: 0)
    }

    /// Everything whose rows are utterances.
    private var ragged: [any ColumnUpkeep] {
        [codes, tokens, texts, names, speakerNames, languageNames] + mels.map(\.column) + [waveforms].compactMap { $0 }
    }

    private var fixed: [any ColumnUpkeep] {
        [sampleCounts, speakers, languages, checksums] + [autoregressiveLatents, diffusionLatents].compactMap { $0 }
    }

    // MARK: - What is complete

    /// Reads how much is complete.
    func readCounts() throws -> Counts {
        try committed.refresh()
        let numbers = try committed.read(Int64.self)
        guard numbers.count == 3, numbers.allSatisfy({ (0...Int64(1) << 40).contains($0) }) else {
            throw InputError.data("expected three counts, found \(numbers)", at: committed.place)
        }
        return Counts(utterances: Int(numbers[0]), speakers: Int(numbers[1]), languages: Int(numbers[2]))
    }

    /// Makes rows visible that another process appended. The counts must have been read before: what they count is there.
    func refresh() throws {
        for column in ragged + fixed { try column.refresh() }
    }

    /// Writes everything appended, then the counts. Only with the counts does it exist: a kill before leaves the rows before.
    func commit(_ counts: Counts, synchronize: () throws -> Void) throws {
        for column in ragged + fixed { try column.writePending() }
        try synchronize()
        try committed.write([Int64(counts.utterances), Int64(counts.speakers), Int64(counts.languages)], fromRow: 0)
        try committed.flush()
        try synchronize()
    }
}

/// What every column can do, whatever its elements.
protocol ColumnUpkeep {
    func refresh() throws
    func writePending() throws
}

extension RaggedColumn: ColumnUpkeep {}
extension FixedColumn: ColumnUpkeep {}
