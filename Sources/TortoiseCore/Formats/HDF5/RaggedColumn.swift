import Foundation

/// Values of differing number per row, in one flat array: `values` holds all rows one after the other, `ends` the row number in
/// `values` at which each stops.
///
/// What lies beyond the committed rows is the remainder of an interrupted append; the next append overwrites it.
final class RaggedColumn<Element: HDF5Element> {
    private let values: HDF5Dataset
    private let endings: HDF5Dataset
    /// Elements per row of `values`: 1, or the bands of a spectrogram.
    private let width: Int
    /// `ends` of the rows read so far.
    private var ends: [Int64] = []
    // Appended, not yet written.
    private var pendingValues: [Element] = []
    private var pendingEnds: [Int64] = []

    /// Opens the column in a group that holds `values` and `ends`.
    init(in group: HDF5Group, width: Int) throws {
        self.width = width
        values = try group.dataset("values")
        endings = try group.dataset("ends")
        let shape = try values.shape()
        guard shape.count == (width == 1 ? 1 : 2), width == 1 || shape[1] == width else {
            throw InputError.data("expected rows of \(width), found the shape \(shape)", at: values.place)
        }
    }

    static func create(in group: HDF5Group, width: Int, packs: Bool, packsEnds: Bool) throws {
        // Small chunks where they are unpacked as a whole for every row, larger ones where rows are read from them directly.
        let rows = max(1, (packs ? 16_384 : 65_536) / (width * MemoryLayout<Element>.stride))
        _ = try group.createDataset(
            "values", Element.self, width: width == 1 ? nil : width, chunkRows: rows,
            compression: packs ? .deflate(1) : .none)
        _ = try group.createDataset("ends", Int64.self, chunkRows: 4_096, compression: packsEnds ? .deflate(1) : .none)
    }

    // MARK: - Reading

    /// Reads the ends of rows that are new since the last time.
    func load(count: Int) throws {
        guard ends.count < count else { return }
        let more = try endings.read(Int64.self, rows: ends.count..<count)
        var last = ends.last ?? 0
        for end in more {
            guard end >= last else {
                throw InputError.data("expected ends that never fall, found \(end) after \(last)", at: endings.place)
            }
            last = end
        }
        ends += more
    }

    /// Looks again at what another process appended.
    func refresh() throws {
        try values.refresh()
        try endings.refresh()
    }

    /// Rows of `values` in a row of the column.
    func length(of row: Int) -> Int { Int(ends[row] - (row == 0 ? 0 : ends[row - 1])) }

    /// The elements of one row.
    func read(_ row: Int) throws -> [Element] {
        try values.read(rows: start(of: row)..<Int(ends[row]))
    }

    /// The elements of several rows that follow each other, read at once.
    func read(_ rows: Range<Int>) throws -> [[Element]] {
        guard let first = rows.first, let last = rows.last else { return [] }
        let base = start(of: first)
        let all = try values.read(Element.self, rows: base..<Int(ends[last]))
        return rows.map { row in Array(all[(start(of: row) - base) * width..<(Int(ends[row]) - base) * width]) }
    }

    private func start(of row: Int) -> Int { row == 0 ? 0 : Int(ends[row - 1]) }

    // MARK: - Writing

    func append(_ elements: [Element]) {
        precondition(elements.count % width == 0, "RaggedColumn.append: \(elements.count) elements in rows of \(width)")
        pendingValues += elements
        pendingEnds.append((pendingEnds.last ?? ends.last ?? 0) + Int64(elements.count / width))
    }

    /// Writes what was appended after the committed rows and hands it to the operating system.
    func writePending() throws {
        guard let total = pendingEnds.last else { return }
        let start = Int(ends.last ?? 0)
        if try values.shape()[0] < Int(total) { try values.resize(rows: Int(total)) }
        try values.write(pendingValues, fromRow: start)
        if try endings.shape()[0] < ends.count + pendingEnds.count {
            try endings.resize(rows: ends.count + pendingEnds.count)
        }
        try endings.write(pendingEnds, fromRow: ends.count)
        try values.flush()
        try endings.flush()
        ends += pendingEnds
        pendingEnds.removeAll(keepingCapacity: true)
        pendingValues.removeAll(keepingCapacity: true)
    }
}

extension RaggedColumn<UInt8> {
    func text(_ row: Int) throws -> String { String(decoding: try read(row), as: UTF8.self) }
}

/// One value, or one vector of fixed width, per row.
final class FixedColumn<Element: HDF5Element> {
    private let values: HDF5Dataset
    private let width: Int
    private var written = 0
    private var pending: [Element] = []

    init(in group: HDF5Group, _ name: String, width: Int = 1) throws {
        self.width = width
        values = try group.dataset(name)
        let shape = try values.shape()
        guard shape.count == (width == 1 ? 1 : 2), width == 1 || shape[1] == width else {
            throw InputError.data("expected rows of \(width), found the shape \(shape)", at: values.place)
        }
    }

    static func create(in group: HDF5Group, _ name: String, width: Int = 1, packs: Bool) throws {
        let rows = width == 1 ? 4_096 : max(1, 65_536 / (width * MemoryLayout<Element>.stride))
        _ = try group.createDataset(
            name, Element.self, width: width == 1 ? nil : width, chunkRows: rows,
            compression: packs ? .deflate(1) : .none)
    }

    func read(_ rows: Range<Int>) throws -> [Element] { try values.read(rows: rows) }

    func refresh() throws { try values.refresh() }

    /// Where the next row goes.
    func start(at row: Int) { written = row }

    func append(_ elements: [Element]) {
        precondition(elements.count == width, "FixedColumn.append: \(elements.count) elements in a row of \(width)")
        pending += elements
    }

    func writePending() throws {
        guard !pending.isEmpty else { return }
        let rows = written + pending.count / width
        if try values.shape()[0] < rows { try values.resize(rows: rows) }
        try values.write(pending, fromRow: written)
        try values.flush()
        written = rows
        pending.removeAll(keepingCapacity: true)
    }
}
