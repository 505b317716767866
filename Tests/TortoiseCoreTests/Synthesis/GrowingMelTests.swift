import Testing

@testable import TortoiseCore

/// Speech that is diffused window by window, with stand-ins for the models whose sound is known.
@Suite struct GrowingMelTests {
    private static let samplesPerFrame = 4

    /// The pieces of some codes, and the windows that were diffused: a mel whose frames say which ones they are, plus what each window
    /// adds, and a sound that repeats it.
    private func speak(_ count: Int, adding: Float = 0) throws -> (pieces: [[Float]], windows: [Range<Int>]) {
        var windows: [Range<Int>] = []
        var growing = GrowingMel(pace: StreamingPace(), samplesPerFrame: Self.samplesPerFrame) { _, frames in
            windows.append(frames)
            let extra = adding * Float(windows.count - 1)
            return Tensor(frames.map { Float($0) + extra }, shape: [1, 1, frames.count])
        } vocode: { mel in
            let values = mel.values.flatMap { Array(repeating: $0, count: Self.samplesPerFrame) }
            return Tensor(values, shape: [1, 1, values.count])
        }
        var pieces: [[Float]] = []
        for _ in 0..<count {
            if let piece = try growing.append(Tensor.zeros([1, 2])) { pieces.append(piece) }
        }
        if let piece = try growing.finish() { pieces.append(piece) }
        #expect(growing.samples == pieces.flatMap { $0 })
        return (pieces, windows)
    }

    /// Every frame sounds once and in its place, however many codes there are.
    @Test(arguments: [1, 7, 19, 20, 21, 43, 44, 60, 97, 250])
    func piecesAreTheWhole(codes: Int) throws {
        let (pieces, windows) = try speak(codes)
        let frames = max(4, DiffusionModel.frames(codes: codes))
        let expected = (0..<frames).flatMap { Array(repeating: Float($0), count: Self.samplesPerFrame) }
        #expect(pieces.flatMap { $0 } == expected)
        #expect(windows.last?.upperBound == frames)
    }

    /// The first piece comes early and leaves the codes that may change; later windows grow and do not begin anew.
    @Test func windowsGrowAndOverlap() throws {
        let (pieces, windows) = try speak(250)
        let frames = { DiffusionModel.frames(codes: $0) }
        #expect(pieces[0].count == frames(12) * Self.samplesPerFrame)
        #expect(windows.map(\.upperBound) == [frames(20), frames(44), frames(96), frames(211), frames(250)])
        #expect(windows.map(\.lowerBound) == [0, 0, frames(4), frames(56), frames(171)])
    }

    /// Speech that ends with its last window needs no other one.
    @Test func theEndIsNotDiffusedTwice() throws {
        #expect(try speak(44).windows.count == 2)
    }

    /// Windows that do not agree are faded into each other, in the mel and in the sound.
    @Test func seamsAreSmooth() throws {
        let samples = try speak(60, adding: 8).pieces.flatMap { $0 }
        let steps = zip(samples, samples.dropFirst()).map { abs($1 - $0) }
        #expect((steps.max() ?? 99) < 2.5)
        #expect(abs((samples.last ?? 0) - Float(DiffusionModel.frames(codes: 60) - 1 + 16)) < 1e-3)
    }

    /// A frame's noise is its own.
    @Test func noiseBelongsToFrames() throws {
        let source = RandomSource(seed: 5)
        let whole = DiffusionNoise(source, frames: 0..<12), part = DiffusionNoise(source, frames: 5..<9)
        #expect(haveSameBits(part.start([1, 3, 4]), whole.start([1, 3, 12]).sliced(2, 5..<9).contiguous))
        #expect(haveSameBits(part.step(2, [1, 3, 4]), whole.step(2, [1, 3, 12]).sliced(2, 5..<9).contiguous))
        #expect(!haveSameBits(part.step(2, [1, 3, 4]), part.step(3, [1, 3, 4])))
    }
}
