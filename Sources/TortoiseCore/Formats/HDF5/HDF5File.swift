import CHDF5
import Foundation

/// An open HDF5 file of our own format, whose structure carries checksums: the library finds damage before it follows it.
///
/// `HDF5Contents` reads files of other formats.
/// `@unchecked Sendable` because every call takes the library's lock.
final class HDF5File: @unchecked Sendable {
    enum Access {
        /// Reads; another process may be appending (SWMR).
        case read
        /// Reads and writes; nobody else may have the file open.
        case readWrite
        /// Appends to existing datasets while others read (SWMR).
        case append
    }

    let path: String
    let root: HDF5Group
    private let identifier: HDF5Identifier

    private init(path: String, identifier: HDF5Identifier, root: HDF5Identifier) {
        self.path = path
        self.identifier = identifier
        self.root = HDF5Group(identifier: root, path: "/", file: path)
    }

    /// Opens a file.
    ///
    /// - Throws: `InputError` when the file is missing, no HDF5, without checksums, damaged, or open for writing elsewhere.
    static func open(_ path: String, _ access: Access = .read) throws -> HDF5File {
        try checkSignature(path)
        guard try isChecksummed(path) else { throw try PythonDatasetFile.wrongFormat(path) }
        return try HDF5Library.locked {
            let properties = try accessProperties(path)
            let flags =
                switch access {
                case .read: tortoise_h5_read_only() | tortoise_h5_swmr_read()
                case .readWrite: tortoise_h5_read_write()
                case .append: tortoise_h5_read_write() | tortoise_h5_swmr_write()
                }
            guard let identifier = HDF5Identifier(H5Fopen(path, flags, properties.id), .file) else {
                throw HDF5Library.takeError("open the HDF5 file", at: path)
            }
            return try opened(path, identifier)
        }
    }

    /// Makes a file whose writer was killed fit for the next one; call only when no writer is alive.
    ///
    /// The killed writer left a mark in the header that shuts out others, and an end of file there that is older than what it
    /// appended: a new writer would take that space as free. This does what the tool `h5clear -s -m 0` does.
    static func repairAfterKill(_ path: String) throws {
        guard try hasWriterMark(path) else { return }
        try HDF5Library.locked {
            let properties = try accessProperties(path)
            var yes = true
            H5Pset(properties.id, "clear_status_flags", &yes)
            H5Pset(properties.id, "skip_eof_check", &yes)
            guard let identifier = HDF5Identifier(H5Fopen(path, tortoise_h5_read_write(), properties.id), .file),
                H5Fincrement_filesize(identifier.id, 0) >= 0
            else { throw HDF5Library.takeError("repair the file of a writer that was killed", at: path) }
        }
    }

    /// Creates a file that must not exist yet, in the format that can be read while it grows.
    static func create(_ path: String) throws -> HDF5File {
        try HDF5Library.locked {
            let properties = try accessProperties(path)
            let id = H5Fcreate(path, tortoise_h5_exclusive(), tortoise_h5_default(), properties.id)
            guard let identifier = HDF5Identifier(id, .file) else {
                throw HDF5Library.takeError("create the HDF5 file", at: path)
            }
            return try opened(path, identifier)
        }
    }

    /// Hands everything to the operating system.
    func flush() throws {
        try HDF5Library.locked {
            guard H5Fflush(identifier.id, H5F_SCOPE_LOCAL) >= 0 else {
                throw HDF5Library.takeError("flush the HDF5 file", at: path, try: "is the disk full?")
            }
        }
    }

    private static func opened(_ path: String, _ identifier: HDF5Identifier) throws -> HDF5File {
        guard let root = HDF5Identifier(H5Gopen2(identifier.id, "/", tortoise_h5_default()), .group) else {
            throw HDF5Library.takeError("open the root group", at: path)
        }
        return HDF5File(path: path, identifier: identifier, root: root)
    }

    /// How files are opened; call under the lock.
    static func accessProperties(_ path: String) throws -> HDF5Identifier {
        guard let properties = HDF5Identifier(H5Pcreate(tortoise_h5_file_access()), .propertyList) else {
            throw HDF5Library.takeError("prepare opening", at: path)
        }
        // HDF5 1.10's format has checksums on all its metadata and can be read while it is appended to.
        H5Pset_libver_bounds(properties.id, H5F_LIBVER_V110, H5F_LIBVER_V110)
        // The library's lock is taken for a moment at every opening and fails at once when it meets another: readers and writers
        // of one file would turn each other away by chance. A writer takes its own lock (WriterLock).
        H5Pset_file_locking(properties.id, false, true)
        // A reader beside a writer may find a half-written piece and looks again, sleeping 1, 2, 4 … ns between attempts. The
        // library's own limit of 100 attempts would outlast the sun on a damaged file; 18 take a quarter of a millisecond.
        H5Pset_metadata_read_attempts(properties.id, 18)
        return properties
    }

    /// Says in plain words what the library would say in its own.
    static func checkSignature(_ path: String) throws {
        guard try Array(header(path).prefix(8)) == signature else {
            throw InputError.data("expected an HDF5 file, found something else", at: path)
        }
    }

    private static let signature: [UInt8] = [0x89, 0x48, 0x44, 0x46, 0x0D, 0x0A, 0x1A, 0x0A]

    /// Whether all of the file's structure carries checksums: superblock version 3, of HDF5 1.10.
    static func isChecksummed(_ path: String) throws -> Bool {
        let header = try header(path)
        return header.count == 12 && header[8] == 3
    }

    /// Whether the superblock (version 3, byte 11) says that a writer has the file open.
    private static func hasWriterMark(_ path: String) throws -> Bool {
        try isChecksummed(path) && header(path)[11] != 0
    }

    /// The first twelve bytes.
    private static func header(_ path: String) throws -> [UInt8] {
        let descriptor = Foundation.open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            throw InputError.data("cannot open the file: \(String(cString: strerror(errno)))", at: path)
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw InputError.data("expected an HDF5 file, found a folder or device", at: path)
        }
        var bytes = [UInt8](repeating: 0, count: 12)
        let count = pread(descriptor, &bytes, 12, 0)
        return Array(bytes.prefix(max(0, count)))
    }
}
