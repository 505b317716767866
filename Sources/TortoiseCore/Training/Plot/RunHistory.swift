import Foundation

/// The curves of a run, read from its logs: what `tortoise-train plot` draws.
public struct RunHistory: Sendable {
    /// One quantity over steps.
    public struct Curve: Sendable {
        public let name: String
        public internal(set) var points: [(step: Double, value: Double)]
    }

    public let curves: [Curve]

    /// Reads all logs of a run's folder in order; where a run went back, what it did since counts.
    ///
    /// - Throws: `InputError.data` when there are none.
    public init(root: String) throws {
        var reader = MetricsReader()
        reader.update(root: root)
        curves = reader.curves.filter { Self.isCurve($0.name) }
        guard !curves.isEmpty else {
            throw InputError.data(
                "found no metrics", at: root + "/logs", try: "expected logs/<time>/metrics.jsonl of a run")
        }
    }

    static func isCurve(_ key: String) -> Bool {
        key.hasPrefix("loss") || key == "lr" || key.hasPrefix("grad_norm") || key.hasPrefix("val.")
            || key.hasPrefix("subtrain.")
    }

    /// The curves by panel: losses, evaluations, gradient norm, learning rate.
    public var panels: [(title: String, curves: [Curve])] {
        let groups: [(String, (String) -> Bool)] = [
            ("loss", { $0.hasPrefix("loss") && $0 != "loss.codes" }), ("codes in use", { $0 == "loss.codes" }),
            ("evaluation", { $0.hasPrefix("val.") || $0.hasPrefix("subtrain.") }),
            ("gradient norm", { $0.hasPrefix("grad_norm") }), ("learning rate", { $0 == "lr" }),
        ]
        return groups.compactMap { title, accepts in
            let members = curves.filter { accepts($0.name) }
            return members.isEmpty ? nil : (title, members)
        }
    }

    /// A curve smoothed exponentially over about as many points, with the start's bias taken out.
    static func smoothed(_ points: [(step: Double, value: Double)], over count: Double) -> [(
        step: Double, value: Double
    )] {
        let keep = count / (count + 1)
        var (sum, weight) = (0.0, 0.0)
        return points.filter(\.value.isFinite).map { point in
            sum = sum * keep + point.value
            weight = weight * keep + 1
            return (point.step, sum / weight)
        }
    }
}
