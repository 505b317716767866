extension AutoregressiveModel {
    /// How well codes say a text: the log-probability of each of its tokens, its end included, for one who has heard the codes.
    ///
    /// The mean over the tokens. It tells something only of models that were trained with codes before texts, too.
    ///
    /// - Parameters:
    ///   - latent: The voice. Shape: [1, width]
    ///   - text: Ids without start and stop.
    ///   - codes: Mel codes without start and stop.
    public func textLikelihood(latent: Tensor, text: [Int32], codes: [Int32]) -> Float {
        let inputs = AutoregressiveInputs(
            latent: latent, text: Tensor(indices: text, shape: [1, text.count]), textLengths: [text.count],
            codes: Tensor(indices: codes, shape: [1, codes.count]),
            wavLengths: [codes.count * config.melLengthCompression])
        return -loss(inputs, order: .codesFirst).text.item
    }
}
