import Foundation
import Synchronization

/// A file that appears under its name complete, or not at all.
///
/// Bytes go to a temporary file in the same folder; `commit()` flushes it to disk, renames it over the old file and
/// flushes the folder. Whatever happens before that (an error, a kill, a full disk) leaves the old file as it was. A device or a
/// pipe is not replaced: it gets the bytes at the commit.
public final class AtomicFile {
    /// The path as given; a link is followed, so that the file it names is replaced and not the link.
    public let path: String
    /// Bytes written so far.
    public private(set) var position = 0

    private let target: String
    private let isDeviceOrPipe: Bool
    private let temporaryPath: String
    private let kind: InputError.Kind
    private var descriptor: Int32
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 64)
    private var buffered = 0

    /// The text between a target's name and the random end of its temporary file's name.
    private static let marker = ".partial-"

    /// Opens the temporary file.
    ///
    /// - Throws: `InputError` of the given kind when the folder cannot be written to.
    public init(path: String, kind: InputError.Kind = .data) throws {
        self.path = path
        self.kind = kind
        target = Self.resolved(path)
        isDeviceOrPipe = Self.isDeviceOrPipe(target)
        let folder = isDeviceOrPipe ? FileManager.default.temporaryDirectory.path : FilePath.folder(of: target)
        // A name may have 255 bytes, so a long one is cut to leave room for the marker.
        let name = String(decoding: Self.name(of: target).utf8.prefix(200), as: UTF8.self)
        let tail = String(UInt64.random(in: .min ... .max), radix: 36)
        temporaryPath = "\(folder)/.\(name)\(Self.marker)\(tail)"
        descriptor = open(temporaryPath, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw Self.failure("cannot create a file in \(folder)", path, kind) }
        Self.unfinished.withLock { _ = $0.insert(temporaryPath) }
    }

    /// The temporary files of this process.
    private static let unfinished = Mutex<Set<String>>([])

    /// Removes the temporary files of this process, which is about to leave in the middle of its work.
    public static func removeUnfinished() {
        unfinished.withLock { for path in $0 { unlink(path) } }
    }

    deinit {
        Self.unfinished.withLock { _ = $0.remove(temporaryPath) }
        buffer.deallocate()
        if descriptor >= 0 {
            close(descriptor)
            unlink(temporaryPath)
        }
    }

    /// Writes a file through a closure, and commits it when the closure returns.
    public static func write(
        to path: String, kind: InputError.Kind = .data, _ body: (AtomicFile) throws -> Void
    ) throws {
        let file = try AtomicFile(path: path, kind: kind)
        try body(file)
        try file.commit()
    }

    /// Whether a file name is that of a temporary file which a killed program left behind.
    public static func isLeftover(_ name: String) -> Bool {
        name.hasPrefix(".") && name.contains(marker)
    }

    /// Removes what killed programs left behind in a folder that no other program is writing to.
    ///
    /// - Returns: The names that were removed.
    @discardableResult
    public static func removeLeftovers(in folder: String) -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.filter { isLeftover($0) && unlink("\(folder)/\($0)") == 0 }.sorted()
    }

    /// Appends bytes.
    public func write(_ bytes: UnsafeRawBufferPointer) throws {
        if bytes.count > buffer.count - buffered { try flush() }
        if bytes.count >= buffer.count {
            try writeFully(bytes, at: position)
        } else if let source = bytes.baseAddress, let base = buffer.baseAddress {
            (base + buffered).copyMemory(from: source, byteCount: bytes.count)
            buffered += bytes.count
        }
        position += bytes.count
    }

    /// Appends bytes.
    public func write(_ bytes: [UInt8]) throws {
        try bytes.withUnsafeBytes { try write($0) }
    }

    /// Replaces bytes that were written before, such as a length that was not known yet.
    public func overwrite(_ bytes: [UInt8], at offset: Int) throws {
        precondition(offset >= 0 && offset + bytes.count <= position, "overwrite reaches past what was written")
        try flush()
        try bytes.withUnsafeBytes { try writeFully($0, at: offset) }
    }

    /// Flushes everything to disk and gives the file its name; nothing can be written afterwards.
    public func commit() throws {
        try flush()
        guard !isDeviceOrPipe else { return try copyToTarget() }
        guard fsync(descriptor) == 0 else { throw Self.failure("cannot flush the file", path, kind) }
        guard close(descriptor) == 0 else {
            descriptor = -1
            unlink(temporaryPath)
            throw Self.failure("cannot close the file", path, kind)
        }
        descriptor = -1
        guard rename(temporaryPath, target) == 0 else {
            let error = Self.failure("cannot give the file its name", path, kind)
            unlink(temporaryPath)
            throw error
        }
        // The rename itself is only on disk when the folder is.
        let folder = open(FilePath.folder(of: target), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        if folder >= 0 {
            fsync(folder)
            close(folder)
        }
    }

    /// The temporary file goes when this object does.
    private func copyToTarget() throws {
        let output = open(target, O_WRONLY | O_CLOEXEC)
        guard output >= 0 else { throw Self.failure("cannot open the device or pipe", path, kind) }
        defer { close(output) }
        for offset in stride(from: 0, to: position, by: buffer.count) {
            let count = pread(descriptor, buffer.baseAddress, buffer.count, off_t(offset))
            guard count > 0 else { throw Self.failure("cannot read back what was written", path, kind) }
            var done = 0
            while done < count {
                let written = Foundation.write(output, buffer.baseAddress.map { $0 + done }, count - done)
                if written < 0 && errno == EINTR { continue }
                guard written > 0 else { throw Self.failure("cannot write to the device or pipe", path, kind) }
                done += written
            }
        }
    }

    private func flush() throws {
        guard buffered > 0 else { return }
        try writeFully(UnsafeRawBufferPointer(rebasing: buffer[..<buffered]), at: position - buffered)
        buffered = 0
    }

    private func writeFully(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws {
        precondition(descriptor >= 0, "AtomicFile was written to after its commit")
        guard let base = bytes.baseAddress else { return }
        var done = 0
        while done < bytes.count {
            let count = pwrite(descriptor, base + done, bytes.count - done, off_t(offset + done))
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw Self.failure("cannot write the file", path, kind) }
            done += count
        }
    }

    private static func failure(_ what: String, _ path: String, _ kind: InputError.Kind) -> InputError {
        let code = errno
        let reason = "\(what): \(String(cString: strerror(code)))"
        return InputError(
            kind, reason, at: path, try: code == ENOSPC ? "free some disk space; nothing was changed" : nil)
    }

    private static func resolved(_ path: String) -> String {
        guard let real = realpath(path, nil) else { return path }
        defer { free(real) }
        return String(cString: real)
    }

    private static func isDeviceOrPipe(_ path: String) -> Bool {
        var status = stat()
        guard stat(path, &status) == 0 else { return false }
        return [S_IFCHR, S_IFBLK, S_IFIFO, S_IFSOCK].contains(status.st_mode & S_IFMT)
    }

    private static func name(of path: String) -> Substring {
        path[(path.lastIndex(of: "/").map(path.index(after:)) ?? path.startIndex)...]
    }
}
