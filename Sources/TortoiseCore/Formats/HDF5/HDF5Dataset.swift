import CHDF5
import CHDF5Reader
import Foundation

/// An array in a file; rows are slices along its first dimension.
struct HDF5Dataset: @unchecked Sendable {
    /// How new datasets are packed.
    enum Compression: Equatable, Sendable {
        case none
        /// Bytes of equal rank brought together, then zlib at a level from 1 to 9.
        case deflate(Int)
        /// h5py's `lzf`.
        case lzf
    }

    /// The most bytes that one read may ask for.
    static let maximumRead = 1 << 30
    /// Chunks beyond this size are not read: the library would take the memory for them at once.
    private static let maximumChunk = 256 << 20

    let identifier: HDF5Identifier
    /// File and path, for messages.
    let place: String
    private let chunkBytes: Int
    /// Rows of a chunk; 0 where the array is not chunked.
    private let chunkRows: Int
    /// The chunks that were seen to be whole.
    private let wholeChunks = ChunkSet()
    private let isFiltered: Bool

    /// Takes over an open dataset; call under the lock.
    init(identifier: HDF5Identifier, place: String) throws {
        self.identifier = identifier
        self.place = place
        guard let properties = HDF5Identifier(H5Dget_create_plist(identifier.id), .propertyList),
            let type = HDF5Identifier(H5Dget_type(identifier.id), .datatype)
        else { throw HDF5Library.takeError("read the dataset's properties", at: place) }
        isFiltered = H5Pget_nfilters(properties.id) > 0
        var dimensions = [hsize_t](repeating: 0, count: 32)
        let rank = H5Pget_layout(properties.id) == H5D_CHUNKED ? H5Pget_chunk(properties.id, 32, &dimensions) : 0
        let bytes = dimensions.prefix(Int(max(0, rank))).reduce(Double(max(1, H5Tget_size(type.id)))) {
            $0 * Double($1)
        }
        guard rank == 0 || bytes <= Double(Self.maximumChunk) else {
            throw InputError.data("expected chunks of at most 256 MiB, found \(bytes) bytes", at: place)
        }
        chunkBytes = rank > 0 ? Int(bytes) : 0
        chunkRows = rank > 0 ? Int(clamping: dimensions[0]) : 0
        try requireKnownFilters(properties)
    }

    /// The length of every dimension.
    func shape() throws -> [Int] {
        try HDF5Library.locked {
            guard let space = HDF5Identifier(H5Dget_space(identifier.id), .dataspace) else {
                throw HDF5Library.takeError("read the shape", at: place)
            }
            let rank = H5Sget_simple_extent_ndims(space.id)
            guard rank >= 0, rank <= 32 else { throw HDF5Library.takeError("read the shape", at: place) }
            var lengths = [hsize_t](repeating: 0, count: max(1, Int(rank)))
            H5Sget_simple_extent_dims(space.id, &lengths, nil)
            return try lengths.prefix(Int(rank)).map { length in
                guard let length = Int(exactly: length) else {
                    throw InputError.data("expected dimensions below 2^63, found \(length)", at: place)
                }
                return length
            }
        }
    }

    /// What an element is, such as "int16" or "text".
    func elementName() -> String {
        HDF5Library.locked {
            guard let type = HDF5Identifier(H5Dget_type(identifier.id), .datatype) else { return "unknown" }
            let bits = 8 * H5Tget_size(type.id)
            switch H5Tget_class(type.id) {
            case H5T_INTEGER: return (H5Tget_sign(type.id) == H5T_SGN_NONE ? "uint" : "int") + "\(bits)"
            case H5T_FLOAT: return "float\(bits)"
            case H5T_STRING: return "text"
            default: return "compound"
            }
        }
    }

    /// Reads rows.
    ///
    /// - Parameters:
    ///   - rows: A range along the first dimension; nil reads everything, a scalar too.
    /// - Returns: The elements in row-major order.
    /// - Throws: `InputError` for a wrong element type, rows that are not there, damaged data, and for more than the file can hold.
    func read<Element: HDF5Element>(
        _ type: Element.Type = Element.self, rows: Range<Int>? = nil
    ) throws -> [Element] {
        try HDF5Library.locked {
            try requireElement(type)
            let shape = try shape()
            let rows = rows ?? 0..<(shape.first ?? 1)
            let count = try elementCount(rows, shape, MemoryLayout<Element>.stride)
            guard count > 0 else { return [] }
            try requireWhole(rows)
            let (memory, selection) = try select(rows, shape, count)
            var failed = false
            let values = [Element](unsafeUninitializedCapacity: count) { buffer, initialized in
                let status = H5Dread(
                    identifier.id, Element.nativeType, memory.id, selection.id, tortoise_h5_default(),
                    buffer.baseAddress)
                failed = status < 0
                initialized = failed ? 0 : count
            }
            if failed { throw HDF5Library.takeError("read rows \(rows)", at: place, try: "the file may be damaged") }
            return values
        }
    }

