import CSndFile
import Foundation

/// How audio is written.
public enum AudioFormat: Equatable, Sendable {
    /// The width of a sample.
    public enum Depth: Equatable, Sendable {
        case int16, int24, float
    }

    case wav(Depth)
    /// Lossless; 16 or 24 bits.
    case flac(Depth)
    /// Ogg Vorbis; quality from 0 to 1.
    case vorbis(quality: Double)
    /// Ogg Opus, at 8, 12, 16, 24 or 48 kHz; quality from 0 to 1.
    case opus(quality: Double)
    /// MPEG layer III; quality from 0 to 1.
    case mp3(quality: Double)
    /// Raw little-endian 16-bit samples, channels interleaved, without a header.
    case pcm

    /// The names by which formats are asked for.
    public static let names = ["wav", "flac", "ogg", "opus", "mp3", "pcm"]

    /// A format by its name, as in OpenAI's `response_format` or a file's extension, at its usual quality.
    ///
    /// - Throws: `InputError` naming the formats there are.
    public init(named name: String, at place: String? = nil) throws {
        switch name.lowercased() {
        case "wav", "wave": self = .wav(.int16)
        case "flac": self = .flac(.int16)
        case "ogg", "oga", "vorbis": self = .vorbis(quality: 0.6)
        // libsndfile spends 6 + 250 x quality kbit/s on each channel; 56 leave nothing to hear in speech.
        case "opus": self = .opus(quality: 0.2)
        case "mp3": self = .mp3(quality: 0.7)
        case "pcm", "raw": self = .pcm
        default:
            throw InputError.usage(
                "expected one of \(Self.names.joined(separator: ", ")) as audio format, found '\(name.prefix(40))'",
                at: place)
        }
        guard isAvailable else {
            throw InputError.usage(
                "this system's libsndfile cannot write \(name)", at: place, try: "choose wav or flac")
        }
    }

    /// The format that a path's extension asks for; WAV without one.
    public init(path: String) throws {
        let suffix = (path as NSString).pathExtension
        try self.init(named: suffix.isEmpty ? "wav" : suffix, at: path)
    }

    /// The MIME type.
    public var mediaType: String {
        switch self {
        case .wav: "audio/wav"
        case .flac: "audio/flac"
        case .vorbis, .opus: "audio/ogg"
        case .mp3: "audio/mpeg"
        case .pcm: "audio/pcm"
        }
    }

    /// libsndfile's number for the format.
    var code: Int32 {
        let code =
            switch self {
            case .wav(.int16): SF_FORMAT_WAV | SF_FORMAT_PCM_16
            case .wav(.int24): SF_FORMAT_WAV | SF_FORMAT_PCM_24
            case .wav(.float): SF_FORMAT_WAV | SF_FORMAT_FLOAT
            case .flac(.int16): SF_FORMAT_FLAC | SF_FORMAT_PCM_16
            case .flac: SF_FORMAT_FLAC | SF_FORMAT_PCM_24
            case .vorbis: SF_FORMAT_OGG | SF_FORMAT_VORBIS
            case .opus: SF_FORMAT_OGG | SF_FORMAT_OPUS
            case .mp3: SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III
            case .pcm: SF_FORMAT_RAW | SF_FORMAT_PCM_16 | SF_ENDIAN_LITTLE
            }
        return Int32(code)
    }

    /// The width in which samples are handed to the encoder.
    var depth: Depth {
        switch self {
        case .wav(let depth): depth
        case .flac(let depth): depth == .int16 ? .int16 : .int24
        case .vorbis, .opus, .mp3: .float
        case .pcm: .int16
        }
    }

    var quality: Double? {
        switch self {
        case .vorbis(let quality), .opus(let quality), .mp3(let quality): min(max(quality, 0), 1)
        default: nil
        }
    }

    /// Whether the installed libsndfile was built with the format's encoder.
    public var isAvailable: Bool {
        var information = SF_INFO()
        information.samplerate = Int32(SampleRate.wide)
        information.channels = 1
        information.format = code
        return sf_format_check(&information) != 0
    }
}
