import Foundation

/// A file mapped read-only into memory; the pages are read when they are first touched.
///
/// `@unchecked Sendable` because the bytes never change after the mapping is made and the class holds nothing else mutable.
public final class MappedFile: @unchecked Sendable {
    /// The mapped bytes; valid as long as this object lives.
    public let bytes: UnsafeRawBufferPointer
    /// The path that was opened, for messages.
    public let path: String

    /// Maps a whole file.
    ///
    /// - Throws: `InputError` of the given kind when the file is missing, unreadable or no regular file.
    public init(path: String, kind: InputError.Kind = .model) throws {
        self.path = path
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw InputError(kind, "cannot open the file: \(String(cString: strerror(errno)))", at: path)
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw InputError(kind, "expected a regular file", at: path)
        }
        let count = Int(status.st_size)
        guard count > 0 else {
            bytes = UnsafeRawBufferPointer(start: nil, count: 0)
            return
        }
        guard let base = mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor, 0), base != MAP_FAILED else {
            throw InputError(kind, "cannot map the file: \(String(cString: strerror(errno)))", at: path)
        }
        bytes = UnsafeRawBufferPointer(start: base, count: count)
    }

    deinit {
        if let base = bytes.baseAddress {
            munmap(UnsafeMutableRawPointer(mutating: base), bytes.count)
        }
    }

    /// Tells the kernel that the file's pages are not needed for now, so that they leave resident memory.
    public func releasePages() {
        if let base = bytes.baseAddress {
            madvise(UnsafeMutableRawPointer(mutating: base), bytes.count, MADV_DONTNEED)
        }
    }
}
