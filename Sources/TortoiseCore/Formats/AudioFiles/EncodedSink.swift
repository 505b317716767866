import CSndFile
import Foundation

/// Where encoded audio goes: a file that appears when it is complete, or memory. libsndfile writes and seeks in it.
final class EncodedSink {
    private(set) var memory: [UInt8] = []
    /// The first thing that went wrong; libsndfile can only be told that fewer bytes were written.
    private(set) var error: (any Error)?

    private let file: AtomicFile?
    private var position = 0

    init(file: AtomicFile?) {
        self.file = file
    }

    func commit() throws {
        try file?.commit()
    }

    private var length: Int { file?.position ?? memory.count }

    private func write(_ bytes: UnsafeRawBufferPointer) -> Int {
        guard error == nil else { return 0 }
        do {
            // Headers are rewritten in place at the end; the rest is appended.
            let inside = min(bytes.count, max(0, length - position))
            if inside > 0 { try replace(UnsafeRawBufferPointer(rebasing: bytes[..<inside])) }
            let rest = UnsafeRawBufferPointer(rebasing: bytes[inside...])
            if !rest.isEmpty {
                if position + inside > length { try append([UInt8](repeating: 0, count: position + inside - length)) }
                if let file { try file.write(rest) } else { memory.append(contentsOf: rest) }
            }
            position += bytes.count
            return bytes.count
        } catch {
            self.error = error
            return 0
        }
    }

    private func replace(_ bytes: UnsafeRawBufferPointer) throws {
        if let file {
            try file.overwrite(Array(bytes), at: position)
        } else {
            memory.replaceSubrange(position..<position + bytes.count, with: bytes)
        }
    }

    private func append(_ bytes: [UInt8]) throws {
        if let file { try file.write(bytes) } else { memory += bytes }
    }

    // MARK: - Callbacks

    private static func from(_ context: UnsafeMutableRawPointer?) -> EncodedSink? {
        context.map { Unmanaged<EncodedSink>.fromOpaque($0).takeUnretainedValue() }
    }

    static var callbacks: SF_VIRTUAL_IO {
        SF_VIRTUAL_IO(
            get_filelen: { sf_count_t(EncodedSink.from($0)?.length ?? 0) },
            seek: { offset, whence, context in
                guard let sink = EncodedSink.from(context) else { return -1 }
                let base = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? sink.position : sink.length
                guard base + Int(offset) >= 0 else { return -1 }
                sink.position = base + Int(offset)
                return sf_count_t(sink.position)
            },
            read: { _, _, _ in 0 },
            write: { source, count, context in
                guard let sink = EncodedSink.from(context), let source, count > 0 else { return 0 }
                return sf_count_t(sink.write(UnsafeRawBufferPointer(start: source, count: Int(count))))
            },
            tell: { sf_count_t(EncodedSink.from($0)?.position ?? 0) })
    }
}
