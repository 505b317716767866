import Foundation

/// Sends audio to a pipe or socket as it is made: 16-bit WAV or raw samples, in order, never seeking back.
public struct AudioStream {
    /// The bytes that go first.
    public let header: [UInt8]
    private let channelCount: Int

    /// A WAV stream.
    ///
    /// - Parameter count: Samples per channel when they are known; nil writes the largest length that the header can say, which
    ///   players take as "until the end".
    public init(wavAtSampleRate sampleRate: Int, channelCount: Int = 1, count: Int? = nil) {
        precondition(
            sampleRate > 0 && (1...1_024).contains(channelCount),
            "AudioStream: \(sampleRate) Hz, \(channelCount) channels")
        self.channelCount = channelCount
        let frameBytes = UInt32(2 * channelCount)
        let dataBytes: UInt32? = count.flatMap { count in
            UInt32(exactly: count).flatMap { frames in
                let (bytes, overflow) = frames.multipliedReportingOverflow(by: frameBytes)
                return overflow || bytes > .max - 36 ? nil : bytes
            }
        }
        var header: [UInt8] = []
        func put(_ text: String) { header += text.utf8 }
        func put<Number: FixedWidthInteger>(_ number: Number) {
            withUnsafeBytes(of: number.littleEndian) { header += $0 }
        }
        put("RIFF")
        put(dataBytes.map { $0 + 36 } ?? UInt32.max)
        put("WAVEfmt ")
        put(UInt32(16))
        put(UInt16(1))
        put(UInt16(channelCount))
        put(UInt32(clamping: sampleRate))
        put(UInt32(clamping: sampleRate * Int(frameBytes)))
        put(UInt16(frameBytes))
        put(UInt16(16))
        put("data")
        put(dataBytes ?? UInt32.max)
        self.header = header
    }

    /// A stream of raw samples, without a header.
    public init(pcmWithChannelCount channelCount: Int = 1) {
        self.channelCount = channelCount
        header = []
    }

    /// A piece of audio as the stream's bytes: little-endian 16-bit, channels interleaved; what is no number becomes silence.
    public func encode(_ clip: AudioClip) -> [UInt8] {
        precondition(
            clip.channels.count == channelCount, "AudioStream: \(clip.channels.count) channels into \(channelCount)")
        return [UInt8](unsafeUninitializedCapacity: clip.count * channelCount * 2) { bytes, written in
            for (channel, samples) in clip.channels.enumerated() {
                var target = channel * 2
                for sample in samples {
                    let scaled =
                        sample.isFinite ? min(max((sample * 32_768).rounded(.toNearestOrEven), -32_768), 32_767) : 0
                    let value = UInt16(bitPattern: Int16(scaled))
                    bytes[target] = UInt8(truncatingIfNeeded: value)
                    bytes[target + 1] = UInt8(truncatingIfNeeded: value >> 8)
                    target += channelCount * 2
                }
            }
            written = clip.count * channelCount * 2
        }
    }

    /// Writes bytes to a descriptor in full.
    ///
    /// - Returns: False when the reader has gone (a broken pipe), which is no error.
    /// - Throws: `InputError` for any other failure.
    public static func write(_ bytes: [UInt8], to descriptor: Int32) throws -> Bool {
        try bytes.withUnsafeBytes { buffer in
            var done = 0
            while done < buffer.count, let base = buffer.baseAddress {
                let count = Foundation.write(descriptor, base + done, buffer.count - done)
                if count >= 0 {
                    done += count
                } else if errno == EPIPE || errno == ECONNRESET {
                    return false
                } else if errno == EAGAIN {
                    var waiting = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                    poll(&waiting, 1, -1)
                } else if errno != EINTR {
                    throw InputError.data("cannot write audio to the stream: \(String(cString: strerror(errno)))")
                }
            }
            return true
        }
    }
}