    /// Writes rows; the dataset must reach that far.
    func write<Element: HDF5Element>(_ values: [Element], fromRow row: Int) throws {
        try HDF5Library.locked {
            let shape = try shape()
            let width = shape.dropFirst().reduce(1, *)
            precondition(
                width > 0 && values.count % width == 0, "HDF5Dataset.write: \(values.count) values into \(shape)")
            guard !values.isEmpty else { return }
            let (memory, selection) = try select(row..<row + values.count / width, shape, values.count)
            guard
                H5Dwrite(identifier.id, Element.nativeType, memory.id, selection.id, tortoise_h5_default(), values) >= 0
            else {
                throw HDF5Library.takeError("write to the dataset", at: place, try: "is the disk full?")
            }
        }
    }

    /// Makes the first dimension longer (or shorter).
    func resize(rows: Int) throws {
        try HDF5Library.locked {
            var lengths = try shape().map { hsize_t($0) }
            lengths[0] = hsize_t(rows)
            guard H5Dset_extent(identifier.id, lengths) >= 0 else {
                throw HDF5Library.takeError("resize the dataset", at: place)
            }
        }
    }

    /// Hands what was written to the operating system, so that readers of other processes see it.
    func flush() throws {
        try HDF5Library.locked {
            guard H5Dflush(identifier.id) >= 0 else { throw HDF5Library.takeError("flush the dataset", at: place) }
        }
    }

    /// Looks again at what another process appended.
    func refresh() throws {
        try HDF5Library.locked {
            guard H5Drefresh(identifier.id) >= 0 else { throw HDF5Library.takeError("refresh the dataset", at: place) }
        }
    }
}

/// Numbers of chunks, from the first row on; used under the library's lock.
private final class ChunkSet {
    var numbers: Set<Int> = []
}

// MARK: - Checks

extension HDF5Dataset {
    private func requireElement<Element: HDF5Element>(_ element: Element.Type) throws {
        guard let type = HDF5Identifier(H5Dget_type(identifier.id), .datatype) else {
            throw HDF5Library.takeError("read the element type", at: place)
        }
        let kind = H5Tget_class(type.id)
        let wanted = H5Tget_class(Element.nativeType)
        let isSame =
            kind == wanted && H5Tget_size(type.id) == MemoryLayout<Element>.size
            && (kind != H5T_INTEGER || H5Tget_sign(type.id) == H5Tget_sign(Element.nativeType))
        guard isSame else {
            throw InputError.data("expected \(Element.self) elements, found \(elementName())", at: place)
        }
    }

    /// The number of elements in a range of rows, if it is there and the file can hold it.
    private func elementCount(_ rows: Range<Int>, _ shape: [Int], _ elementBytes: Int) throws -> Int {
        guard rows.lowerBound >= 0, rows.upperBound <= (shape.first ?? 1) else {
            throw InputError.data("expected at least \(rows.upperBound) rows, found \(shape.first ?? 1)", at: place)
        }
        var count = rows.count
        for length in shape.dropFirst() {
            let (product, overflow) = count.multipliedReportingOverflow(by: length)
            guard !overflow else { throw tooLarge(shape) }
            count = product
        }
        let (bytes, overflow) = count.multipliedReportingOverflow(by: elementBytes)
        guard !overflow, bytes <= Self.maximumRead else { throw tooLarge(shape) }
        // Rows that were never written read as zeros. What is large must therefore be there in the file; zlib packs 1032 to 1.
        if bytes > 16 << 20 {
            let stored = Int(clamping: H5Dget_storage_size(identifier.id))
            guard bytes / (isFiltered ? 1_032 : 1) <= stored + chunkBytes else {
                throw InputError.data("expected \(bytes) bytes of data, found \(stored) in the file", at: place)
            }
        }
        return count
    }

