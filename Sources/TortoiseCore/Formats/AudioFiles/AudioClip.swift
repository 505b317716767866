import Foundation

/// Decoded audio: one array of samples per channel, full scale at ±1.
public struct AudioClip: Equatable, Sendable {
    /// Samples by channel; all channels have the same length.
    public let channels: [[Float]]
    /// Samples per second of each channel.
    public let sampleRate: Int

    /// - Precondition: at least one channel, all of one length, and a positive rate.
    public init(channels: [[Float]], sampleRate: Int) {
        precondition(
            !channels.isEmpty && channels.allSatisfy { $0.count == channels[0].count },
            "AudioClip: channel lengths \(channels.map(\.count)) differ")
        precondition(sampleRate > 0, "AudioClip: sample rate \(sampleRate)")
        self.channels = channels
        self.sampleRate = sampleRate
    }

    public init(mono samples: [Float], sampleRate: Int) {
        self.init(channels: [samples], sampleRate: sampleRate)
    }

    /// Samples per channel.
    public var count: Int { channels[0].count }

    /// Seconds.
    public var duration: Double { Double(count) / Double(sampleRate) }

    /// How several channels become one.
    public enum ChannelRule: Sendable {
        /// The mean of all channels, as the Python trainer prepares its data.
        case mean
        /// The first channel, as both Python synthesizers load a voice.
        case first
    }

    /// The clip as one channel.
    public func mono(_ rule: ChannelRule = .mean) -> [Float] {
        guard rule == .mean, channels.count > 1 else { return channels[0] }
        var sum = channels[0]
        for channel in channels.dropFirst() {
            for index in sum.indices { sum[index] += channel[index] }
        }
        let share = 1 / Float(channels.count)
        for index in sum.indices { sum[index] *= share }
        return sum
    }
}

/// What a file may demand of memory and time before it is refused.
public struct AudioLimits: Sendable {
    /// The longest audio, in seconds.
    public var maximumSeconds: Double
    /// The largest encoded size, in bytes.
    public var maximumBytes: Int
    /// The most decoded samples over all channels.
    public var maximumSamples: Int

    public init(maximumSeconds: Double, maximumBytes: Int, maximumSamples: Int) {
        self.maximumSeconds = maximumSeconds
        self.maximumBytes = maximumBytes
        self.maximumSamples = maximumSamples
    }

    /// For files that the user names: twelve hours, two gigasamples.
    public static let file = AudioLimits(maximumSeconds: 43_200, maximumBytes: 16 << 30, maximumSamples: 2 << 30)
    /// For what a stranger sends: ten minutes, 64 MiB.
    public static let upload = AudioLimits(maximumSeconds: 600, maximumBytes: 64 << 20, maximumSamples: 64 << 20)
}

/// Words that travel inside an audio file.
public struct AudioMetadata: Equatable, Sendable {
    public var title: String?
    /// For synthesised audio: seed and settings as JSON.
    public var comment: String?
    public var artist: String?
    public var date: String?

    public init(title: String? = nil, comment: String? = nil, artist: String? = nil, date: String? = nil) {
        self.title = title
        self.comment = comment
        self.artist = artist
        self.date = date
    }
}

/// What a file's header says.
public struct AudioInformation: Equatable, Sendable {
    public let sampleRate: Int
    public let channelCount: Int
    /// Samples per channel; nil when the header does not know.
    public let count: Int?
    /// Container and encoding in words, such as "WAV (Microsoft), Signed 16 bit PCM".
    public let format: String
    public let metadata: AudioMetadata
}
