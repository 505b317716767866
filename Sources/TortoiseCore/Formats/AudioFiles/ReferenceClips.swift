import Foundation

/// The recordings of a voice, loaded as one of the Python programs would load them.
public enum ReferenceClips {
    /// Splits the `a.wav;b.wav` that a command line gives; empty pieces are dropped.
    public static func paths(in argument: String) -> [String] {
        argument.split(separator: ";").map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
    }

    /// Reads every file as one channel, each at its own rate: the first channel, limited to ±1 (neonbjb's `load_audio`).
    public static func separate(_ paths: [String]) throws -> [AudioClip] {
        guard !paths.isEmpty else { throw noFiles }
        return try paths.map { path in
            let clip = try AudioFile.read(path)
            return AudioClip(mono: clip.mono(.first).map { min(max($0, -1), 1) }, sampleRate: clip.sampleRate)
        }
    }

    /// Reads every file as its first channel and joins them in time (e-c-k-e-r's `encode_from_files`).
    ///
    /// - Throws: `InputError` when the files' rates differ.
    public static func joined(_ paths: [String]) throws -> AudioClip {
        guard let first = paths.first else { throw noFiles }
        var samples: [Float] = []
        var rate = 0
        for path in paths {
            let clip = try AudioFile.read(path)
            if rate == 0 { rate = clip.sampleRate }
            guard clip.sampleRate == rate else {
                throw InputError.data(
                    "expected \(rate) Hz as in \(first), found \(clip.sampleRate) Hz", at: path,
                    try: "references that are joined must share one sample rate")
            }
            samples += clip.mono(.first)
        }
        return AudioClip(mono: samples, sampleRate: rate)
    }

    private static var noFiles: InputError { .usage("expected at least one reference recording, found none") }
}
