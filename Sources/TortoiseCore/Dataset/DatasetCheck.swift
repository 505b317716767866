import Foundation

/// What a dataset holds and what is odd about it, found without training: what `tortoise-train check` prints.
public struct DatasetCheck: Sendable {
    public private(set) var utterances = 0
    public private(set) var seconds = 0.0
    /// By speaker: utterances and seconds.
    public private(set) var speakers: [String: (count: Int, seconds: Double)] = [:]
    /// What is wrong with single utterances, with names.
    public private(set) var faults: [(name: String, what: String)] = []
    /// Characters that the vocabulary lacks, with how often they were met.
    public private(set) var unknownCharacters: [Character: Int] = [:]
    private var durations: [Double] = []
    private var rates: [Double] = []
    private var codeUse: [UInt16: Int] = [:]
    private var codeCount = 0

    /// Speech has between these many characters a second; beyond them text and sound do not belong together.
    private static let plausibleRates = 4.0...30.0
    /// Samples at full scale in a row's thousandth.
    private static let clippedShare = 0.001

    /// Reads every utterance.
    ///
    /// - Parameter progress: Throws to stop.
    /// - Throws: `InputError` when the file cannot be read at all; damaged utterances are counted as faults.
    public init(_ file: DatasetFile, _ frontEnd: TextFrontEnd, progress: (_ done: Int, _ total: Int) throws -> Void)
        throws
    {
        let total = file.count
        var seen: Set<String> = []
        for index in 0..<total {
            try progress(index, total)
            let utterance: Utterance
            do {
                utterance = try file.utterance(at: index, verifying: true)
            } catch {
                faults.append(("utterance \(index)", "\(error)"))
                continue
            }
            let name = "\(utterance.speaker)/\(utterance.name)"
            if !seen.insert(name).inserted { faults.append((name, "there twice")) }
            add(utterance, name, rate: file.schema.sampleRate, frontEnd)
        }
        try progress(total, total)
    }

    private mutating func add(_ utterance: Utterance, _ name: String, rate: Int, _ frontEnd: TextFrontEnd) {
        let duration = Double(utterance.sampleCount) / Double(rate)
        utterances += 1
        seconds += duration
        durations.append(duration)
        let before = speakers[utterance.speaker] ?? (0, 0)
        speakers[utterance.speaker] = (before.count + 1, before.seconds + duration)
        if utterance.text.isEmpty || utterance.tokens.isEmpty { faults.append((name, "no text")) }
        if duration > 0 {
            let pace = Double(utterance.text.count) / duration
            rates.append(pace)
            if !Self.plausibleRates.contains(pace) {
                faults.append((name, "\(Self.rounded(pace)) characters a second in \(Self.rounded(duration)) s"))
            }
        }
        for scalar in frontEnd.explain(utterance.text).explanation.unknown {
            unknownCharacters[Character(scalar), default: 0] += 1
        }
        for code in utterance.codes { codeUse[code, default: 0] += 1 }
        codeCount += utterance.codes.count
        for (kind, mel) in utterance.mels where !mel.allSatisfy(\.isFinite) {
            faults.append((name, "NaN in the \(kind) mel"))
        }
        if !(utterance.autoregressiveLatent + utterance.diffusionLatent).allSatisfy(\.isFinite) {
            faults.append((name, "NaN in a latent"))
        }
        checkSound(utterance.waveform, name)
    }

    private mutating func checkSound(_ waveform: [Int16], _ name: String) {
        guard !waveform.isEmpty else { return }
        let clipped = waveform.count { abs(Int($0)) >= 32_767 }
        if Double(clipped) > Self.clippedShare * Double(waveform.count) {
            faults.append((name, "clipped: \(clipped) samples at full scale"))
        }
        if !waveform.contains(where: { abs(Int($0)) > 30 }) { faults.append((name, "silent")) }
    }

    /// For people.
    public func lines(limit: Int = 20) -> [String] {
        var lines = ["\(utterances.counted("utterance")) by \(speakers.count.counted("speaker")), \(seconds.asTime)"]
        for (name, speaker) in speakers.sorted(by: { ($1.value.seconds, $0.key) < ($0.value.seconds, $1.key) }).prefix(
            limit)
        {
            lines.append("  \(name): \(speaker.count), \(speaker.seconds.asTime)")
        }
        if speakers.count > limit { lines.append("  and \(speakers.count - limit) more speakers") }
        if !durations.isEmpty { lines.append("seconds: " + Self.spread(durations)) }
        if !rates.isEmpty { lines.append("characters a second: " + Self.spread(rates)) }
        if codeCount > 0 {
            lines.append("\(codeUse.count) different codes in \(codeCount), perplexity \(Self.rounded(perplexity))")
        }
        if !unknownCharacters.isEmpty {
            let list = unknownCharacters.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(limit).map {
                "\($0.key) ×\($0.value)"
            }
            lines.append("characters that the vocabulary lacks: " + list.joined(separator: ", "))
        }
        lines.append(faults.isEmpty ? "nothing is wrong with any of them" : "\(faults.count) are odd:")
        lines += faults.prefix(limit).map { "  \($0.name): \($0.what)" }
        if faults.count > limit { lines.append("  and \(faults.count - limit) more") }
        return lines
    }

    /// How many codes were as good as used, if all were used alike: e to the power of the entropy.
    private var perplexity: Double {
        let entropy = codeUse.values.reduce(0.0) { sum, count in
            let share = Double(count) / Double(codeCount)
            return sum - share * log(share)
        }
        return exp(entropy)
    }

    private static func spread(_ values: [Double]) -> String {
        let sorted = values.sorted()
        func at(_ share: Double) -> String { rounded(sorted[Int(share * Double(sorted.count - 1))]) }
        return "\(at(0)) to \(at(1)), half of them \(at(0.25)) to \(at(0.75)), median \(at(0.5))"
    }

    private static func rounded(_ value: Double) -> String { "\((value * 10).rounded() / 10)" }
}

extension DatasetCheck {
    /// Describes a dataset by its file alone: ours, or the Python trainer's.
    ///
    /// - Parameters:
    ///   - limit: How many names are listed of each kind.
    ///   - progress: Is told how many utterances were read, and of how many where that is known; what it throws ends the work.
    /// - Returns: Lines for people, and what keeps the file from being trained on, if anything.
    /// - Throws: `InputError` when the file cannot be read, or is neither.
    public static func report(
        ofFile path: String, limit: Int, progress: (_ done: Int, _ total: Int?) throws -> Void
    ) throws -> (lines: [String], obstacle: InputError?) {
        guard try !PythonDatasetFile.isLayout(path) else {
            let summary = try PythonDatasetSummary(path: path) { try progress($0, nil) }
            return (summary.lines, PythonDatasetFile.whatIsMissing(path))
        }
        let file = try DatasetFile(path: path)
        let check = try DatasetCheck(file, TextFrontEnd(of: nil), progress: progress)
        let obstacle = check.utterances > 0 ? nil : InputError.data("expected utterances, found none", at: path)
        return (check.lines(limit: limit), obstacle)
    }
}
