/// What speaks, as a server sees it: requests in, samples out, never a tensor.
///
/// Calls block, and come from one thread, one after another.
public protocol SpeechSynthesizer: AnyObject {
    /// Speaks a text.
    ///
    /// - Parameter hear: Called before every step and with every piece of streamed sound; what it throws ends the work.
    /// - Throws: `InputError`, or what `hear` throws.
    func speak(_ request: SpeechRequest, _ hear: (SpeechEvent) throws -> Void) throws -> SpeechResult

    /// Saves a voice under a name.
    ///
    /// - Throws: `InputError` for recordings or names that cannot be used.
    func saveVoice(_ name: String, of source: VoiceSource) throws

    /// How well recordings serve as references, best first.
    ///
    /// - Throws: `InputError` when no judgement is possible at all; a recording that cannot be used has a fault of its own.
    func check(_ clips: [ReferenceUpload], _ hear: (SpeechEvent) throws -> Void) throws -> [ClipVerdict]

    /// Lets go of all weights; they are loaded again when they are needed.
    func unload()
}

/// What there is to speak with: names and files, no weights. Calls may come from any thread.
public protocol SpeechCatalog: Sendable {
    /// The voices that have names, sorted.
    func voices() -> [VoiceListing]
    /// Removes a saved voice.
    ///
    /// - Throws: `InputError` when there is none, or it came with the package.
    func deleteVoice(_ name: String) throws
    /// Sets of models, weights that trainings exported, and adapters.
    func models() -> [ModelListing]
    /// Published weights that can be fetched, and whether they are there.
    func published() -> [(name: String, isThere: Bool)]
    /// Fetches a published file; stopped, the next call goes on.
    func fetch(_ name: String, progress: (_ done: Int, _ total: Int) throws -> Void) throws -> String
    /// A line for each file of a model after reading all of it.
    func verify(_ id: String, progress: (_ done: Int, _ total: Int) throws -> Void) throws -> [String]
}

/// What is to be spoken, and how.
public struct SpeechRequest: Sendable {
    public var text: String
    /// Names of voices as `VoiceLibrary` combines them; never paths.
    public var voice: String
    public var model = ModelChoice()
    public var settings = SpeechSettings()
    /// Above 1 for faster speech.
    public var speed = 1.0
    /// Whether sound is wanted as soon as there is any.
    public var isStreamed = false

    public init(text: String, voice: String) { (self.text, self.voice) = (text, voice) }
}

/// Which models speak: ids of a catalog.
public struct ModelChoice: Sendable, Equatable {
    /// An adapter with the strength of its effect.
    public struct Adapter: Sendable, Equatable {
        public var id: String
        public var strength: Float

        public init(id: String, strength: Float = 1) { (self.id, self.strength) = (id, strength) }
    }

    /// A set or exported weights; nil for those that the program was started with.
    public var id: String?
    public var adapters: [Adapter] = []

    public init(id: String? = nil, adapters: [Adapter] = []) { (self.id, self.adapters) = (id, adapters) }
}

/// What is heard of speech while it is made.
public enum SpeechEvent: Sendable {
    case progress(SpeechProgress, utterance: Int, of: Int)
    /// The next samples of streamed speech, at 24 kHz.
    case audio([Float])
}

/// Finished speech.
public struct SpeechResult: Sendable {
    /// The whole speech in each version that was kept, best first; at 24 kHz.
    public var versions: [[Float]]
    /// CLVP's opinion of each version, where candidates were ranked.
    public var scores: [Float?]
    /// Seconds by stage.
    public var seconds: [SpeechStage: Double]
    /// What a report says of it, as JSON.
    public var report: String

    public init(versions: [[Float]], scores: [Float?], seconds: [SpeechStage: Double] = [:], report: String = "{}") {
        (self.versions, self.scores, self.seconds, self.report) = (versions, scores, seconds, report)
    }
}

/// What a saved voice is made of.
public enum VoiceSource: Sendable {
    case recordings([ReferenceUpload])
    /// Names of voices with weights, such as `anna:0.7+ben:0.3`.
    case mix(String)
    case random(seed: UInt64)
}

/// A recording that somebody sent: where it lies, and what the sender calls it.
public struct ReferenceUpload: Sendable {
    public let path: String
    public let name: String

    public init(path: String, name: String) { (self.path, self.name) = (path, name) }
}

/// What is to be said of a recording as a reference.
public struct ClipVerdict: Sendable {
    public var name: String
    public var seconds = 0.0
    /// LUFS; nil for silence.
    public var loudness: Double?
    /// The level of the quietest tenth, in dB; nil for digital silence.
    public var noiseFloor: Double?
    /// How much its voice is like that of the others, up to 1; nil for a single recording.
    public var similarity: Double?
    /// What a listener would mind; empty for a good recording.
    public var problems: [String] = []
    /// Why it cannot be used at all.
    public var fault: String?

    public init(name: String) { self.name = name }
}

/// A voice that has a name.
public struct VoiceListing: Sendable, Equatable {
    public var name: String
    /// Whether it was saved by a user, and may be removed.
    public var isSaved: Bool

    public init(name: String, isSaved: Bool) { (self.name, self.isSaved) = (name, isSaved) }
}

/// Something that speech can be made with.
public struct ModelListing: Sendable, Equatable {
    public enum Kind: String, Sendable { case set, checkpoint, adapter }

    /// One file.
    public struct File: Sendable, Equatable {
        public var stage: String
        public var path: String
        public var bytes: Int

        public init(stage: String, path: String, bytes: Int) {
            (self.stage, self.path, self.bytes) = (stage, path, bytes)
        }
    }

    public var id: String
    public var kind: Kind
    public var files: [File]
    /// Whether it speaks when nothing else is chosen.
    public var isDefault: Bool

    public init(id: String, kind: Kind, files: [File], isDefault: Bool = false) {
        (self.id, self.kind, self.files, self.isDefault) = (id, kind, files, isDefault)
    }
}
