import Foundation

/// The curves of a run, read from its logs: what `tortoise-train plot` draws.
public struct RunHistory: Sendable {
    /// One quantity over steps.
    public struct Curve: Sendable {
        public let name: String
        public let points: [(step: Double, value: Double)]
    }

    public let curves: [Curve]

    /// Reads all logs of a run's folder in order; where a run went back, the newer values count.
    ///
    /// - Throws: `InputError.data` when there are none.
    public init(root: String) throws {
        let folder = root + "/logs"
        let runs = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted {
            (Int($0) ?? 0) < (Int($1) ?? 0)
        }
        var values: [String: [Double: Double]] = [:]
        var order: [String] = []
        for run in runs {
            guard let data = FileManager.default.contents(atPath: "\(folder)/\(run)/metrics.jsonl") else { continue }
            for line in data.split(separator: UInt8(ascii: "\n")) {
                // A kill may have left the last line unfinished.
                guard case .object(let members)? = try? JSONValue(parsing: line, at: run),
                    let step = members.first(where: { $0.key == "it" })?.value.doubleValue
                else { continue }
                for member in members {
                    guard let value = member.value.doubleValue, Self.isCurve(member.key) else { continue }
                    if values[member.key] == nil { order.append(member.key) }
                    values[member.key, default: [:]][step] = value
                }
            }
        }
        curves = order.map { name in
            Curve(name: name, points: (values[name] ?? [:]).sorted { $0.key < $1.key }.map { ($0.key, $0.value) })
        }
        guard !curves.isEmpty else {
            throw InputError.data("found no metrics", at: folder, try: "expected logs/<time>/metrics.jsonl of a run")
        }
    }

    private static func isCurve(_ key: String) -> Bool {
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
