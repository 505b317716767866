extension BPETokenizer {
    /// The ids of cleaned text: every blank becomes `[SPACE]`, and characters outside the alphabet `[UNK]`.
    public func encode(_ text: String) -> [Int32] {
        encodeReportingUnknown(text).ids
    }

    /// The ids of cleaned text, and the characters that became `[UNK]`, in order of appearance.
    public func encodeReportingUnknown(_ text: String) -> (ids: [Int32], unknown: [Unicode.Scalar]) {
        var scalars: [Unicode.Scalar] = []
        scalars.reserveCapacity(text.utf8.count * 2)
        for scalar in text.unicodeScalars {
            if scalar == " " {
                scalars.append(contentsOf: Self.space.unicodeScalars)
            } else {
                scalars.append(scalar)
            }
        }
        return encodeLiteral(scalars)
    }

    /// The ids of text as it stands: special tokens are cut out where they match literally, the rest is split into
    /// words.
    func encodeLiteral(_ scalars: [Unicode.Scalar]) -> (ids: [Int32], unknown: [Unicode.Scalar]) {
        var encoder = PieceEncoder(tokenizer: self)
        var start = 0
        var position = 0
        while position < scalars.count {
            guard let special = specialToken(in: scalars, at: position) else {
                position += 1
                continue
            }
            PreTokenizer.forEachPiece(in: scalars, start..<position) { encoder.append(scalars[$0]) }
            encoder.ids.append(special.id)
            position += special.length
            start = position
        }
        PreTokenizer.forEachPiece(in: scalars, start..<position) { encoder.append(scalars[$0]) }
        return (encoder.ids, encoder.unknown)
    }

    private func specialToken(in scalars: [Unicode.Scalar], at position: Int) -> (id: Int32, length: Int)? {
        guard let candidates = specialsByFirstScalar[scalars[position]] else { return nil }
        for candidate in candidates where scalars[position...].starts(with: candidate.content) {
            return (candidate.id, candidate.content.count)
        }
        return nil
    }
}

/// Merges the characters of one piece after the other, and gathers the ids.
private struct PieceEncoder {
    /// Up to this many characters a scan over all neighbours beats a heap.
    static let scanLimit = 64

    let tokenizer: BPETokenizer
    var ids: [Int32] = []
    var unknown: [Unicode.Scalar] = []
    private var symbols: [Int32] = []
    private var candidates: [BPETokenizer.Merge?] = []

    init(tokenizer: BPETokenizer) {
        self.tokenizer = tokenizer
    }

    mutating func append(_ piece: ArraySlice<Unicode.Scalar>) {
        symbols.removeAll(keepingCapacity: true)
        var previousWasUnknown = false
        for scalar in piece {
            if let id = tokenizer.characterIDs[scalar] {
                symbols.append(id)
                previousWasUnknown = false
                continue
            }
            unknown.append(scalar)
            guard let id = tokenizer.unknownID else { continue }
            if !(previousWasUnknown && tokenizer.fusesUnknown) { symbols.append(id) }
            previousWasUnknown = true
        }
        if symbols.count <= Self.scanLimit {
            mergeByScanning()
            ids.append(contentsOf: symbols)
        } else {
            ids.append(contentsOf: mergedWithQueue(symbols))
        }
    }

    private func merge(_ left: Int32, _ right: Int32) -> BPETokenizer.Merge? {
        tokenizer.merges[BPETokenizer.pairKey(left, right)]
    }

    /// Merges the lowest-ranked pair, the leftmost of equals, until none is left. Quadratic, so for short pieces only.
    private mutating func mergeByScanning() {
        guard symbols.count > 1 else { return }
        candidates.removeAll(keepingCapacity: true)
        for i in 0..<symbols.count - 1 { candidates.append(merge(symbols[i], symbols[i + 1])) }
        while true {
            var best: (index: Int, merge: BPETokenizer.Merge)?
            for (i, candidate) in candidates.enumerated() {
                if let candidate, best.map({ candidate.rank < $0.merge.rank }) ?? true { best = (i, candidate) }
            }
            guard let best else { return }
            symbols[best.index] = best.merge.id
            symbols.remove(at: best.index + 1)
            candidates.remove(at: best.index)
            if best.index > 0 { candidates[best.index - 1] = merge(symbols[best.index - 1], best.merge.id) }
            if best.index < candidates.count { candidates[best.index] = merge(best.merge.id, symbols[best.index + 1]) }
        }
    }

    /// The same merges in O(n log n): a linked list of symbols, and a queue of pairs that may have gone stale.
    private func mergedWithQueue(_ input: [Int32]) -> [Int32] {
        struct Candidate: Comparable {
            let rank: Int32
            let position: Int
            let merged: Int32
            let left: Int32
            let right: Int32

            static func < (a: Candidate, b: Candidate) -> Bool { (a.rank, a.position) < (b.rank, b.position) }
        }
        let end = input.count
        var symbols = input
        var previous = Array(-1..<end - 1)
        var next = Array(1...end)
        var isLive = [Bool](repeating: true, count: end)
        var queue = PriorityQueue<Candidate>()

        func enqueue(_ position: Int) {
            guard position >= 0, next[position] < end else { return }
            let (left, right) = (symbols[position], symbols[next[position]])
            guard let merge = merge(left, right) else { return }
            queue.insert(
                Candidate(rank: merge.rank, position: position, merged: merge.id, left: left, right: right))
        }

        for position in 0..<end - 1 { enqueue(position) }
        while let best = queue.popFirst() {
            let position = best.position
            let following = next[position]
            guard isLive[position], following < end, symbols[position] == best.left, symbols[following] == best.right
            else { continue }
            symbols[position] = best.merged
            isLive[following] = false
            next[position] = next[following]
            if next[position] < end { previous[next[position]] = position }
            enqueue(previous[position])
            enqueue(position)
        }
        return symbols.indices.lazy.filter { isLive[$0] }.map { symbols[$0] }
    }
}
