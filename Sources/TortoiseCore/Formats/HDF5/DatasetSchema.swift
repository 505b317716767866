import Foundation

/// What a dataset file holds, fixed when it is created. `docs/dataset.md` describes the layout.
public struct DatasetSchema: Equatable, Sendable {
    /// A spectrogram that is stored with each utterance.
    public struct Mel: Equatable, Sendable {
        /// What it is for, such as "dvae" or "diffusion".
        public var name: String
        /// Bands per frame.
        public var bands: Int

        public init(name: String, bands: Int) {
            self.name = name
            self.bands = bands
        }
    }

    /// The width of the autoregressive model's conditioning latent; 0 stores none.
    public var autoregressiveLatentWidth = 1024
    /// The width of the diffusion model's conditioning latent; 0 stores none.
    public var diffusionLatentWidth = 2048
    public var mels: [Mel] = []
    /// The rate of stored 16-bit waveforms; nil stores none.
    public var waveformRate: Int?
    /// The rate that `Utterance.sampleCount` counts at.
    public var sampleRate = SampleRate.narrow
    /// SHA-256 of the tokenizer's file, which gives the tokens their meaning.
    public var tokenizerHash = ""
    /// Hashes of the models that made codes and latents, by stage.
    public var modelHashes: [String: String] = [:]
    /// Settings of the preparation, as JSON.
    public var settings = "{}"
    /// How codes, tokens, text and counts are packed.
    public var packsIntegers = true
    /// How latents, spectrograms and waveforms are packed: smaller by a tenth, slower to read.
    public var packsSignals = false

    public init() {}
}

/// One utterance of a dataset.
public struct Utterance: Equatable, Sendable {
    /// Its name, unique within the speaker.
    public var name: String
    /// `group/speaker`.
    public var speaker: String
    /// A language code such as "en".
    public var language: String
    /// What is said.
    public var text: String
    /// Text tokens.
    public var tokens: [UInt16]
    /// Mel codes of the DVAE.
    public var codes: [UInt16]
    /// Samples at the schema's rate (22,050 Hz), after resampling: `sampleCount / 1024` is the number of codes.
    public var sampleCount: Int
    /// How long it lasts.
    public var seconds: Double { Double(sampleCount) / Double(SampleRate.narrow) }
    /// Shape: the schema's width; empty when the file stores none.
    public var autoregressiveLatent: [Float]
    /// Shape: the schema's width; empty when the file stores none.
    public var diffusionLatent: [Float]
    /// Shape of each: [frames, bands], row by row.
    public var mels: [String: [Float]]
    public var waveform: [Int16]

    public init(
        name: String, speaker: String, language: String = "en", text: String, tokens: [UInt16], codes: [UInt16],
        sampleCount: Int,
        autoregressiveLatent: [Float] = [], diffusionLatent: [Float] = [], mels: [String: [Float]] = [:],
        waveform: [Int16] = []
    ) {
        self.name = name
        self.speaker = speaker
        self.language = language
        self.text = text
        self.tokens = tokens
        self.codes = codes
        self.sampleCount = sampleCount
        self.autoregressiveLatent = autoregressiveLatent
        self.diffusionLatent = diffusionLatent
        self.mels = mels
        self.waveform = waveform
    }

    /// CRC-32 over everything stored, in the order that docs/dataset.md gives.
    func checksum(speakerIndex: Int32, languageIndex: Int32) -> UInt32 {
        var sum = CRC32()
        func add<Number>(_ numbers: [Number]) { numbers.withUnsafeBytes { sum.add($0) } }
        add(codes)
        add(tokens)
        add(Array(text.utf8))
        add(Array(name.utf8))
        add(autoregressiveLatent)
        add(diffusionLatent)
        for key in mels.keys.sorted() { add(mels[key] ?? []) }
        add(waveform)
        add([Int64(sampleCount)])
        add([speakerIndex, languageIndex])
        return sum.value
    }
}

// MARK: - The schema in the file

extension DatasetSchema {
    static let format = "tortoise-dataset"
    static let version = 1

    func write(to root: HDF5Group) throws {
        try root.set(Self.format, attribute: "format")
        try root.set(Self.version, attribute: "version")
        try root.set(autoregressiveLatentWidth, attribute: "autoregressive_latent_width")
        try root.set(diffusionLatentWidth, attribute: "diffusion_latent_width")
        try root.set(mels.map { "\($0.name):\($0.bands)" }.joined(separator: ","), attribute: "mels")
        try root.set(waveformRate ?? 0, attribute: "waveform_rate")
        try root.set(sampleRate, attribute: "sample_rate")
        try root.set(tokenizerHash, attribute: "tokenizer_sha256")
        try root.set(modelHashes.map { "\($0)=\($1)" }.sorted().joined(separator: ","), attribute: "model_sha256")
        try root.set(settings, attribute: "settings")
    }

    /// Reads the schema of an open file.
    ///
    /// - Throws: `InputError` when the file is no dataset of ours.
    init(from root: HDF5Group) throws {
        func text(_ name: String) throws -> String? { try root.text(attribute: name) }
        guard try text("format") == Self.format else {
            throw InputError.data(
                "expected a dataset of 'tortoise-train prepare', found another HDF5 file", at: root.file)
        }
        func whole(_ name: String, _ range: ClosedRange<Int>) throws -> Int {
            let number = try root.number(attribute: name)
            guard let value = number.flatMap({ Int(exactly: $0) }), range.contains(value) else {
                let found = number.map { "\($0)" } ?? "nothing"
                throw InputError.data(
                    "expected a number from \(range), found \(found)", at: "\(root.place): attribute '\(name)'")
            }
            return value
        }
        let version = try whole("version", 1...Int(Int32.max))
        guard version == Self.version else {
            throw InputError.data(
                "expected a dataset of version \(Self.version), found version \(version)", at: root.file)
        }
        autoregressiveLatentWidth = try whole("autoregressive_latent_width", 0...1 << 20)
        diffusionLatentWidth = try whole("diffusion_latent_width", 0...1 << 20)
        let rate = try whole("waveform_rate", 0...768_000)
        waveformRate = rate == 0 ? nil : rate
        sampleRate = try whole("sample_rate", 1...768_000)
        tokenizerHash = try text("tokenizer_sha256") ?? ""
        settings = try text("settings") ?? "{}"
        for pair in (try text("model_sha256") ?? "").split(separator: ",") {
            let parts = pair.split(separator: "=", maxSplits: 1)
            if parts.count == 2 { modelHashes[String(parts[0])] = String(parts[1]) }
        }
        for pair in (try text("mels") ?? "").split(separator: ",") {
            let parts = pair.split(separator: ":", maxSplits: 1)
            guard parts.count == 2, let bands = Int(parts[1]), (1...65_536).contains(bands) else {
                throw InputError.data(
                    "expected 'name:bands' pairs, found '\(pair.prefix(60))'", at: "\(root.place): attribute 'mels'")
            }
            mels.append(Mel(name: String(parts[0]), bands: bands))
        }
    }
}
