import Foundation
import Synchronization
import Testing
import TortoiseCore

@testable import TortoiseServer

/// What a test tells a synthesizer, and what it saw.
final class FakeSpeech: Sendable {
    struct State: Sendable {
        var steps = 0
        var isReleased = false
        var spoken: [SpeechRequest] = []
        var cancelled = 0
        var unloads = 0
        var saved: [String] = []
        var clips: [(path: String, name: String, bytes: Int)] = []
    }

    let state = Mutex(State())
    /// Steps of each request, and seconds of each step.
    let steps: Int
    let seconds: Double
    /// The step before which a request waits until it is released.
    let held: Int?

    init(steps: Int = 4, seconds: Double = 0, heldBefore held: Int? = nil) {
        (self.steps, self.seconds, self.held) = (steps, seconds, held)
    }

    func release() { state.withLock { $0.isReleased = true } }

    var seen: State { state.withLock { $0 } }

    /// Waits until something is so.
    func wait(seconds: Double = 5, _ condition: (State) -> Bool) async -> Bool {
        for _ in 0..<Int(seconds * 200) {
            if condition(seen) { return true }
            try? await Task.sleep(for: .milliseconds(5))
        }
        return false
    }
}

/// Speaks tones: a step, then a piece of sound, and so on.
final class FakeSynthesizer: SpeechSynthesizer {
    static let pieceLength = 2_400

    private let fake: FakeSpeech

    init(_ fake: FakeSpeech) { self.fake = fake }

    func speak(_ request: SpeechRequest, _ hear: (SpeechEvent) throws -> Void) throws -> SpeechResult {
        fake.state.withLock { $0.spoken.append(request) }
        if request.text.contains("nonsense") { throw InputError.data("nothing in the text can be spoken") }
        if request.text.contains("broken") { throw InputError.model("found no weights", at: "/secret/place") }
        if request.text.contains("crash") { throw POSIXError(.EIO) }
        var samples: [Float] = []
        do {
            for step in 0..<fake.steps {
                try hear(.progress(SpeechProgress(stage: .codes, done: step, total: fake.steps), utterance: 0, of: 1))
                while step == fake.held, !fake.seen.isReleased { Thread.sleep(forTimeInterval: 0.005) }
                fake.state.withLock { $0.steps += 1 }
                if fake.seconds > 0 { Thread.sleep(forTimeInterval: fake.seconds) }
                let pitch = Float(1 + request.settings.seed % 7) * 0.01
                let piece = (0..<Self.pieceLength).map { sin(Float($0 + samples.count) * pitch) * 0.5 }
                samples += piece
                if request.isStreamed { try hear(.audio(piece)) }
            }
        } catch {
            fake.state.withLock { $0.cancelled += 1 }
            throw error
        }
        let kept = request.settings.kept
        return SpeechResult(
            versions: [[Float]](repeating: samples, count: kept), scores: [Float?](repeating: 0.5, count: kept),
            seconds: [.codes: 0.1])
    }

    func saveVoice(_ name: String, of source: VoiceSource) throws {
        if case .recordings(let clips) = source {
            for clip in clips {
                let bytes = FileManager.default.contents(atPath: clip.path)?.count ?? -1
                fake.state.withLock { $0.clips.append((clip.path, clip.name, bytes)) }
                do {
                    _ = try AudioFile.read(clip.path, limits: .upload)
                } catch let error as InputError {
                    throw InputError(error.kind, error.problem, at: clip.name, try: error.remedy)
                }
            }
        }
        fake.state.withLock { $0.saved.append(name) }
    }

    func check(_ clips: [ReferenceUpload], _ hear: (SpeechEvent) throws -> Void) throws -> [ClipVerdict] {
        clips.map { ClipVerdict(name: $0.name) }
    }

    func unload() { fake.state.withLock { $0.unloads += 1 } }
}

struct FakeCatalog: SpeechCatalog {
    func voices() -> [VoiceListing] {
        [VoiceListing(name: "anna", isSaved: false), VoiceListing(name: "ben", isSaved: true)]
    }

    func deleteVoice(_ name: String) throws {
        guard name == "ben" else { throw InputError.data("there is no saved voice of this name", at: name) }
    }

    func models() -> [ModelListing] {
        [
            ModelListing(id: "small", kind: .set, files: [], isDefault: true),
            ModelListing(id: "run/lora", kind: .adapter, files: []),
        ]
    }

    func published() -> [(name: String, isThere: Bool)] { [("clvp2.pth", false)] }

    func fetch(_ name: String, progress: (_ done: Int, _ total: Int) throws -> Void) throws -> String {
        for step in 0...4 { try progress(step, 4) }
        return "abc"
    }

    func verify(_ id: String, progress: (_ done: Int, _ total: Int) throws -> Void) throws -> [String] {
        ["\(id): good"]
    }
}

#if Server
    extension TortoiseServer {
        /// A server that speaks with a fake.
        static func fake(
            _ fake: FakeSpeech = FakeSpeech(), monitor: (any TrainingMonitor)? = nil,
            _ change: (inout ServerOptions) -> Void = { _ in }
        ) throws -> TortoiseServer {
            var options = ServerOptions()
            (options.port, options.arrivalSeconds) = (0, 5)
            change(&options)
            return try TortoiseServer(options, catalog: FakeCatalog(), monitor: monitor, isQuiet: true) {
                FakeSynthesizer(fake)
            }
        }
    }
#endif

/// A form with files, as browsers send it.
struct TestForm {
    static let type = "multipart/form-data; boundary=xyzzy"

    static func body(name: String?, files: [(name: String, content: [UInt8])]) -> [UInt8] {
        var body: [UInt8] = []
        func add(_ text: String) { body += Array(text.utf8) }
        if let name { add("--xyzzy\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\n\(name)\r\n") }
        for file in files {
            add("--xyzzy\r\nContent-Disposition: form-data; name=\"files\"; filename=\"\(file.name)\"\r\n")
            add("Content-Type: audio/wav\r\n\r\n")
            body += file.content
            add("\r\n")
        }
        add("--xyzzy--\r\n")
        return body
    }

    /// A second of a tone.
    static func recording() throws -> [UInt8] {
        let samples = (0..<24_000).map { sin(Float($0) * 0.05) * 0.3 }
        return try AudioFile.encode(AudioClip(mono: samples, sampleRate: 24_000), as: AudioFormat(named: "wav"))
    }
}
