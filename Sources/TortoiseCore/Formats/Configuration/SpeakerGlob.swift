import Foundation

/// Replaces the entries of a speaker list that hold `*`, `?` or `[` by the speakers they match.
///
/// As in the reference an entry is looked for among `metadata/<group>/<speaker>.json` first and `data/<group>/<speaker>` next;
/// speakers of an opened dataset count before both.
///
/// - Parameters:
///   - entries: `group/speaker` names and patterns.
///   - known: Speakers that an opened dataset holds.
///   - paths: The run's folders.
///   - allowEmpty: Whether a pattern may match nothing (`silent_errors`).
/// - Returns: Names without repeats: matches sorted, in the order of their entries.
/// - Throws: `InputError` naming the patterns that match nothing.
public func expandSpeakers(
    _ entries: [String], known: [String] = [], paths: RunPaths, allowEmpty: Bool = false
) throws -> [String] {
    var seen = Set<String>()
    var expanded: [String] = []
    var unmatched: [String] = []
    for entry in entries {
        let names = entry.contains { "*?[".contains($0) } ? matches(of: entry, known: known, paths: paths) : [entry]
        if names.isEmpty { unmatched.append(entry) }
        expanded += names.filter { seen.insert($0).inserted }
    }
    guard unmatched.isEmpty || allowEmpty else {
        throw InputError.usage(
            "no speaker matches \(unmatched.prefix(20).map { "'\($0)'" }.joined(separator: ", "))",
            at: "dataset",
            try: "looked in \(paths.metadata) and \(paths.data); silent_errors: True goes on without them")
    }
    return expanded
}

private func matches(of pattern: String, known: [String], paths: RunPaths) -> [String] {
    func filter(_ names: [String]) -> [String] {
        names.filter { fnmatch(pattern, $0, FNM_PATHNAME | FNM_PERIOD) == 0 }.sorted()
    }
    let inDataset = filter(known)
    if !inDataset.isEmpty { return inDataset }
    let described = filter(
        twoLevels(paths.metadata).compactMap { $0.hasSuffix(".json") ? String($0.dropLast(5)) : nil })
    return described.isEmpty ? filter(twoLevels(paths.data)) : described
}

/// The entries of a folder's folders as `folder/entry`.
private func twoLevels(_ root: String) -> [String] {
    let manager = FileManager.default
    let groups = (try? manager.contentsOfDirectory(atPath: root)) ?? []
    return groups.flatMap { group in
        ((try? manager.contentsOfDirectory(atPath: "\(root)/\(group)")) ?? []).map { "\(group)/\($0)" }
    }
}
