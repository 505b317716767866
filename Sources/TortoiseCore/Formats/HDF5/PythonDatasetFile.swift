import Foundation

/// The HDF5 file of the Python trainer (e-c-k-e-r/tortoise-tts: `tortoise_tts/data.py --action=hdf5`).
///
/// It holds `<split>/<group>/<speaker>/<id>` with `audio` (mel codes), `text` (tokens) and attributes, LZF-compressed, and the
/// vocabulary in `symmap`; conditioning latents are not stored, so nothing can be trained from it alone.
public enum PythonDatasetFile {
    public enum Item: Equatable, Sendable {
        /// The vocabulary that the tokens belong to, as JSON.
        case vocabulary(String)
        /// Codes, tokens and what the attributes say, without latents; the split is training, validation or noise.
        ///
        /// `sampleCount` counts at 22,050 Hz and is taken from the duration, or from the codes when there is none.
        case utterance(split: String, Utterance)
    }

    /// In the order of their use.
    static let splits = ["training", "validation", "noise"]
    private static let vocabulary = "symmap"

    /// Reads everything, in the file's own order.
    ///
    /// - Parameter body: What it throws ends the reading.
    /// - Throws: `InputError` when the file is missing, damaged or of another layout.
    public static func read(_ path: String, _ body: (Item) throws -> Void) throws {
        let contents = try HDF5Contents(of: path)
        var walk = PythonDatasetWalk(path: path)
        while let item = try contents.next() {
            if let found = try walk.take(item) { try body(found) }
        }
        guard walk.isLayout else {
            throw InputError.data("expected groups training, validation or noise, found none of them", at: path)
        }
    }

    /// Whether a file is of this layout, as far as its outermost names tell.
    ///
    /// - Throws: `InputError` when the file is missing or damaged.
    static func isLayout(_ path: String) throws -> Bool { try layout(of: path) == .python }

    private enum Layout { case ours, python, other }

    private static func layout(of path: String) throws -> Layout {
        let contents = try HDF5Contents(of: path)
        var walk = PythonDatasetWalk(path: path)
        while let item = try contents.next() {
            if item == .textAttribute("format", DatasetSchema.format) { return .ours }
            _ = try walk.take(item)
            if walk.isLayout { return .python }
        }
        return .other
    }

    /// What to tell somebody whose file is of a format that no dataset of ours has.
    ///
    /// - Throws: `InputError` when the file is damaged.
    static func wrongFormat(_ path: String) throws -> InputError {
        switch try layout(of: path) {
        case .python: whatIsMissing(path)
        case .ours:
            .data(
                "expected the file format of HDF5 1.10, found an older one", at: path,
                try: "with h5py: libver=('v110', 'v110')")
        case .other: .data("expected a dataset of 'tortoise-train prepare', found another HDF5 file", at: path)
        }
    }

    /// What to tell somebody who wants to train from such a file.
    static func whatIsMissing(_ path: String) -> InputError {
        .data(
            "this is the Python tool's layout, which holds codes and text but no conditioning latents and no 22,050 Hz lengths",
            at: path,
            try: "run 'tortoise-train prepare' on the folder of .mel files beside it, or on the recordings")
    }

    fileprivate static func isOutermost(_ name: String) -> Bool { splits.contains(name) || name == vocabulary }
    fileprivate static func isVocabulary(_ path: [String]) -> Bool { path == [vocabulary] }
}

/// Makes utterances of the pieces of a file.
private struct PythonDatasetWalk {
    /// What was met of the utterance whose group is open.
    private struct Parts {
        var codes: [UInt16]?
        var tokens: [UInt16] = []
        var text = ""
        var language = "en"
        var seconds: Double?
    }

    let path: String
    private(set) var isLayout = false
    /// The names of the open groups, without the root.
    private var open: [String] = []
    private var parts = Parts()
    private var isInRoot = false

    init(path: String) { self.path = path }

    private var isInSplit: Bool { open.first.map(PythonDatasetFile.splits.contains) ?? false }
    /// split/group/speaker/name
    private var isInUtterance: Bool { isInSplit && open.count == 4 }

    mutating func take(_ item: HDF5Contents.Item) throws -> PythonDatasetFile.Item? {
        switch item {
        case .group(let name): enter(name)
        case .groupEnd:
            let utterance = isInUtterance ? try utterance() : nil
            _ = open.popLast()
            return utterance
        case .textAttribute("text", let text) where isInUtterance: parts.text = text
        case .textAttribute("language", let text) where isInUtterance: parts.language = text
        case .numberAttribute("duration", let number) where isInUtterance: parts.seconds = number
        case .textAttribute, .numberAttribute: break
        case .text(let name, let text) where PythonDatasetFile.isVocabulary(open + [name]):
            isLayout = true
            return .vocabulary(text)
        case .integers("audio", let numbers) where isInUtterance: parts.codes = try codes(numbers, "audio")
        case .integers("text", let numbers) where isInUtterance: parts.tokens = try codes(numbers, "text")
        case .text, .integers: break
        case .fault(let name, let why): try judge(name, why)
        }
        return nil
    }

    private mutating func enter(_ name: String) {
        // The first group is the file's root.
        guard isInRoot else { return isInRoot = true }
        open.append(name)
        isLayout = isLayout || isInSplit
        if isInUtterance { parts = Parts() }
    }

    /// Faults count where this layout has something: elsewhere a file may hold what it likes.
    private func judge(_ name: String, _ why: String) throws {
        let fault = open + (name.isEmpty ? [] : [name])
        let matters =
            if isInUtterance {
                name.isEmpty || ["audio", "text", "language", "duration"].contains(name)
            } else {
                isInSplit ? open.count < 4 : fault.isEmpty || open.isEmpty && PythonDatasetFile.isOutermost(name)
            }
        guard matters else { return }
        throw InputError.data("cannot be read: \(why)", at: place(fault), try: "the file may be damaged: make it again")
    }

    private func utterance() throws -> PythonDatasetFile.Item {
        guard let codes = parts.codes else {
            throw InputError.data("expected the codes of an utterance in 'audio', found none", at: place(open))
        }
        let seconds = parts.seconds.flatMap { $0.isFinite && (0...86_400).contains($0) ? $0 : nil }
        let utterance = Utterance(
            name: open[3], speaker: "\(open[1])/\(open[2])", language: parts.language, text: parts.text,
            tokens: parts.tokens, codes: codes,
            sampleCount: seconds.map { Int(($0 * Double(SampleRate.narrow)).rounded()) } ?? codes.count * 1_024)
        return .utterance(split: open[0], utterance)
    }

    /// The tool wrote signed 16-bit codes; later hands other widths.
    private func codes(_ numbers: [Int32], _ name: String) throws -> [UInt16] {
        try numbers.map { number in
            guard let code = UInt16(exactly: number) else {
                throw InputError.data("expected codes from 0 to 65535, found \(number)", at: place(open + [name]))
            }
            return code
        }
    }

    private func place(_ names: [String]) -> String { "\(path): /" + names.joined(separator: "/") }
}
