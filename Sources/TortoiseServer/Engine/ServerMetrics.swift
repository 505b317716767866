import Synchronization
import TortoiseCore

/// What the server counts, in the text format that Prometheus reads.
final class ServerMetrics: Sendable {
    enum Count: String, CaseIterable, Sendable {
        case turnedAway = "tortoise_queue_rejected_total"
        case cancelled = "tortoise_requests_cancelled_total"
        case uploads = "tortoise_uploads_total"

        var help: String {
            switch self {
            case .turnedAway: "Requests that found the queue full."
            case .cancelled: "Requests whose client went away."
            case .uploads: "Recordings that were sent."
            }
        }
    }

    private struct State {
        var requests: [String: Int] = [:]
        var counts: [Count: Int] = [:]
        var stages: [SpeechStage: Double] = [:]
        var speechSeconds = 0.0
        var workSeconds = 0.0
        var firstSound = 0.0
        var firstSounds = 0
    }

    private let state = Mutex(State())

    func count(_ what: Count) { state.withLock { $0.counts[what, default: 0] += 1 } }

    /// - Parameter route: The route's pattern, never the path: what clients make up must not become labels.
    func countRequest(_ method: String, _ route: String, status: Int) {
        let labels = "method=\"\(method)\",route=\"\(route)\",status=\"\(status)\""
        state.withLock { $0.requests[labels, default: 0] += 1 }
    }

    func add(_ result: SpeechResult) {
        state.withLock { state in
            state.stages.merge(result.seconds) { $0 + $1 }
            state.workSeconds += result.seconds.values.reduce(0, +)
            let samples = result.versions.reduce(0) { $0 + $1.count }
            state.speechSeconds += Double(samples) / Double(SpokenUtterance.sampleRate)
        }
    }

    func addFirstSound(_ seconds: Double) {
        state.withLock { state in
            state.firstSound += seconds
            state.firstSounds += 1
        }
    }

    /// - Parameter load: Jobs that wait, and whether one runs.
    func text(load: (waiting: Int, isRunning: Bool)) -> String {
        let state = state.withLock { $0 }
        var lines: [String] = []
        func metric(_ name: String, _ type: String, _ help: String, _ values: [(labels: String, value: Double)]) {
            lines.append("# HELP \(name) \(help)")
            lines.append("# TYPE \(name) \(type)")
            for (labels, value) in values { lines.append("\(name)\(labels.isEmpty ? "" : "{\(labels)}") \(value)") }
        }
        metric(
            "tortoise_requests_total", "counter", "Answers by route and status.",
            state.requests.sorted { $0.key < $1.key }.map { ($0.key, Double($0.value)) })
        for count in Count.allCases {
            metric(count.rawValue, "counter", count.help, [("", Double(state.counts[count] ?? 0))])
        }
        metric("tortoise_queue_length", "gauge", "Requests that wait for the engine.", [("", Double(load.waiting))])
        metric("tortoise_engine_busy", "gauge", "Whether speech is being made.", [("", load.isRunning ? 1 : 0)])
        metric(
            "tortoise_stage_seconds_total", "counter", "Time by stage of synthesis.",
            SpeechStage.allCases.map { ("stage=\"\($0.rawValue)\"", state.stages[$0] ?? 0) })
        metric("tortoise_speech_seconds_total", "counter", "Speech that was made.", [("", state.speechSeconds)])
        metric(
            "tortoise_real_time_factor", "gauge", "Work for a second of speech, over all requests.",
            [("", state.speechSeconds > 0 ? state.workSeconds / state.speechSeconds : 0)])
        metric(
            "tortoise_first_sound_seconds", "gauge", "From the request to the first streamed sound, in the mean.",
            [("", state.firstSounds > 0 ? state.firstSound / Double(state.firstSounds) : 0)])
        metric(
            "tortoise_memory_bytes", "gauge", "Memory of the process.", [("", Double(ProcessMemory.resident))])
        metric(
            "tortoise_memory_peak_bytes", "gauge", "The most memory that the process had.",
            [("", Double(ProcessMemory.peak))])
        return lines.joined(separator: "\n") + "\n"
    }
}
