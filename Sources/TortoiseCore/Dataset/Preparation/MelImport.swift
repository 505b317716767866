import Foundation

/// The Python trainer's prepared utterances become a dataset: `<group>/<speaker>/<id>.mel` with codes, text and latents.
///
/// Nothing is encoded anew, so that no recording and no model is needed. Spectrograms and waveforms are not in such files, so the
/// result is for training the autoregressive model.
public struct MelImport {
    private let folder: String
    private let output: String
    private let tokenizerHash: String
    private let language: String
    private let files: [(speaker: String, name: String, path: String)]

    /// - Parameters:
    ///   - folder: Holds folders of groups, which hold folders of speakers.
    ///   - output: The dataset's file; appended to when it is there.
    ///   - tokenizerHash: SHA-256 of the vocabulary's file that the tokens belong to.
    ///   - language: Of utterances that do not say theirs.
    /// - Throws: `InputError.data` when there are no such files.
    public init(_ folder: String, output: String, tokenizerHash: String, language: String) throws {
        (self.folder, self.output) = (folder, output)
        (self.tokenizerHash, self.language) = (tokenizerHash, language)
        files = Self.artifacts(in: folder)
        guard !files.isEmpty else {
            throw InputError.data("found no .mel files", at: folder, try: "expected <group>/<speaker>/<id>.mel")
        }
    }

    /// Whether a folder has such files where they are looked for.
    public static func applies(to folder: String) -> Bool { !artifacts(in: folder).isEmpty }

    private static func artifacts(in folder: String) -> [(speaker: String, name: String, path: String)] {
        func contents(_ path: String) -> [String] {
            ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).filter { !$0.hasPrefix(".") }.sorted()
        }
        return contents(folder).flatMap { group in
            contents("\(folder)/\(group)").flatMap { speaker in
                contents("\(folder)/\(group)/\(speaker)").filter { $0.hasSuffix(".mel") }.map {
                    ("\(group)/\(speaker)", String($0.dropLast(4)), "\(folder)/\(group)/\(speaker)/\($0)")
                }
            }
        }
    }

    /// Takes over everything that is not in the dataset yet.
    ///
    /// - Parameter progress: Hears how many of how many are done; throws to stop, which loses nothing.
    /// - Returns: What was kept and dropped, and why.
    /// - Throws: `InputError` when the dataset cannot be written or was made of something else.
    public func run(_ progress: (_ done: Int, _ total: Int) throws -> Void) throws -> PreparationReport {
        var report = PreparationReport(dropped: [])
        var writer: DatasetWriter?
        do {
            for (index, file) in files.enumerated() {
                try progress(index, files.count)
                if writer?.contains(speaker: file.speaker, name: file.name) == true {
                    report.present += 1
                    continue
                }
                do {
                    let utterance = try utterance(file.path, file.speaker, file.name)
                    let target = try writer ?? open(like: utterance)
                    writer = target
                    guard !target.contains(speaker: file.speaker, name: file.name) else {
                        report.present += 1
                        continue
                    }
                    try check(utterance, target.schema)
                    try target.append(utterance)
                    report.kept += 1
                    report.seconds += utterance.seconds
                } catch let drop as DroppedRecording {
                    report.dropped.append(("\(file.speaker)/\(file.name)", drop.reason, drop.detail))
                }
                try writer?.commitIfDue()
            }
            try progress(files.count, files.count)
        } catch {
            try writer?.finish()
            throw error
        }
        try writer?.finish()
        return report
    }

    private func utterance(_ path: String, _ speaker: String, _ name: String) throws -> Utterance {
        let artifact: MelArtifact
        do {
            artifact = try MelArtifact(path: path)
        } catch {
            throw DroppedRecording(reason: .unreadableArtifact, detail: "\(error)")
        }
        guard let tokens = artifact.tokens, !tokens.isEmpty else { throw DroppedRecording(reason: .emptyText) }
        return Utterance(
            name: name, speaker: speaker, language: artifact.language ?? language, text: artifact.text ?? "",
            tokens: tokens.map(UInt16.init), codes: artifact.codes,
            // As many as resampling makes.
            sampleCount: Int(
                (Double(artifact.originalLength) * Double(SampleRate.narrow) / Double(artifact.sampleRate)).rounded(.up)
            ),
            autoregressiveLatent: try artifact.latents.autoregressive.values(as: Float.self, at: path),
            diffusionLatent: try artifact.latents.diffusion.values(as: Float.self, at: path))
    }

    private func open(like utterance: Utterance) throws -> DatasetWriter {
        guard !FileManager.default.fileExists(atPath: output) else { return try openExisting() }
        var schema = DatasetSchema()
        schema.autoregressiveLatentWidth = utterance.autoregressiveLatent.count
        schema.diffusionLatentWidth = utterance.diffusionLatent.count
        schema.tokenizerHash = tokenizerHash
        return try DatasetWriter.create(path: output, schema: schema)
    }

    private func openExisting() throws -> DatasetWriter {
        let writer = try DatasetWriter(appendingTo: output)
        let schema = writer.schema
        guard schema.tokenizerHash == tokenizerHash, schema.mels.isEmpty, schema.waveformRate == nil else {
            throw InputError.data(
                "the dataset was made with another vocabulary, or of recordings", at: output,
                try: "write to another file, or remove this one")
        }
        return writer
    }

    private func check(_ utterance: Utterance, _ schema: DatasetSchema) throws {
        let widths = [utterance.autoregressiveLatent.count, utterance.diffusionLatent.count]
        guard widths == [schema.autoregressiveLatentWidth, schema.diffusionLatentWidth] else {
            throw DroppedRecording(reason: .unreadableArtifact, detail: "its latents have \(widths) numbers")
        }
    }
}
