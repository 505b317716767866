import Foundation

/// The numbers in the logs of a run, read as they grow: a second look reads only what is new.
struct MetricsReader: Sendable {
    /// Every number that was logged, in the order of its first appearance.
    private(set) var curves: [RunHistory.Curve] = []
    private var places: [String: Int] = [:]
    /// Bytes of each log that were read.
    private var offsets: [String: Int] = [:]

    /// Reads what was added since the last time.
    mutating func update(root: String) {
        let folder = root + "/logs"
        let runs = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted {
            (Int($0) ?? 0) < (Int($1) ?? 0)
        }
        for run in runs { read("\(folder)/\(run)/metrics.jsonl") }
    }

    private mutating func read(_ path: String) {
        guard let file = FileHandle(forReadingAtPath: path) else { return }
        defer { try? file.close() }
        let offset = offsets[path] ?? 0
        guard (try? file.seek(toOffset: UInt64(offset))) != nil, let data = try? file.readToEnd(),
            // A line that is being written, or that a kill left unfinished, has no end.
            let end = data.lastIndex(of: UInt8(ascii: "\n"))
        else { return }
        offsets[path] = offset + (end - data.startIndex) + 1
        for line in data[...end].split(separator: UInt8(ascii: "\n")) {
            guard case .object(let members)? = try? JSONValue(parsing: line, at: path),
                let step = members.first(where: { $0.key == "it" })?.value.doubleValue
            else { continue }
            for member in members where member.key != "it" {
                if let value = member.value.doubleValue { add(value, at: step, to: member.key) }
            }
        }
    }

    /// Where a run went back, what came after that place counts no more.
    private mutating func add(_ value: Double, at step: Double, to name: String) {
        let place = places[name] ?? curves.count
        if place == curves.count {
            curves.append(RunHistory.Curve(name: name, points: []))
            places[name] = place
        }
        while let last = curves[place].points.last, last.step >= step { curves[place].points.removeLast() }
        curves[place].points.append((step, value))
    }
}
