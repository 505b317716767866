/// What became of every recording.
public struct PreparationReport: Sendable {
    public internal(set) var kept = 0
    /// Were in the dataset from an earlier run.
    public internal(set) var present = 0
    public internal(set) var seconds = 0.0
    public internal(set) var dropped: [(name: String, reason: DropReason, detail: String)] = []
    /// Characters that the vocabulary lacks, with how often they were met.
    public internal(set) var unknownCharacters: [Character: Int] = [:]

    init(dropped: [(name: String, reason: DropReason, detail: String)]) { self.dropped = dropped }

    /// For people: counts, then up to `limit` names per reason.
    public func lines(limit: Int = 20) -> [String] {
        var lines = [
            "kept \((kept + present).counted("utterance"))\(present > 0 ? " (\(present) from before)" : ""), \(seconds.asTime) new; dropped \(dropped.count)"
        ]
        for reason in DropReason.allCases {
            let names = dropped.filter { $0.reason == reason }
            guard !names.isEmpty else { continue }
            lines.append("  \(reason.rawValue): \(names.count)")
            for item in names.prefix(limit) {
                lines.append("    \(item.name)" + (item.detail.isEmpty ? "" : " (\(item.detail))"))
            }
            if names.count > limit { lines.append("    and \(names.count - limit) more") }
        }
        if !unknownCharacters.isEmpty {
            let list = unknownCharacters.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(20).map {
                "\($0.key) ×\($0.value)"
            }
            lines.append("  characters that the vocabulary lacks: " + list.joined(separator: ", "))
        }
        return lines
    }
}
