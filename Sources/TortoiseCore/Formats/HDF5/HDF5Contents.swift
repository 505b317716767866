import CHDF5
import CHDF5Reader
import Foundation

/// Everything in an HDF5 file of any format, read by a child process and handed over piece by piece.
///
/// The HDF5 library follows pointers and sizes that are garbage where a file without checksums is damaged: it crashes, hangs or
/// takes all memory. A process of its own may do so. `HDF5File` is for files with checksums.
final class HDF5Contents {
    /// Names are relative to the group that was entered last.
    enum Item: Equatable {
        case group(String)
        /// The group that was entered last has nothing more.
        case groupEnd
        /// An attribute of that group; those come before what it holds.
        case textAttribute(String, String)
        case numberAttribute(String, Double)
        case text(String, String)
        /// A dataset of whole numbers of any width and shape; what 32 bits cannot hold is the nearest that they can.
        case integers(String, [Int32])
        /// Something cannot be read; without a name it is the group itself.
        case fault(String, why: String)
    }

    private let path: String
    private let process: pid_t
    private var pipe: PipeReader?

    /// - Throws: `InputError` when the file is missing or no HDF5, or no process can be started.
    init(of path: String) throws {
        self.path = path
        try HDF5File.checkSignature(path)
        var process = pid_t()
        let descriptor = try HDF5Library.locked {
            let flags = tortoise_h5_read_only() | tortoise_h5_swmr_read()
            return try withExtendedLifetime(HDF5File.accessProperties(path)) {
                tortoise_h5_start(path, flags, $0.id, &process)
            }
        }
        guard descriptor >= 0 else {
            throw InputError.data(
                "cannot start a process to read the file: \(String(cString: strerror(errno)))", at: path)
        }
        self.process = process
        pipe = PipeReader(descriptor)
    }

    deinit { if pipe != nil { end(isEnough: true) } }

    /// The next piece; nil after the last one.
    ///
    /// - Throws: `InputError` when the file cannot be opened or what it says broke the reading process.
    func next() throws -> Item? {
        guard let pipe else { return nil }
        guard let header = pipe.bytes(MemoryLayout<TortoiseH5Record>.size) else { throw endedTooSoon() }
        let record = header.withUnsafeBytes { $0.loadUnaligned(as: TortoiseH5Record.self) }
        let most = UInt32(TORTOISE_H5_MOST_BYTES)
        guard record.name_bytes <= most, record.payload_bytes <= most, let name = pipe.bytes(Int(record.name_bytes)),
            let payload = pipe.bytes(Int(record.payload_bytes))
        else { throw endedTooSoon() }
        return try item(Int(record.kind), String(decoding: name, as: UTF8.self), payload)
    }

    private func item(_ kind: Int, _ name: String, _ payload: [UInt8]) throws -> Item? {
        switch kind {
        case TORTOISE_H5_GROUP: return .group(name)
        case TORTOISE_H5_GROUP_END: return .groupEnd
        case TORTOISE_H5_TEXT_ATTRIBUTE: return .textAttribute(name, Self.text(payload))
        case TORTOISE_H5_NUMBER_ATTRIBUTE where payload.count == 8:
            return .numberAttribute(name, payload.withUnsafeBytes { $0.loadUnaligned(as: Double.self) })
        case TORTOISE_H5_TEXT: return .text(name, Self.text(payload))
        case TORTOISE_H5_INTEGERS: return .integers(name, Self.integers(payload))
        case TORTOISE_H5_FAULT: return .fault(name, why: Self.text(payload))
        case TORTOISE_H5_DONE:
            end(isEnough: false)
            return nil
        default: throw endedTooSoon()
        }
    }

    private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    private static func integers(_ bytes: [UInt8]) -> [Int32] {
        [Int32](unsafeUninitializedCapacity: bytes.count / 4) { buffer, count in
            count = buffer.count
            UnsafeMutableRawBufferPointer(buffer).copyBytes(from: bytes.prefix(4 * count))
        }
    }

    /// What broke the reading process.
    private func endedTooSoon() -> InputError {
        let isSilent = pipe?.isSilent == true
        let trouble =
            switch Int(end(isEnough: isSilent)) {
            case TORTOISE_H5_CRASHED: "the HDF5 library crashes when it reads it"
            case TORTOISE_H5_HUNG: "the HDF5 library takes too long to read it"
            case TORTOISE_H5_KILLED where isSilent: "the HDF5 library waits for something that does not come"
            case TORTOISE_H5_KILLED: "reading it was stopped from outside"
            default: "reading it ended half-way"
            }
        return .data(
            "the file seems to be damaged: \(trouble)", at: path,
            try: "make it again; 'h5dump' may show what can be saved")
    }

    /// Closes the pipe first: a process that writes into it ends then.
    @discardableResult private func end(isEnough: Bool) -> Int32 {
        pipe = nil
        return tortoise_h5_end(process, isEnough ? 1 : 0)
    }
}

/// Reads a pipe in large pieces, and closes it.
private final class PipeReader {
    private let descriptor: Int32
    private var buffer = [UInt8](repeating: 0, count: 64 << 10)
    private var unread = 0..<0

    init(_ descriptor: Int32) { self.descriptor = descriptor }
    deinit { close(descriptor) }

    /// Whether it was waited for in vain.
    private(set) var isSilent = false
    /// Seconds; a process that computes is stopped by the system before.
    private static let patience = 60

    private func readSome() -> Int {
        while true {
            var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            let ready = poll(&request, 1, Int32(Self.patience * 1_000))
            isSilent = ready == 0
            guard ready != 0 else { return 0 }
            let got = ready < 0 ? -1 : read(descriptor, &buffer, buffer.count)
            if got < 0 && errno == EINTR { continue }
            return got
        }
    }

    /// So many bytes; nil when the pipe ends before.
    func bytes(_ count: Int) -> [UInt8]? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count)
        while bytes.count < count {
            if unread.isEmpty {
                let got = readSome()
                guard got > 0 else { return nil }
                unread = 0..<got
            }
            let taken = unread.prefix(count - bytes.count)
            bytes += buffer[taken]
            unread = taken.upperBound..<unread.upperBound
        }
        return bytes
    }
}
