/// When pieces of streamed speech are made, in codes: small at first, so that sound comes soon, then larger, which is cheaper.
public struct StreamingPace: Sendable, Equatable {
    /// Codes before the first piece through HiFi-GAN; a code is 46 ms.
    public var first = 10
    /// Codes between later pieces through HiFi-GAN.
    public var later = 24
    /// Codes before the first piece through diffusion, which needs to see what follows a sound.
    public var firstDiffused = 20
    /// How many times as many codes there are when the next piece is diffused: what plays meanwhile must last that long.
    public var growth = 2.2

    public init() {}
}

/// Speech that becomes longer with the latents of its codes.
protocol GrowingSpeech {
    /// What was handed out: samples at 24 kHz.
    var samples: [Float] { get }
    /// Whether the silence after the last sound has to be heard, lest that sound breaks off.
    static var endsInSilence: Bool { get }

    /// Takes the latent of the next code, and gives what has become settled with it, or nil until a piece is due. Shape: [1, width]
    mutating func append(_ latent: Tensor) throws -> [Float]?

    /// The rest, when nothing follows.
    mutating func finish() throws -> [Float]?
}

/// A waveform that HiFi-GAN makes of latents: a piece holds only samples that later latents do not change.
struct GrowingWaveform: GrowingSpeech {
    private let vocoder: HiFiGANModel
    private let voice: Tensor
    private let pace: StreamingPace
    private var latents: [Tensor] = []
    private var waiting = 0
    private(set) var samples: [Float] = []
    static let endsInSilence = false

    init(_ vocoder: HiFiGANModel, voice: Tensor, pace: StreamingPace) {
        (self.vocoder, self.voice, self.pace) = (vocoder, voice, pace)
    }

    mutating func append(_ latent: Tensor) -> [Float]? {
        latents.append(latent.unsqueezed(1))
        waiting += 1
        guard waiting >= (samples.isEmpty ? pace.first : pace.later) else { return nil }
        waiting = 0
        return piece(upTo: vocoder.settledSampleCount(codes: latents.count))
    }

    mutating func finish() -> [Float]? {
        latents.isEmpty ? nil : piece(upTo: vocoder.sampleCount(codes: latents.count))
    }

    private mutating func piece(upTo end: Int) -> [Float]? {
        guard end > samples.count else { return nil }
        let all = concatenated(latents, axis: 1)
        let piece = vocoder.waveform(of: all, voice: voice, samples: samples.count..<end).values
        samples += piece
        return piece
    }
}
