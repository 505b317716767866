extension AutoregressiveModel {
    /// How well codes say a text: the log-probability of each of its tokens, its end included, for one who has heard the codes.
    ///
    /// The mean over the tokens. It tells something only of models that were trained with codes before texts, too.
    ///
    /// - Parameters:
    ///   - voice: The conditioning latent.
    ///   - text: Ids without start and stop.
    ///   - codes: Mel codes without start and stop.
    public func textLikelihood(voice: [Float], text: [Int32], codes: [Int32]) -> Float {
        let inputs = AutoregressiveInputs(voice: voice, text: text, codes: codes, config)
        let hidden = encode(inputs.latent, inputs.text, inputs.codes, .codesFirst, .inference).text
        return -crossEntropy(textHead(hidden), targets(ofText: inputs.text)).item
    }
}
