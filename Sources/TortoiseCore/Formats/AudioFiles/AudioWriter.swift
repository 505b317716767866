import CSndFile
import Foundation

/// Writes audio piece by piece; the file appears complete when `finish()` returns, or not at all.
public final class AudioWriter {
    /// Samples per channel written so far.
    public private(set) var count = 0

    private let sink: EncodedSink
    private let format: AudioFormat
    private let channelCount: Int
    private let name: String
    private var handle: OpaquePointer?

    /// Opens a file.
    ///
    /// - Throws: `InputError` when the folder cannot be written to or the format cannot hold this rate and channel count.
    public convenience init(
        path: String, format: AudioFormat, sampleRate: Int, channelCount: Int = 1, metadata: AudioMetadata = .init()
    ) throws {
        try self.init(
            sink: EncodedSink(file: AtomicFile(path: path)), name: path, format: format, sampleRate: sampleRate,
            channelCount: channelCount, metadata: metadata)
    }

    init(
        sink: EncodedSink, name: String, format: AudioFormat, sampleRate: Int, channelCount: Int,
        metadata: AudioMetadata
    ) throws {
        self.sink = sink
        self.name = name
        self.format = format
        self.channelCount = channelCount
        var information = SF_INFO()
        information.samplerate = Int32(clamping: sampleRate)
        information.channels = Int32(clamping: channelCount)
        information.format = format.code
        guard sf_format_check(&information) != 0 else {
            throw InputError.data(
                "the format cannot hold \(channelCount) channels at \(sampleRate) Hz", at: name,
                try: "Opus takes 8, 12, 16, 24 and 48 kHz, MP3 up to 48 kHz and two channels")
        }
        let opened: Result<OpaquePointer, InputError> = soundFileOpening.withLock {
            var callbacks = EncodedSink.callbacks
            guard
                let handle = sf_open_virtual(
                    &callbacks, Int32(SFM_WRITE), &information, Unmanaged.passUnretained(sink).toOpaque())
            else {
                let reason = sf_strerror(nil).map { String(cString: $0) } ?? "unknown"
                return .failure(InputError.data("cannot write audio: \(reason)", at: name))
            }
            return .success(handle)
        }
        let handle = try opened.get()
        self.handle = handle
        if var quality = format.quality {
            sf_command(handle, Int32(SFC_SET_VBR_ENCODING_QUALITY), &quality, Int32(MemoryLayout<Double>.size))
        }
        // The peak chunk carries the time of writing: without it equal audio gives equal files.
        sf_command(handle, Int32(SFC_SET_ADD_PEAK_CHUNK), nil, Int32(SF_FALSE))
        try set(metadata, of: handle)
    }

    deinit {
        if let handle { sf_close(handle) }
    }

    /// Appends one channel's samples.
    public func append(_ samples: [Float]) throws {
        try append(AudioClip(mono: samples, sampleRate: 1))
    }

    /// Appends audio; its rate is taken to be the file's.
    ///
    /// Samples beyond ±1 are limited to full scale, except in WAV of floats.
    ///
    /// - Throws: `InputError` for NaN or infinity, and when the disk is full.
    public func append(_ clip: AudioClip) throws {
        precondition(
            clip.channels.count == channelCount, "AudioWriter: \(clip.channels.count) channels into \(channelCount)")
        guard let handle else { preconditionFailure("AudioWriter was written to after finish()") }
        for (channel, samples) in clip.channels.enumerated() {
            if let index = samples.firstIndex(where: { !$0.isFinite }) {
                throw InputError.data(
                    "sample \(count + index) of channel \(channel) is \(samples[index]), no sound", at: name)
            }
        }
        let blockFrames = max(1, 65_536 / channelCount)
        for start in stride(from: 0, to: clip.count, by: blockFrames) {
            let block = interleave(clip, start..<min(start + blockFrames, clip.count))
            let frames = min(blockFrames, clip.count - start)
            guard write(block, frames, to: handle) == frames else { throw failure(handle) }
            if let error = sink.error { throw error }
        }
        count += clip.count
    }

