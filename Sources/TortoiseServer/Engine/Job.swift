import Foundation
import Synchronization
import TortoiseCore

/// Something that takes its time: speech, a check, a download. It can be watched, stopped, and asked for its result.
final class Job: Sendable {
    enum Kind: String, Sendable { case speech, voice, check, fetch, verify, dataset }
    enum Status: String, Sendable { case queued, running, done, failed, cancelled }

    /// What watchers hear.
    enum Event: Sendable {
        case queued(ahead: Int)
        case progress(Progress)
        /// Samples of streamed speech as 16-bit PCM.
        case audio([UInt8])
        /// The last one.
        case ended(Status)
    }

    /// How far it is.
    struct Progress: Sendable, Equatable {
        var stage: String
        var done: Int
        var total: Int
        /// Which utterance, and how many there are.
        var part = 0
        var parts = 1
        /// Of this stage.
        var secondsLeft: Double?
    }

    /// What it made.
    enum Outcome: Sendable {
        case speech(SpeechResult)
        case value(JSONValue)

        /// Bytes that it holds.
        var size: Int {
            switch self {
            case .speech(let result): result.versions.reduce(0) { $0 + $1.count * 4 }
            case .value: 1_024
            }
        }
    }

    private struct State: Sendable {
        var status = Status.queued
        var isCancelled = false
        /// The last of each stage, in the order of their beginning.
        var stages: [Progress] = []
        var progress: Progress? { stages.last }
        var ahead = 0
        var stageStart = ContinuousClock.now
        var outcome: Outcome?
        var error: ServerError?
        var pieces: [[UInt8]] = []
        var watchers: [Int: AsyncStream<Event>.Continuation] = [:]
        var nextWatcher = 0
        var started: ContinuousClock.Instant?
        var ended: ContinuousClock.Instant?

        func tell(_ event: Event) {
            for watcher in watchers.values { watcher.yield(event) }
        }
    }

    let id: String
    let kind: Kind
    let client: String
    /// What a result is encoded with when it is fetched later.
    let request: SpeechBody?
    let created = ContinuousClock.now
    /// From its start on.
    private let limit: Duration
    private let state = Mutex(State())

    init(_ kind: Kind, client: String, limit: Duration, request: SpeechBody? = nil) {
        let random = (0..<2).map { _ in String(UInt64.random(in: .min ... .max), radix: 36) }
        id = "job-" + random.joined()
        (self.kind, self.client, self.limit, self.request) = (kind, client, limit, request)
    }

    // MARK: - For who does the work

    /// Marks the beginning; false when it was cancelled before.
    func begin() -> Bool {
        state.withLock { state in
            guard state.status == .queued, !state.isCancelled else { return false }
            (state.status, state.started) = (.running, .now)
            return true
        }
    }

    /// - Throws: `CancellationError` when nobody wants it any more, `ServerError` when it takes too long.
    func checkWanted() throws {
        let (isCancelled, started) = state.withLock { ($0.isCancelled, $0.started) }
        if isCancelled { throw CancellationError() }
        if let started, started.duration(to: .now) > limit {
            throw ServerError(
                504, "the request took longer than \(limit.components.seconds) s", code: "timeout")
        }
    }

    func report(_ stage: String, _ done: Int, _ total: Int, part: Int = 0, parts: Int = 1) {
        state.withLock { state in
            if state.progress?.stage != stage || state.progress?.part != part { state.stageStart = .now }
            var progress = Progress(stage: stage, done: done, total: total, part: part, parts: parts)
            if done > 0 {
                let spent = state.stageStart.duration(to: .now).seconds
                progress.secondsLeft = spent / Double(done) * Double(max(0, total - done))
            }
            state.stages.removeAll { $0.stage == stage }
            state.stages.append(progress)
            state.tell(.progress(progress))
        }
    }

    func hear(_ samples: [Float]) {
        let clip = AudioClip(mono: samples, sampleRate: SpokenUtterance.sampleRate)
        let bytes = AudioStream(pcmWithChannelCount: 1).encode(clip)
        state.withLock { state in
            state.pieces.append(bytes)
            state.tell(.audio(bytes))
        }
    }

