import Foundation

/// Has the model that is being trained speak utterances of the dataset, beside what their own codes sound like.
///
/// As the reference's evaluation: `logs/TIME/STEP/ref/*.wav` and `logs/TIME/STEP/MODEL/SET/*.wav` at 24 kHz, and the MelSTFT
/// distance between the two. It needs the stages after the autoregressive model, of widths that fit, and stored latents.
final class EvaluationSpeech {
    private let pipeline: SpeechPipeline
    private let settings: SpeechSettings
    private let root: String
    private let name: String

    /// Utterances of each set that are spoken: speech takes seconds.
    private static let utterances = 2
    private static let steps = 30

    /// - Parameters:
    ///   - loaded: Models that it names beside the trained one are heard; else those of the set that is found.
    ///   - note: Hears why there will be no speech.
    /// - Returns: nil where the run cannot speak.
    init?(
        _ task: any TrainingTask, _ schema: DatasetSchema, _ loaded: LoadedConfiguration, folder: String,
        note: (String) -> Void
    ) {
        let configuration = loaded.configuration
        guard let task = task as? AutoregressiveTask, configuration.evaluation.size > 0 else { return nil }
        guard let files = try? ModelFiles(loaded: loaded), let vocoder = files.defaultVocoder else {
            return nil
        }
        let models = SpeechModels(files, autoregressive: task.model)
        guard let vocabulary = try? TextFrontEnd.vocabulary(of: loaded),
            let frontEnd = try? TextFrontEnd(tokenizer: vocabulary, of: loaded)
        else { return nil }
        guard (try? SHA256.hex(ofFile: vocabulary)) == schema.tokenizerHash || schema.tokenizerHash.isEmpty else {
            note("evaluations write no audio: the dataset has another vocabulary than \(vocabulary)")
            return nil
        }
        if let obstacle = Self.obstacle(models, vocoder, task.model.config.width, schema, of: files.folder) {
            note("evaluations write no audio: \(obstacle)")
            return nil
        }
        pipeline = SpeechPipeline(models, frontEnd)
        settings = Self.settings(vocoder)
        (root, name) = (folder, task.name)
    }

    /// The reference's, so that distances can be compared with its.
    private static func settings(_ vocoder: ModelStage) -> SpeechSettings {
        var settings = SpeechSettings()
        (settings.sampling, settings.diffusion) = (SamplingSettings(), DiffusionSampling())
        settings.sampling.temperature = 1
        (settings.diffusion.sampler, settings.diffusion.guidance) = (.ancestral, nil)
        (settings.vocoder, settings.diffusionSteps, settings.longestPhrase) = (vocoder, Self.steps, nil)
        return settings
    }

    /// Why the dataset's latents and the models cannot speak together; nil when they can.
    private static func obstacle(
        _ models: SpeechModels, _ vocoder: ModelStage, _ width: Int, _ schema: DatasetSchema, of folder: String
    ) -> String? {
        // HiFi-GAN makes waveforms of latents, without a decoder.
        let needsDiffusion = vocoder != .hifigan
        guard schema.autoregressiveLatentWidth > 0 else {
            return "the dataset stores no conditioning latents; prepare makes them with --autoregressive, --diffusion"
        }
        guard !needsDiffusion || schema.diffusionLatentWidth > 0 else {
            return "the dataset stores none of diffusion's conditioning latents; prepare makes them with --diffusion"
        }
        guard schema.autoregressiveLatentWidth == width,
            (try? models.checkFit(needsDiffusion: needsDiffusion)) != nil,
            !needsDiffusion || (try? 2 * models.diffusion().config.modelChannels) == schema.diffusionLatentWidth
        else { return "the dataset's latents, or the models in \(folder), are of other widths" }
        return nil
    }

    func folder(_ step: Int) -> String { "\(root)/\(step)" }

    /// Speaks the first utterances of a set.
    ///
    /// - Returns: The mean MelSTFT distance to what their own codes sound like; nil without utterances.
    func speak(_ utterances: [Utterance], set: String, step: Int) throws -> Double? {
        var distances: [Double] = []
        for (index, utterance) in utterances.prefix(Self.utterances).enumerated() {
            let voice = Voice(autoregressive: utterance.autoregressiveLatent, diffusion: utterance.diffusionLatent)
            let file = "\(utterance.speaker)_\(utterance.name)".replacingOccurrences(of: "/", with: "_") + ".wav"
            let reference = try pipeline.resynthesize(
                utterance.codes.map(Int32.init), tokens: utterance.tokens.map(Int32.init), voice: voice, settings,
                utterance: index)
            let spoken = try pipeline.speak(utterance.text, voice: voice, settings, utterance: index)[0].samples
            try write(reference, "\(folder(step))/ref", file)
            try write(spoken, "\(folder(step))/\(name)/\(set)", file)
            distances.append(MelSTFTDistance.between(spoken, reference))
        }
        return distances.isEmpty ? nil : distances.reduce(0, +) / Double(distances.count)
    }

    private func write(_ samples: [Float], _ folder: String, _ file: String) throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try AudioFile.write(
            AudioClip(mono: samples, sampleRate: SpokenUtterance.sampleRate), to: folder + "/" + file)
    }
}