    /// Keeps the library from reading on behind what is stored. Checksums guard structure; what a chunk unpacks to they do not.
    private func requireWhole(_ rows: Range<Int>) throws {
        guard chunkRows > 0, !rows.isEmpty else { return }
        let needed = rows.lowerBound / chunkRows...(rows.upperBound - 1) / chunkRows
        let unseen = needed.filter { !wholeChunks.numbers.contains($0) }
        guard let first = unseen.first, let last = unseen.last else { return }
        let isWhole = tortoise_h5_rows_are_whole(
            identifier.id, UInt64(first * chunkRows), UInt64((last - first + 1) * chunkRows))
        H5Eclear2(tortoise_h5_error_stack())
        guard isWhole != 0 else {
            throw InputError.data(
                "the file is damaged: what is stored of this array is not what its shape takes", at: place,
                try: "make it again")
        }
        wholeChunks.numbers.formUnion(unseen)
    }

    private func tooLarge(_ shape: [Int]) -> InputError {
        .data("expected at most 1 GiB in one piece, found the shape \(shape)", at: place)
    }

    private func select(_ rows: Range<Int>, _ shape: [Int], _ count: Int) throws -> (HDF5Identifier, HDF5Identifier) {
        var length = hsize_t(count)
        guard let memory = HDF5Identifier(H5Screate_simple(1, &length, nil), .dataspace),
            let selection = HDF5Identifier(H5Dget_space(identifier.id), .dataspace)
        else { throw HDF5Library.takeError("select rows", at: place) }
        guard !shape.isEmpty else { return (memory, selection) }
        var start = [hsize_t](repeating: 0, count: shape.count)
        var counts = shape.map { hsize_t($0) }
        start[0] = hsize_t(rows.lowerBound)
        counts[0] = hsize_t(rows.count)
        guard H5Sselect_hyperslab(selection.id, H5S_SELECT_SET, start, nil, counts, nil) >= 0 else {
            throw HDF5Library.takeError("select rows \(rows)", at: place)
        }
        return (memory, selection)
    }

    private func requireKnownFilters(_ properties: HDF5Identifier) throws {
        for index in 0..<max(0, H5Pget_nfilters(properties.id)) {
            var flags: UInt32 = 0
            var valueCount = 0
            let filter = H5Pget_filter2(properties.id, UInt32(index), &flags, &valueCount, nil, 0, nil, nil)
            guard filter >= 0, H5Zfilter_avail(filter) > 0 else {
                H5Eclear2(tortoise_h5_error_stack())
                throw InputError.data(
                    "compressed with filter \(filter), which is not known here", at: place,
                    try: "gzip, shuffle, szip and lzf are")
            }
        }
    }
}

// MARK: - Creation

extension HDF5Group {
    /// Creates an array that can grow along its first dimension.
    ///
    /// - Parameters:
    ///   - width: Elements per row; nil for one dimension.
    ///   - chunkRows: Rows that are stored and packed together; nil makes an array of fixed length instead.
    func createDataset<Element: HDF5Element>(
        _ name: String, _ type: Element.Type, rows: Int = 0, width: Int? = nil, chunkRows: Int?,
        compression: HDF5Dataset.Compression = .none
    ) throws -> HDF5Dataset {
        try HDF5Library.locked {
            let place = "\(file): \(childPath(name))"
            let tail = width.map { [hsize_t($0)] } ?? []
            let most = chunkRows == nil ? hsize_t(rows) : tortoise_h5_unlimited()
            guard let properties = HDF5Identifier(H5Pcreate(tortoise_h5_dataset_create()), .propertyList),
                let space = HDF5Identifier(
                    H5Screate_simple(Int32(1 + tail.count), [hsize_t(rows)] + tail, [most] + tail), .dataspace)
            else { throw HDF5Library.takeError("create the dataset", at: place) }
            if let chunkRows {
                H5Pset_chunk(properties.id, Int32(1 + tail.count), [hsize_t(chunkRows)] + tail)
                switch compression {
                case .none: break
                case .deflate(let level):
                    H5Pset_shuffle(properties.id)
                    H5Pset_deflate(properties.id, UInt32(min(max(level, 1), 9)))
                case .lzf: H5Pset_filter(properties.id, LZFFilter.identifier, UInt32(H5Z_FLAG_OPTIONAL), 0, nil)
                }
            } else {
                // Space is taken at once, so that later writes change nothing but the numbers themselves.
                H5Pset_alloc_time(properties.id, H5D_ALLOC_TIME_EARLY)
            }
            let none = tortoise_h5_default()
            let id = H5Dcreate2(identifier.id, name, Element.nativeType, space.id, none, properties.id, none)
            guard let dataset = HDF5Identifier(id, .dataset) else {
                throw HDF5Library.takeError("create the dataset", at: place)
            }
            return try HDF5Dataset(identifier: dataset, place: place)
        }
    }
}
