extension StageProbe {
    /// What is done to audio before any model hears it.
    static var frontEndStages: [(description: Description, body: Body)] {
        [
            (
                Description(name: "resample", inputs: "wav [1,N], from [1], to [1]", outputs: "wav [1,M]"),
                { request in
                    let rates = try ["from", "to"].map { try request.inputs.counts($0, 1)[0] }
                    let samples = try request.inputs.floats("wav", [1, nil]).values
                    let resampled = try Resampler(from: rates[0], to: rates[1])(samples)
                    return [("wav", Tensor(resampled, shape: [1, resampled.count]))]
                }
            ),
            (
                Description(name: "conditioning-mel", inputs: "wav [1,N] at 22.05 kHz", outputs: "mel [1,80,T]"),
                { [("mel", try conditioningMel()(try signal($0)))] }
            ),
            (
                Description(
                    name: "conditioning-clip", inputs: "wav [1,N] at 22.05 kHz, start [1]",
                    outputs: "mel [1,80,T] of the stretch that the encoder hears"),
                { request in
                    let start = try request.inputs.counts("start", 1)[0]
                    let clip = ConditioningClip.autoregressive(try signal(request).values, from: start)
                    return [("mel", try conditioningMel()(clip))]
                }
            ),
            (
                Description(name: "vocoder-mel", inputs: "wav [1,N] at 24 kHz", outputs: "mel [1,100,T]"),
                { [("mel", MelSpectrogram.vocoder(try signal($0)))] }
            ),
            (
                Description(
                    name: "diffusion-clip", inputs: "wav [1,N] at 24 kHz",
                    outputs: "mel [1,100,T] of the stretch that the decoder hears"),
                { [("mel", MelSpectrogram.vocoder(ConditioningClip.diffusion(try signal($0).values)))] }
            ),
        ]
    }

    private static func conditioningMel() throws -> MelSpectrogram { .conditioning(norms: try MelNorms.load()) }

    /// A signal that is long enough for a spectrum.
    private static func signal(_ request: ProbeRequest) throws -> Tensor {
        let signal = try request.inputs.floats("wav", [1, nil])
        guard signal.size(1) > MelSpectrogram.fftSize / 2 else {
            throw InputError.data(
                "expected more than \(MelSpectrogram.fftSize / 2) samples, found \(signal.size(1))", at: "wav")
        }
        return signal
    }
}
