import Foundation

/// The HDF5 file of the Python trainer (e-c-k-e-r/tortoise-tts: `tortoise_tts/data.py --action=hdf5`).
///
/// It holds `<split>/<group>/<speaker>/<id>` with `audio` (mel codes), `text` (tokens) and attributes, LZF-compressed, and the
/// vocabulary in `symmap`; conditioning latents are not stored, so nothing can be trained from it alone.
public final class PythonDatasetFile: @unchecked Sendable {
    /// Where one utterance lies.
    public struct Entry: Hashable, Sendable {
        /// training, validation or noise.
        public let split: String
        /// `group/speaker`.
        public let speaker: String
        public let name: String

        var path: String { "\(split)/\(speaker)/\(name)" }
    }

    public let path: String
    private let file: HDF5File
    private static let splits = ["training", "validation", "noise"]
    /// Deeper or wider than any real tree; a file that links groups into each other would never end.
    private static let maximumEntries = 10_000_000

    /// - Throws: `InputError` when the file is missing, damaged or of another layout.
    public init(path: String) throws {
        self.path = path
        file = try HDF5File.open(path)
        guard Self.isLayout(of: file.root) else {
            throw InputError.data("expected groups training, validation or noise, found none of them", at: path)
        }
    }

    static func isLayout(of root: HDF5Group) -> Bool {
        splits.contains(where: root.contains) || root.contains("symmap")
    }

    /// What to tell somebody who wants to train from such a file.
    static func whatIsMissing(_ path: String) -> InputError {
        .data(
            "this is the Python tool's layout, which holds codes and text but no conditioning latents and no 22,050 Hz lengths",
            at: path,
            try: "run 'tortoise-train prepare' on the recordings, or point prepare at the .mel files beside it")
    }

    /// The vocabulary that the tokens belong to, as JSON; nil when the file has none.
    public func vocabulary() throws -> String? {
        guard file.root.contains("symmap") else { return nil }
        return try file.root.dataset("symmap").text()
    }

    /// All utterances, in alphabetical order.
    public func entries() throws -> [Entry] {
        var entries: [Entry] = []
        for split in Self.splits where file.root.contains(split) {
            let splitGroup = try file.root.group(split)
            for groupName in try splitGroup.names() {
                let group = try splitGroup.group(groupName)
                for speakerName in try group.names() {
                    let names = try group.group(speakerName).names()
                    entries += names.map { Entry(split: split, speaker: "\(groupName)/\(speakerName)", name: $0) }
                    guard entries.count <= Self.maximumEntries else {
                        throw InputError.data("expected at most \(Self.maximumEntries) utterances", at: path)
                    }
                }
            }
        }
        return entries
    }

    /// One utterance: codes, tokens and what its attributes say; without latents.
    ///
    /// - Returns: `sampleCount` counts at 22,050 Hz and is taken from the duration, or from the codes when there is none.
    public func utterance(_ entry: Entry) throws -> Utterance {
        let group = try file.root.group(entry.path)
        // The tool wrote signed 16-bit codes; later hands other widths.
        let codes = try numbers(group.dataset("audio"))
        let tokens = group.contains("text") ? try numbers(group.dataset("text")) : []
        let duration = try group.number(attribute: "duration")
        let seconds = duration.flatMap { $0.isFinite && (0...86_400).contains($0) ? $0 : nil }
        return Utterance(
            name: entry.name, speaker: entry.speaker, language: try group.text(attribute: "language") ?? "en",
            text: try group.text(attribute: "text") ?? "", tokens: tokens, codes: codes,
            sampleCount: seconds.map { Int(($0 * 22_050).rounded()) } ?? codes.count * 1_024)
    }

    private func numbers(_ dataset: HDF5Dataset) throws -> [UInt16] {
        try dataset.read(Int32.self, converting: true).map { number in
            guard let code = UInt16(exactly: number) else {
                throw InputError.data("expected codes from 0 to 65535, found \(number)", at: dataset.place)
            }
            return code
        }
    }
}