    /// Completes the file and gives it its name.
    public func finish() throws {
        guard let handle else { return }
        self.handle = nil
        let status = sf_close(handle)
        if let error = sink.error { throw error }
        guard status == 0 else { throw InputError.data("cannot complete the audio file", at: name) }
        try sink.commit()
    }

    private func interleave(_ clip: AudioClip, _ range: Range<Int>) -> [Float] {
        guard channelCount > 1 else { return Array(clip.channels[0][range]) }
        return [Float](unsafeUninitializedCapacity: range.count * channelCount) { buffer, written in
            for (channel, samples) in clip.channels.enumerated() {
                var target = channel
                for index in range {
                    buffer[target] = samples[index]
                    target += channelCount
                }
            }
            written = range.count * channelCount
        }
    }

    /// Whole numbers are rounded here and not by libsndfile, which reads with a scale of 2^15 and writes with 2^15 − 1:
    /// with one scale for both a file that is read and written again stays the same.
    private func write(_ samples: [Float], _ frames: Int, to handle: OpaquePointer) -> Int {
        switch format.depth {
        case .float:
            let limited = format == .wav(.float) ? samples : samples.map { min(max($0, -1), 1) }
            return Int(sf_writef_float(handle, limited, sf_count_t(frames)))
        case .int16:
            let whole = samples.map { Int16(min(max(($0 * 32_768).rounded(.toNearestOrEven), -32_768), 32_767)) }
            return Int(sf_writef_short(handle, whole, sf_count_t(frames)))
        case .int24:
            // libsndfile takes 24-bit samples in the upper bits of 32.
            let whole = samples.map {
                Int32(min(max(($0 * 8_388_608).rounded(.toNearestOrEven), -8_388_608), 8_388_607)) << 8
            }
            return Int(sf_writef_int(handle, whole, sf_count_t(frames)))
        }
    }

    private func set(_ metadata: AudioMetadata, of handle: OpaquePointer) throws {
        let fields = [
            (SF_STR_TITLE, metadata.title), (SF_STR_COMMENT, metadata.comment), (SF_STR_ARTIST, metadata.artist),
            (SF_STR_DATE, metadata.date),
        ]
        for case (let field, let text?) in fields where !text.isEmpty {
            guard text.utf8.count <= 32_768 else {
                throw InputError.data("expected at most 32768 bytes of metadata, found \(text.utf8.count)", at: name)
            }
            // A format without room for the field (raw samples) goes without it.
            _ = text.withCString { sf_set_string(handle, Int32(field), $0) }
        }
    }

    private func failure(_ handle: OpaquePointer) -> InputError {
        sink.error as? InputError ?? .data("cannot write audio: \(String(cString: sf_strerror(handle)))", at: name)
    }
}

extension AudioFile {
    /// Writes a clip to a file, complete or not at all.
    ///
    /// - Parameter format: nil takes the one that the path's extension asks for.
    public static func write(
        _ clip: AudioClip, to path: String, format: AudioFormat? = nil, metadata: AudioMetadata = .init()
    ) throws {
        let writer = try AudioWriter(
            path: path, format: format ?? AudioFormat(path: path), sampleRate: clip.sampleRate,
            channelCount: clip.channels.count, metadata: metadata)
        try writer.append(clip)
        try writer.finish()
    }

    /// Encodes a clip in memory.
    public static func encode(_ clip: AudioClip, as format: AudioFormat, metadata: AudioMetadata = .init()) throws
        -> [UInt8]
    {
        let sink = EncodedSink(file: nil)
        let writer = try AudioWriter(
            sink: sink, name: "audio", format: format, sampleRate: clip.sampleRate, channelCount: clip.channels.count,
            metadata: metadata)
        try writer.append(clip)
        try writer.finish()
        return sink.memory
    }
}
