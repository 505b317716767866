/// The known names that lie nearest to a mistyped one, best first, for "did you mean" messages.
///
/// - Parameters:
///   - name: What was found.
///   - known: What would have been right.
///   - limit: The most names to return.
/// - Returns: Names within a third of the longer name's length in edits; empty when nothing is near.
public func nearestNames(to name: String, among known: some Sequence<String>, limit: Int = 3) -> [String] {
    let wanted = Array(name.utf8)
    let scored = known.compactMap { candidate -> (name: String, edits: Int)? in
        let other = Array(candidate.utf8)
        let allowed = max(1, max(wanted.count, other.count) / 3)
        guard abs(wanted.count - other.count) <= allowed else { return nil }
        let edits = editDistance(wanted, other)
        return edits <= allowed ? (candidate, edits) : nil
    }
    return scored.sorted { ($0.edits, $0.name) < ($1.edits, $1.name) }.prefix(limit).map(\.name)
}

/// Levenshtein distance between two byte strings.
func editDistance(_ a: [UInt8], _ b: [UInt8]) -> Int {
    var row = Array(0...b.count)
    for (i, x) in a.enumerated() {
        var diagonal = row[0]
        row[0] = i + 1
        for (j, y) in b.enumerated() {
            let substitution = diagonal + (x == y ? 0 : 1)
            diagonal = row[j + 1]
            row[j + 1] = min(substitution, row[j] + 1, diagonal + 1)
        }
    }
    return row[b.count]
}