    func moved(ahead: Int) {
        state.withLock { state in
            guard state.status == .queued, state.ahead != ahead else { return }
            state.ahead = ahead
            state.tell(.queued(ahead: ahead))
        }
    }

    func finish(_ result: Result<Outcome, any Error>) {
        let watchers = state.withLock { state -> [AsyncStream<Event>.Continuation] in
            guard state.ended == nil else { return [] }
            state.ended = .now
            switch result {
            case .success(let outcome): (state.status, state.outcome) = (.done, outcome)
            case .failure(is CancellationError):
                (state.status, state.error) = (.cancelled, ServerError(CancellationError()))
            case .failure(let error): (state.status, state.error) = (.failed, ServerError(error))
            }
            state.tell(.ended(state.status))
            defer { state.watchers = [:] }
            return Array(state.watchers.values)
        }
        // Not under the lock: the end of a stream calls back.
        for watcher in watchers { watcher.finish() }
    }

    // MARK: - For who wants it

    /// Asks to stop; the work ends before its next step.
    func cancel() { state.withLock { $0.isCancelled = true } }

    var status: Status { state.withLock { $0.status } }
    var error: ServerError? { state.withLock { $0.error } }
    var outcome: Outcome? { state.withLock { $0.outcome } }
    var size: Int {
        state.withLock { state in (state.outcome?.size ?? 0) + state.pieces.reduce(0) { $0 + $1.count } }
    }

    /// Seconds since its end; nil while it is not over.
    var age: Double? { state.withLock { $0.ended }?.duration(to: .now).seconds }

    /// Everything that is heard of it: what was heard so far, then what comes, to its end.
    func events() -> AsyncStream<Event> {
        AsyncStream { continuation in
            state.withLock { state in
                if state.status == .queued { continuation.yield(.queued(ahead: state.ahead)) }
                for piece in state.pieces { continuation.yield(.audio(piece)) }
                for progress in state.stages { continuation.yield(.progress(progress)) }
                guard state.ended == nil else {
                    continuation.yield(.ended(state.status))
                    return continuation.finish()
                }
                let number = state.nextWatcher
                state.nextWatcher += 1
                state.watchers[number] = continuation
                continuation.onTermination = { [weak self] _ in
                    self?.state.withLock { _ = $0.watchers.removeValue(forKey: number) }
                }
            }
        }
    }

    /// Waits for its end.
    func ended() async {
        for await event in events() {
            if case .ended = event { return }
        }
    }

    var json: JSONValue {
        let state = state.withLock { $0 }
        let end = state.ended ?? .now
        return [
            "id": .string(id), "object": "job", "kind": .string(kind.rawValue),
            "status": .string(state.status.rawValue), "ahead": .integer(state.status == .queued ? state.ahead : 0),
            "progress": state.progress?.json ?? .null,
            "seconds": JSONValue(state.started.map { $0.duration(to: end).seconds }),
            "error": state.error?.json["error"] ?? .null, "result": result(of: state),
        ]
    }

    private func result(of state: State) -> JSONValue {
        switch state.outcome {
        case .speech(let result):
            let report = try? JSONValue(parsing: Array(result.report.utf8), at: "report")
            return [
                "versions": .array(
                    zip(result.versions, result.scores).map { samples, score in
                        [
                            "seconds": .number(Double(samples.count) / Double(SpokenUtterance.sampleRate)),
                            "score": JSONValue(score.map { Double($0) }),
                        ]
                    }),
                "report": report ?? .null,
            ]
        case .value(let value): return value
        case nil: return .null
        }
    }
}

extension Job.Progress {
    var json: JSONValue {
        [
            "stage": .string(stage), "done": .integer(done), "total": .integer(total), "part": .integer(part),
            "parts": .integer(parts), "seconds_left": JSONValue(secondsLeft),
        ]
    }
}
