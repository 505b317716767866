import CSndFile
import Foundation

/// Audio files through libsndfile: WAV, FLAC, Ogg Vorbis, Opus, MP3, AIFF, CAF, AU and what else it knows.
public enum AudioFile {
    /// Reads a whole file at its own rate and channel count.
    ///
    /// - Throws: `InputError` of kind data for a file that is missing, no audio, damaged before its first sample, or over the limits.
    public static func read(_ path: String, limits: AudioLimits = .file) throws -> AudioClip {
        try withReader(path: path, limits: limits) { try $0.readAll() }
    }

    /// Decodes audio that is in memory.
    ///
    /// - Parameters:
    ///   - bytes: The encoded file.
    ///   - name: What messages call it.
    public static func decode(
        _ bytes: UnsafeRawBufferPointer, name: String = "audio", limits: AudioLimits = .upload
    ) throws -> AudioClip {
        try withReader(bytes: bytes, name: name, limits: limits) { try $0.readAll() }
    }

    /// Decodes audio that is in memory.
    public static func decode(_ bytes: [UInt8], name: String = "audio", limits: AudioLimits = .upload) throws
        -> AudioClip
    {
        try bytes.withUnsafeBytes { try decode($0, name: name, limits: limits) }
    }

    /// Reads a file's header and metadata only.
    public static func information(_ path: String) throws -> AudioInformation {
        try withReader(path: path, limits: .file) { $0.information }
    }

    /// Reads a file's seconds from its header; decodes it when the header does not know.
    public static func duration(_ path: String) throws -> Double {
        try withReader(path: path, limits: .file) { reader in
            if let count = reader.information.count { return Double(count) / Double(reader.information.sampleRate) }
            return try reader.readAll().duration
        }
    }

    private static func withReader<Result>(
        path: String, limits: AudioLimits, _ body: (AudioReader) throws -> Result
    ) throws -> Result {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            throw InputError.data("cannot open the audio file: \(String(cString: strerror(errno)))", at: path)
        }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            throw InputError.data("expected an audio file, found a folder or device", at: path)
        }
        guard status.st_size > 0, status.st_size <= limits.maximumBytes else {
            close(descriptor)
            throw sizeError(Int(status.st_size), limits, path)
        }
        // libsndfile closes the descriptor, also when it cannot open the file.
        let reader = try AudioReader(name: path, limits: limits) { sf_open_fd(descriptor, Int32(SFM_READ), &$0, 1) }
        return try body(reader)
    }

    private static func withReader<Result>(
        bytes: UnsafeRawBufferPointer, name: String, limits: AudioLimits, _ body: (AudioReader) throws -> Result
    ) throws -> Result {
        guard bytes.count > 0, bytes.count <= limits.maximumBytes else { throw sizeError(bytes.count, limits, name) }
        let source = MemorySource(bytes)
        // The source must outlive the reader that calls back into it.
        return try withExtendedLifetime(source) {
            let reader = try AudioReader(name: name, limits: limits) { information in
                var callbacks = MemorySource.callbacks
                return sf_open_virtual(
                    &callbacks, Int32(SFM_READ), &information, Unmanaged.passUnretained(source).toOpaque())
            }
            return try body(reader)
        }
    }

    private static func sizeError(_ size: Int, _ limits: AudioLimits, _ name: String) -> InputError {
        size == 0
            ? .data("the audio is empty", at: name)
            : .data("expected at most \(limits.maximumBytes >> 20) MiB of audio, found \(size) bytes", at: name)
    }
}

/// libsndfile keeps the reason of a failed open in one place for the whole process, so opening takes turns.
let soundFileOpening = NSLock()

/// One open file of libsndfile, read from its start to its end.
final class AudioReader {
    let information: AudioInformation
    private let handle: OpaquePointer
    private let name: String
    private let limits: AudioLimits

    init(name: String, limits: AudioLimits, open: (inout SF_INFO) -> OpaquePointer?) throws {
        var header = SF_INFO()
        let opened: Result<OpaquePointer, InputError> = soundFileOpening.withLock {
            guard let handle = open(&header) else {
                let reason = sf_strerror(nil).map { String(cString: $0) } ?? "unknown format"
                return .failure(
                    InputError.data(
                        "cannot read this as audio: \(reason)", at: name,
                        try: "WAV, FLAC, Ogg, Opus, MP3 and AIFF are read"))
            }
            return .success(handle)
        }
        handle = try opened.get()
        self.name = name
        self.limits = limits
        guard (1...768_000).contains(header.samplerate), (1...1_024).contains(header.channels) else {
            sf_close(handle)
            throw InputError.data(
                "expected a sample rate of 1 to 768000 Hz and 1 to 1024 channels, found \(header.samplerate) and \(header.channels)",
                at: name)
        }
        information = AudioInformation(
            sampleRate: Int(header.samplerate), channelCount: Int(header.channels),
            count: header.frames >= 0 && header.frames < 1 << 56 ? Int(header.frames) : nil,
            format: Self.describe(header.format), metadata: Self.metadata(of: handle))
    }

