/// Speech through diffusion and a vocoder of mels, in windows that overlap.
///
/// Each window is diffused with some codes before it, from noise that belongs to its frames, so that two windows make nearly the same
/// of the frames they share; there the new mel is faded in. The last codes of a window wait for the next one, which knows what follows.
struct GrowingMel: GrowingSpeech {
    /// Makes the log-mel of latents, given which frames of the whole these are. Shape: [1, codes, width] → [1, bands, frames]
    private let diffuse: (_ latents: Tensor, _ frames: Range<Int>) throws -> Tensor
    /// Shape: log-mel [1, bands, frames] → [1, 1, samples]
    private let vocode: (Tensor) -> Tensor
    private let samplesPerFrame: Int
    private let pace: StreamingPace

    private var latents: [Tensor] = []
    /// Codes that the next window ends with.
    private var due: Int
    /// Codes whose mel is settled, and those that were diffused.
    private var settled = 0, diffused = 0
    /// The latest settled frames, then those that wait. Shape: [1, bands, frames]
    private var context: Tensor?, waiting: Tensor?
    /// What the last piece would have gone on with: the next one is faded in over it.
    private var overhang: [Float] = []
    private(set) var samples: [Float] = []
    static let endsInSilence = true

    /// Codes that a window is diffused with before its own.
    private static let codesBefore = 32
    /// Codes at a window's end that wait for the next one.
    private static let codesWaiting = 8
    /// Frames over which a new mel is faded in.
    private static let fadedFrames = 16
    /// Settled frames that the vocoder hears before a piece: more than any of them listens back.
    private static let framesHeard = 48

    init(
        pace: StreamingPace, samplesPerFrame: Int,
        diffuse: @escaping (_ latents: Tensor, _ frames: Range<Int>) throws -> Tensor,
        vocode: @escaping (Tensor) -> Tensor
    ) {
        (self.pace, self.samplesPerFrame) = (pace, samplesPerFrame)
        (self.diffuse, self.vocode) = (diffuse, vocode)
        due = max(pace.firstDiffused, Self.codesWaiting + 1)
    }

    mutating func append(_ latent: Tensor) throws -> [Float]? {
        latents.append(latent.unsqueezed(1))
        guard latents.count >= due else { return nil }
        due = max(due + 1, Int(Double(due) * pace.growth))
        return try piece(settling: latents.count - Self.codesWaiting)
    }

    mutating func finish() throws -> [Float]? {
        latents.isEmpty ? nil : try piece(settling: latents.count)
    }

    /// Settles the mel up to a code, and gives its sound.
    private mutating func piece(settling end: Int) throws -> [Float]? {
        guard end > settled else { return nil }
        let mel = try window()
        let isLast = end == latents.count
        let frames = isLast ? mel.size(2) : DiffusionModel.frames(codes: end) - DiffusionModel.frames(codes: settled)
        let heard = context.map { concatenated([$0, mel], axis: 2) } ?? mel
        let before = heard.size(2) - mel.size(2)
        let sound = vocode(heard).values
        let (first, last) = (before * samplesPerFrame, (before + frames) * samplesPerFrame)
        let piece = faded(Array(sound[first..<last]))
        overhang = isLast ? [] : Array(sound[last..<min(last + samplesPerFrame, sound.count)])
        context = heard.sliced(2, max(0, before + frames - Self.framesHeard)..<before + frames).contiguous
        waiting = heard.sliced(2, before + frames..<heard.size(2)).contiguous
        (settled, diffused) = (end, latents.count)
        samples += piece
        return piece
    }

    /// The mel from the first unsettled frame on. Shape: [1, bands, frames]
    private func window() throws -> Tensor {
        if let waiting, diffused == latents.count { return waiting }
        let start = max(0, settled - Self.codesBefore)
        let range = DiffusionModel.frames(codes: start)..<max(4, DiffusionModel.frames(codes: latents.count))
        let mel = try diffuse(concatenated(Array(latents[start...]), axis: 1), range)
        let new = mel.sliced(2, DiffusionModel.frames(codes: settled) - range.lowerBound..<mel.size(2)).contiguous
        guard let waiting, case let count = min(waiting.size(2), Self.fadedFrames), count > 0 else { return new }
        let rise = Tensor((0..<count).map { Float($0 + 1) / Float(count + 1) }, shape: [1, 1, count])
        let (old, fresh) = (waiting.sliced(2, 0..<count), new.sliced(2, 0..<count))
        return concatenated([old + (fresh - old) * rise, new.sliced(2, count..<new.size(2))], axis: 2)
    }

    private func faded(_ piece: [Float]) -> [Float] {
        var piece = piece
        for (index, old) in overhang.prefix(piece.count).enumerated() {
            let rise = Float(index + 1) / Float(overhang.count + 1)
            piece[index] = old + (piece[index] - old) * rise
        }
        return piece
    }
}
