/// The stretches of a recording from which conditioning latents are computed.
public enum ConditioningClip {
    /// Samples at 22.05 kHz that the autoregressive model's conditioning encoder takes: 6 seconds.
    public static let autoregressiveLength = 132_300
    /// Samples at 24 kHz that the diffusion decoder's takes: 4.27 seconds.
    public static let diffusionLength = 102_400

    /// Silence added at the end, or a stretch cut out at random.
    ///
    /// As format_conditioning (neonbjb/tortoise-tts: tortoise/api.py), but for where the randomness comes from.
    public static func autoregressive(_ samples: [Float], _ random: RandomSource) -> [Float] {
        let surplus = max(0, samples.count - autoregressiveLength)
        // Python's randint includes both ends.
        return autoregressive(samples, from: Int((UInt64(random.stream[0]) * UInt64(surplus + 1)) >> 32))
    }

    /// The stretch from a sample on, or as late as a whole one begins; silence is added to what is too short.
    public static func autoregressive(_ samples: [Float], from start: Int) -> [Float] {
        let start = min(start, max(0, samples.count - autoregressiveLength))
        return padded(Array(samples[start...].prefix(autoregressiveLength)), to: autoregressiveLength)
    }

    /// Silence added at the end, or the beginning.
    public static func diffusion(_ samples: [Float]) -> [Float] {
        padded(Array(samples.prefix(diffusionLength)), to: diffusionLength)
    }

    private static func padded(_ samples: [Float], to count: Int) -> [Float] {
        samples + [Float](repeating: 0, count: count - samples.count)
    }
}
