import Foundation

/// Recordings and transcripts become one dataset file.
///
/// Utterances come in a fixed order, so that the same input gives the same file; one that was stopped goes on where it was.
public final class DatasetPreparation {
    private let plan: RecordingPlan
    private let frontEnd: TextFrontEnd
    private let encoder: any UtteranceEncoder
    private let settings: PrepareSettings
    private let language: String
    private let path: String
    private let tokenizerHash: String
    private var mel: MelSpectrogram?

    /// - Parameters:
    ///   - path: Of the dataset file; appended to when it is there.
    ///   - tokenizerHash: SHA-256 of the vocabulary's file.
    public init(
        _ plan: RecordingPlan, frontEnd: TextFrontEnd, encoder: any UtteranceEncoder, settings: PrepareSettings,
        language: String,
        tokenizerHash: String, path: String
    ) {
        (self.plan, self.frontEnd, self.encoder, self.settings) = (plan, frontEnd, encoder, settings)
        (self.language, self.tokenizerHash, self.path) = (language, tokenizerHash, path)
    }

    /// Prepares everything that is not in the dataset yet.
    ///
    /// - Parameter progress: Hears how many of how many are done; throws to stop, which loses nothing that was committed.
    /// - Returns: What was kept and dropped, and why.
    /// - Throws: `InputError` when the dataset file cannot be written or is of another kind.
    public func run(_ progress: (_ done: Int, _ total: Int) throws -> Void) throws -> PreparationReport {
        let writer = try openWriter()
        var report = PreparationReport(dropped: plan.dropped)
        let pending = plan.utterances.filter { planned in
            guard writer.contains(speaker: planned.speaker, name: planned.name) else { return true }
            report.present += 1
            return false
        }
        let recordings = RecordingReader(settings)
        let reader = ReadAhead(pending) { recordings.read($0) }
        do {
            for (index, planned) in pending.enumerated() {
                try progress(index, pending.count)
                switch try make(planned, reader.next(), &report) {
                case .success(let utterance):
                    guard !writer.contains(speaker: planned.speaker, name: planned.name) else {
                        report.dropped.append(("\(planned.speaker)/\(planned.name)", .duplicate, planned.audioPath))
                        continue
                    }
                    try writer.append(utterance)
                    report.kept += 1
                    report.seconds += utterance.seconds
                case .failure(let drop):
                    report.dropped.append(("\(planned.speaker)/\(planned.name)", drop.reason, drop.detail))
                }
                try writer.commitIfDue()
            }
            try progress(pending.count, pending.count)
        } catch {
            try writer.finish()
            throw error
        }
        try writer.finish()
        return report
    }

    private var schema: DatasetSchema {
        var schema = DatasetSchema()
        schema.autoregressiveLatentWidth = encoder.autoregressiveLatentWidth
        schema.diffusionLatentWidth = encoder.diffusionLatentWidth
        schema.tokenizerHash = tokenizerHash
        schema.modelHashes = encoder.modelHashes
        schema.settings = soundAndTextSettings.serialized
        if settings.storeMels || settings.storeDVAEMels { schema.mels.append(.init(name: "dvae", bands: 80)) }
        if settings.storeMels || settings.storeDiffusionMels {
            schema.mels.append(.init(name: "diffusion", bands: 100))
        }
        if settings.storeDiffusedMels { schema.mels.append(.init(name: "diffused", bands: 100)) }
        if settings.storeWaveforms { schema.waveformRate = SampleRate.wide }
        return schema
    }

    /// What decides how a recording becomes an utterance, whichever ones are taken.
    private var soundAndTextSettings: JSONValue {
        [
            "cleaners": .string(frontEnd.cleaners.rawValue), "language": .string(language),
            "whole_clips": .bool(encoder.hearsWholeClips), "trim_silence": JSONValue(settings.trimSilence),
            "loudness": JSONValue(settings.loudness), "slice": .string(settings.slice.rawValue),
        ]
    }

    /// The settings that a dataset was begun with and that are others now; those that it does not say are believed to be the same.
    private func changedSettings(_ before: String) -> [String] {
        guard case .object(let members)? = try? JSONValue(parsing: Array(before.utf8), at: path) else { return [] }
        return members.filter { member in
            soundAndTextSettings[member.key].map { $0.serialized != member.value.serialized } ?? false
        }
        .map(\.key)
    }