    deinit {
        sf_close(handle)
    }

    /// Decodes to the end; the header's length is a hint only, so that a false one costs nothing.
    func readAll() throws -> AudioClip {
        let channelCount = information.channelCount
        let mostSamples = Int(
            min(
                Double(limits.maximumSamples),
                limits.maximumSeconds * Double(information.sampleRate) * Double(channelCount)))
        if let count = information.count, count > mostSamples / channelCount { throw lengthError() }
        var channels = [[Float]](repeating: [], count: channelCount)
        for channel in channels.indices { channels[channel].reserveCapacity(min(information.count ?? 0, 1 << 20)) }
        let blockFrames = max(1, 65_536 / channelCount)
        var block = [Float](repeating: 0, count: blockFrames * channelCount)
        while true {
            let frames = Int(sf_readf_float(handle, &block, sf_count_t(blockFrames)))
            guard frames > 0 else { break }
            guard channels[0].count + frames <= mostSamples / channelCount else { throw lengthError() }
            if channelCount == 1 {
                channels[0].append(contentsOf: block[..<frames])
            } else {
                for channel in 0..<channelCount {
                    channels[channel].append(contentsOf: (0..<frames).lazy.map { block[$0 * channelCount + channel] })
                }
            }
        }
        guard !channels[0].isEmpty else {
            throw InputError.data("the audio holds no samples", at: name)
        }
        return AudioClip(channels: channels, sampleRate: information.sampleRate)
    }

    private func lengthError() -> InputError {
        .data(
            "expected at most \(limits.maximumSeconds) seconds and \(limits.maximumSamples) samples of audio, found more",
            at: name)
    }

    private static func describe(_ format: Int32) -> String {
        func name(_ code: Int32) -> String? {
            var information = SF_FORMAT_INFO()
            information.format = code
            guard
                sf_command(nil, Int32(SFC_GET_FORMAT_INFO), &information, Int32(MemoryLayout<SF_FORMAT_INFO>.size)) == 0
            else {
                return nil
            }
            return information.name.map { String(cString: $0) }
        }
        return [format & Int32(SF_FORMAT_TYPEMASK), format & Int32(SF_FORMAT_SUBMASK)].compactMap(name).joined(
            separator: ", ")
    }

    private static func metadata(of handle: OpaquePointer) -> AudioMetadata {
        func text(_ field: Int) -> String? { sf_get_string(handle, Int32(field)).map { String(cString: $0) } }
        return AudioMetadata(
            title: text(SF_STR_TITLE), comment: text(SF_STR_COMMENT), artist: text(SF_STR_ARTIST),
            date: text(SF_STR_DATE))
    }
}

/// Bytes in memory that libsndfile reads as a file.
private final class MemorySource {
    let bytes: UnsafeRawBufferPointer
    var position = 0

    init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
    }

    private static func from(_ context: UnsafeMutableRawPointer?) -> MemorySource? {
        context.map { Unmanaged<MemorySource>.fromOpaque($0).takeUnretainedValue() }
    }

    static var callbacks: SF_VIRTUAL_IO {
        SF_VIRTUAL_IO(
            get_filelen: { sf_count_t(MemorySource.from($0)?.bytes.count ?? 0) },
            seek: { offset, whence, context in
                guard let source = MemorySource.from(context) else { return -1 }
                let base = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? source.position : source.bytes.count
                let (target, overflow) = base.addingReportingOverflow(Int(offset))
                guard !overflow, target >= 0 else { return -1 }
                source.position = target
                return sf_count_t(target)
            },
            read: { target, count, context in
                guard let source = MemorySource.from(context), let target, count > 0 else { return 0 }
                let available = min(Int(count), max(0, source.bytes.count - source.position))
                if available > 0, let base = source.bytes.baseAddress {
                    target.copyMemory(from: base + source.position, byteCount: available)
                    source.position += available
                }
                return sf_count_t(available)
            },
            write: { _, _, _ in 0 },
            tell: { sf_count_t(MemorySource.from($0)?.position ?? 0) })
    }
}
