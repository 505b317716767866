import Foundation

/// The utterances of a dataset that a run uses, and why the others are left out.
public struct DatasetSelection: Sendable {
    /// One utterance that is used.
    public struct Item: Equatable, Sendable {
        /// Its row in the file.
        public var index: Int
        public var speaker: Int
        /// Seconds.
        public var duration: Double
        public var codes: Int
        public var tokens: Int
    }

    public private(set) var training: [Item] = []
    public private(set) var validation: [Item] = []
    /// Rows that are left out, with the reason.
    public private(set) var dropped: [(index: Int, reason: String)] = []

    /// What a model can take.
    public struct Limits: Sendable {
        /// The most codes and text tokens that positions exist for.
        public var codes: Int
        public var tokens: Int
        /// What codes and text tokens are below: how many the model knows.
        public var codeVocabulary: Int
        public var tokenVocabulary: Int

        public init(codes: Int, tokens: Int, codeVocabulary: Int = .max, tokenVocabulary: Int = .max) {
            (self.codes, self.tokens) = (codes, tokens)
            (self.codeVocabulary, self.tokenVocabulary) = (codeVocabulary, tokenVocabulary)
        }

        /// - Throws: `InputError.data` when the utterance was made with another DVAE or tokenizer than the model's.
        func check(_ utterance: Utterance, at path: String) throws {
            for (kind, values, vocabulary, remedy) in [
                ("code", utterance.codes, codeVocabulary, "--dvae"),
                ("text token", utterance.tokens, tokenVocabulary, "--tokenizer"),
            ] {
                guard let largest = values.max(), largest >= vocabulary else { continue }
                throw InputError.data(
                    "\(utterance.speaker)/\(utterance.name) has the \(kind) \(largest), and the model knows those below \(vocabulary)",
                    at: path, try: "prepare the dataset with the \(remedy) that belongs to the model")
            }
        }
    }

    /// Chooses by the configuration.
    ///
    /// Validation utterances come from the speakers that `dataset.validation` names; when it names the training speakers, a
    /// share of every speaker's utterances, chosen by a hash of their names, is kept out of the training.
    /// - Throws: `InputError.data` when no training utterance is left, with the reasons counted.
    public init(
        _ file: DatasetFile, _ settings: DatasetSettings, paths: RunPaths, limits: Limits, isSilent: Bool = false
    ) throws {
        let names = try file.speakers()
        let trainingSpeakers = try Self.speakers(settings.training, names, paths, isSilent, place: "dataset.training")
        let validationSpeakers =
            settings.validation == settings.training
            ? trainingSpeakers
            : try Self.speakers(settings.validation, names, paths, isSilent, place: "dataset.validation")
        let isSplit = validationSpeakers == trainingSpeakers
        let (speakers, durations) = (try file.speakerOfEach(), try file.durations())
        let (codes, tokens) = (try file.codeCounts(), try file.tokenCounts())
        let utteranceNames = isSplit && settings.validationFraction > 0 ? try file.utteranceNames() : []
        for index in 0..<speakers.count {
            let item = Item(
                index: index, speaker: Int(speakers[index]), duration: durations[index], codes: codes[index],
                tokens: tokens[index])
            let isTraining = trainingSpeakers.contains(item.speaker),
                isValidation = validationSpeakers.contains(item.speaker)
            guard isTraining || isValidation else { continue }
            if let reason = Self.fault(item, settings, limits)
                ?? (settings.strictValidate ? Self.damage(index, in: file) : nil)
            {
                dropped.append((index, reason))
            } else if isTraining, isSplit {
                let isHeldOut =
                    !utteranceNames.isEmpty
                    && Self.share(of: "\(names[item.speaker])/\(utteranceNames[index])") < settings.validationFraction
                if isHeldOut { validation.append(item) } else { training.append(item) }
            } else {
                if isTraining { training.append(item) }
                if isValidation { validation.append(item) }
            }
        }
        dropSmallSpeakers(settings.minimumUtterances)
        guard !training.isEmpty else { throw nothingLeft(file.path) }
    }

    private static func speakers(
        _ wanted: [String], _ names: [String], _ paths: RunPaths, _ isSilent: Bool, place: String
    ) throws -> Set<Int> {
        guard !wanted.isEmpty else { return Set(names.indices) }
        let expanded = try expandSpeakers(wanted, known: names, paths: paths, allowEmpty: isSilent)
        let unknown = expanded.filter { !names.contains($0) }
        guard unknown.isEmpty || isSilent else {
            let near = nearestNames(to: unknown[0], among: names, limit: 3)
            throw InputError.data(
                "the dataset has no speaker \(unknown.prefix(20).joined(separator: ", "))", at: place,
                try: near.isEmpty ? "it has \(names.count) speakers" : "it has \(near.joined(separator: ", "))")
        }
        return Set(names.indices.filter { expanded.contains(names[$0]) })
    }

    private static func fault(_ item: Item, _ settings: DatasetSettings, _ limits: Limits) -> String? {
        if item.tokens == 0 { return "empty text" }
        if item.codes == 0, limits.codes > 0 { return "no codes" }
        if settings.validate {
            let range = settings.durationRange
            if item.duration < range.lower { return "shorter than \(range.lower) s" }
            if item.duration > range.upper { return "longer than \(range.upper) s" }
        }
        if limits.codes > 0, item.codes > limits.codes { return "more than \(limits.codes) codes" }
        if limits.tokens > 0, item.tokens > limits.tokens { return "more than \(limits.tokens) text tokens" }
        return nil
    }

    private static func damage(_ index: Int, in file: DatasetFile) -> String? {
        do {
            _ = try file.utterance(at: index, verifying: true)
            return nil
        } catch {
            return (error as? InputError)?.problem ?? "\(error)"
        }
    }

    /// Speakers of whom too little is left teach nothing about speakers.
    private mutating func dropSmallSpeakers(_ minimum: Int) {
        let counts = Dictionary(grouping: training, by: \.speaker).mapValues(\.count)
        let small = Set(counts.filter { $0.value < minimum }.keys)
        guard !small.isEmpty else { return }
        for item in training where small.contains(item.speaker) {
            dropped.append((item.index, "its speaker has fewer than \(minimum) utterances"))
        }
        training.removeAll { small.contains($0.speaker) }
    }

    private func nothingLeft(_ path: String) -> InputError {
        let counts = Dictionary(grouping: dropped, by: \.reason).mapValues(\.count).sorted {
            ($1.value, $0.key) < ($0.value, $1.key)
        }
        let reasons = counts.map { "\($0.value) × \($0.key)" }.joined(separator: ", ")
        return .data(
            "no utterance is left to train on" + (reasons.isEmpty ? ": the dataset is empty" : "; dropped: \(reasons)"),
            at: path,
            try: "look at dataset.duration_range, dataset.min_utterances and dataset.training")
    }

    /// A number from 0 to 1 that depends on a name only.
    static func share(of name: String) -> Double {
        Double(RandomSource(seed: 0)["validation"][name].stream[0]) / 4_294_967_296
    }
}