    private func openWriter() throws -> DatasetWriter {
        guard FileManager.default.fileExists(atPath: path) else {
            return try DatasetWriter.create(path: path, schema: schema)
        }
        let writer = try DatasetWriter(appendingTo: path)
        let (old, new) = (writer.schema, schema)
        var changed: [String] = []
        if old.tokenizerHash != new.tokenizerHash { changed.append("the vocabulary") }
        if old.modelHashes != new.modelHashes { changed.append("the models") }
        changed += changedSettings(old.settings)
        if old.mels != new.mels || old.waveformRate != new.waveformRate { changed.append("what is stored (--for)") }
        if old.autoregressiveLatentWidth != new.autoregressiveLatentWidth
            || old.diffusionLatentWidth != new.diffusionLatentWidth
        {
            changed.append("the widths of the latents")
        }
        guard changed.isEmpty else {
            throw InputError.data(
                "the dataset was made with other settings: \(changed.joined(separator: ", "))", at: path,
                try: "write to another file, or remove this one")
        }
        return writer
    }

    // MARK: - One utterance

    private func make(
        _ planned: PlannedUtterance, _ recording: Result<RecordingReader.Sound, DroppedRecording>,
        _ report: inout PreparationReport
    ) throws -> Result<Utterance, DroppedRecording> {
        let spoken = planned.language ?? language
        if spoken != language, settings.strictLanguages {
            return .failure(DroppedRecording(reason: .otherLanguage, detail: spoken))
        }
        if settings.strictLanguages, planned.language == nil {
            return .failure(DroppedRecording(reason: .otherLanguage, detail: "unknown"))
        }
        let sound: RecordingReader.Sound
        switch recording {
        case .success(let value): sound = value
        case .failure(let drop): return .failure(drop)
        }
        let (_, ids, explanation) = frontEnd.explain(planned.text)
        for scalar in explanation.unknown { report.unknownCharacters[Character(scalar), default: 0] += 1 }
        guard !ids.isEmpty else {
            return .failure(DroppedRecording(reason: .noTokens, detail: String(planned.text.prefix(40))))
        }
        let random = RandomSource(seed: 0)["prepare"][planned.speaker][planned.name]
        let encoded: EncodedSound
        do {
            encoded = try encoder.encode(sound.samples, wide: sound.wideSamples, tokens: ids, random)
        } catch let error as InputError {
            return .failure(DroppedRecording(reason: .refusedByModels, detail: error.problem))
        }
        if encoder.makesCodes, encoded.codes.allSatisfy({ $0 == 0 }) {
            return .failure(DroppedRecording(reason: .badCodes))
        }
        var utterance = Utterance(
            name: planned.name, speaker: planned.speaker, language: spoken, text: planned.text,
            tokens: ids.map { UInt16(clamping: $0) },
            codes: encoded.codes, sampleCount: sound.samples.count, autoregressiveLatent: encoded.autoregressiveLatent,
            diffusionLatent: encoded.diffusionLatent)
        if settings.storeMels || settings.storeDVAEMels {
            utterance.mels["dvae"] = Self.rows(try conditioningMel()(sound.samples))
        }
        if settings.storeMels || settings.storeDiffusionMels {
            utterance.mels["diffusion"] = Self.rows(MelSpectrogram.vocoder(sound.wideSamples))
        }
        if settings.storeDiffusedMels { utterance.mels["diffused"] = encoded.diffusedMel }
        if settings.storeWaveforms {
            utterance.waveform = sound.wideSamples.map { Int16((min(max($0, -1), 1) * 32_767).rounded()) }
        }
        return .success(utterance)
    }

    private func conditioningMel() throws -> MelSpectrogram {
        if let mel { return mel }
        let made = MelSpectrogram.conditioning(norms: try MelNorms.load())
        mel = made
        return made
    }

    /// [1, bands, frames] as [frames, bands].
    private static func rows(_ mel: Tensor) -> [Float] { mel.select(0, 0).transposed().contiguous.values }
}
