/// The two sampling rates of the published stack, in Hz.
enum SampleRate {
    /// What codes and conditioning are made from: the DVAE and the autoregressive model hear this.
    static let narrow = 22_050
    /// What is spoken: the diffusion decoder and the vocoders work at this.
    static let wide = 24_000
}
