/// The frozen autoregressive model whose latents the diffusion decoder and HiFi-GAN are trained on.
final class LatentSource {
    private let model: AutoregressiveModel

    /// Samples at 24 kHz and mel frames per code.
    static let framesPerCode = 4 * Double(SampleRate.wide) / Double(SampleRate.narrow)

    init(_ model: AutoregressiveModel) { self.model = model }

    var width: Int { model.config.width }
    /// The utterances that it can take.
    var datasetLimits: DatasetSelection.Limits { model.config.datasetLimits }

    /// The voices as stored with the utterances. Shape: [batch, width]
    func voices(_ batch: UtteranceBatch) -> Tensor { batch.latents(\.autoregressiveLatent) }

    /// A stretch of every utterance's latents.
    ///
    /// - Parameters:
    ///   - codes: As many as that, or as the shortest utterance of the batch has.
    /// - Returns: [batch, codes, width], and the first code of each row's stretch.
    func crops(_ batch: UtteranceBatch, codes limit: Int, _ random: RandomSource) -> (latents: Tensor, starts: [Int]) {
        let (text, textLengths) = batch.text
        let (codes, lengths) = batch.codes(padding: model.config.stopMelToken)
        let latents = model.latents(
            AutoregressiveInputs(
                latent: voices(batch), text: text, textLengths: textLengths, codes: codes,
                wavLengths: batch.items.map(\.utterance.sampleCount)))
        let count = max(1, min(limit, lengths.min() ?? limit))
        let starts = UtteranceBatch.randomStarts(lengths.map { $0 - count + 1 }, random)
        let rows = starts.enumerated().map {
            latents.sliced(0, $0.offset..<$0.offset + 1).sliced(1, $0.element..<$0.element + count)
        }
        return (concatenated(rows, axis: 0), starts)
    }
}
