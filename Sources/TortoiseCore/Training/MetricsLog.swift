import Foundation

/// The machine's copy of a run: one JSON object a line, in `logs/TIME/metrics.jsonl`.
///
/// `it`, `epoch`, `lr`, `grad_norm`, `elapsed_time`, `samples_processed`, `tokens_processed` and `loss.*` are the reference's
/// names. Every line is written at once and whole, so that a kill leaves at most the last one unfinished.
public final class MetricsLog {
    public let path: String
    private let descriptor: Int32

    /// - Throws: `InputError.usage` when the file cannot be written.
    public init(folder: String) throws {
        path = folder + "/metrics.jsonl"
        descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else {
            throw InputError.usage("cannot be written: \(String(cString: strerror(errno)))", at: path)
        }
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    func write(_ report: StepReport) {
        var fields: [(String, Double)] = [
            ("it", Double(report.step)), ("epoch", report.epoch), ("lr", report.learningRate),
            ("elapsed_time", report.seconds),
            ("samples_processed", Double(report.totalSamples)), ("tokens_processed", Double(report.totalTokens)),
            ("waiting", report.waitingShare), ("memory_bytes", Double(report.memoryBytes)),
        ]
        fields += report.losses.map { ("loss." + $0.name, $0.value) }
        fields += report.gradientNorms.map { ($0.name.isEmpty ? "grad_norm" : "grad_norm." + $0.name, $0.value) }
        append(event: nil, fields)
    }

    func write(_ report: EvaluationReport) {
        append(
            event: "eval",
            [("it", Double(report.step)), ("elapsed_time", report.seconds)] + report.metrics.map { ($0.name, $0.value) }
        )
    }

    func write(event: String, step: Int, _ text: String) {
        append(event: event, [("it", Double(step))], text: text)
    }

    private func append(event: String?, _ fields: [(String, Double)], text: String? = nil) {
        var parts = event.map { ["\"event\":\(JSONValue.quoted($0))"] } ?? []
        parts += fields.map { "\(JSONValue.quoted($0.0)):\(Self.number($0.1))" }
        if let text { parts.append("\"text\":\(JSONValue.quoted(text))") }
        parts.append("\"time\":\(Self.number(Date().timeIntervalSince1970))")
        let line = Array("{\(parts.joined(separator: ","))}\n".utf8)
        // A full disk must not stop the training; the next line starts anew.
        _ = Foundation.write(descriptor, line, line.count)
    }

    /// Whole numbers without a fraction; what JSON cannot say becomes null.
    private static func number(_ value: Double) -> String {
        guard value.isFinite else { return "null" }
        return Int(exactly: value).map(String.init) ?? "\(value)"
    }
}
