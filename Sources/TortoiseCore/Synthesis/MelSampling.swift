extension DiffusionModel {
    /// Draws the log-mel of latents, as speech and the datasets of vocoders have it.
    ///
    /// - Parameters:
    ///   - latents: [1, codes, width]
    ///   - voice: The diffusion decoder's conditioning latent.
    /// - Returns: [1, bands, frames]
    func mel(
        of latents: Tensor, frames: Int, voice: [Float], _ settings: SpeechSettings, _ noise: DiffusionNoise,
        progress: (_ done: Int, _ total: Int) throws -> Void = { _, _ in }
    ) throws -> Tensor {
        let aligned = alignedConditioning(
            .latents(latents), conditioning: Tensor(voice, shape: [1, voice.count]), frames: frames)
        let mel = try settings.diffusion.sample(
            ConditionedDiffusion(self, aligned: aligned), try GaussianDiffusion(.even(settings.diffusionSteps)),
            shape: [1, config.melChannels, frames], noise: noise, progress: progress)
        return MelNormalization.denormalize(mel)
    }
}
