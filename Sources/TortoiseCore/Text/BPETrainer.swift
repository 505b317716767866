/// Learns a byte-pair vocabulary from text, for languages that the published one does not cover.
///
/// The algorithm, its order and its ties are those of `BpeTrainer` in Hugging Face `tokenizers` with the pre-tokenizer
/// "Whitespace", with which the published vocabulary was made: the same text gives the same vocabulary and merges.
/// (Sennrich et al. 2016, "Neural Machine Translation of Rare Words with Subword Units".)
public struct BPETrainer: Sendable {
    /// How many tokens the vocabulary is to have, with the special ones.
    public let size: Int
    /// Put first, in this order; `[STOP]` must have the id 0 for the models here.
    public static let specialTokens = ["[STOP]", "[UNK]", BPETokenizer.space]

    private var wordCounts: [[UInt8]: Int] = [:]

    /// - Throws: `InputError` when there is no room for the special tokens and a character.
    public init(size: Int = 255) throws {
        guard size > Self.specialTokens.count, size <= 1 << 20 else {
            throw InputError.usage(
                "expected a vocabulary size from \(Self.specialTokens.count + 1) to \(1 << 20), found \(size)")
        }
        self.size = size
    }

    /// Counts the words of a line of cleaned text.
    public mutating func add(_ line: String) {
        let scalars = Array(line.unicodeScalars)
        PreTokenizer.forEachPiece(in: scalars, 0..<scalars.count) { piece in
            var word: [UInt8] = []
            word.reserveCapacity(piece.count + 8)
            for scalar in scalars[piece] { word.append(contentsOf: scalar.utf8) }
            wordCounts[word, default: 0] += 1
        }
    }

    /// The vocabulary for the text that was added: special tokens, characters by code point, then merges as they were
    /// found.
    ///
    /// - Throws: `InputError` when there was no text, or when its characters alone do not fit into `size`.
    public func train() throws -> BPEVocabulary {
        guard !wordCounts.isEmpty else {
            throw InputError.data("there is no text to learn a vocabulary from", try: "give a file with words in it")
        }
        var characters: Set<Unicode.Scalar> = []
        let words = wordCounts.map { word, count in
            (scalars: Array(String(decoding: word, as: UTF8.self).unicodeScalars), count: count)
        }
        for word in words { characters.formUnion(word.scalars) }
        let fixed = Self.specialTokens.count + characters.count
        guard fixed <= size else {
            throw InputError.data(
                "the text has \(characters.count) different characters, too many for a vocabulary of \(size)",
                try: "clean the text first, or ask for a size of at least \(fixed)")
        }
        let alphabet = characters.sorted()
        var ids: [Unicode.Scalar: Int32] = [:]
        for (offset, scalar) in alphabet.enumerated() { ids[scalar] = Int32(Self.specialTokens.count + offset) }
        var learner = MergeLearner(
            words: words.map { word in (word.scalars.compactMap { ids[$0] }, word.count) },
            tokens: Self.specialTokens.map { Array($0.utf8) } + alphabet.map { Array(String($0).utf8) })
        learner.learn(upTo: size)
        let tokens = learner.tokens.map { String(decoding: $0, as: UTF8.self) }
        return BPEVocabulary(
            tokens: tokens, specialTokens: Self.specialTokens,
            merges: learner.merges.map { (tokens[Int($0.left)], tokens[Int($0.right)]) })
    }
}

/// Finds the most frequent pair of neighbours again and again, and merges it everywhere.
private struct MergeLearner {
    /// A pair to merge; the queue gives the most frequent first, of equals the one with the smaller ids.
    struct Candidate: Comparable {
        let pair: UInt64
        var count: Int
        /// Indices of the words that held the pair when it was found.
        let words: [Int32]

        static func < (a: Candidate, b: Candidate) -> Bool {
            a.count == b.count ? a.pair < b.pair : a.count > b.count
        }

        static func == (a: Candidate, b: Candidate) -> Bool { a.count == b.count && a.pair == b.pair }
    }

    private(set) var tokens: [[UInt8]]
    private(set) var merges: [(left: Int32, right: Int32)] = []
    private var idsByToken: [[UInt8]: Int32] = [:]
    private var words: [[Int32]]
    private let counts: [Int]
    private var pairCounts: [UInt64: Int] = [:]

    init(words: [(symbols: [Int32], count: Int)], tokens: [[UInt8]]) {
        self.words = words.map(\.symbols)
        counts = words.map(\.count)
        self.tokens = tokens
        for (id, token) in tokens.enumerated() { idsByToken[token] = Int32(id) }
    }

    mutating func learn(upTo size: Int) {
        var queue = initialQueue()
        while tokens.count < size, var best = queue.popFirst() {
            let count = pairCounts[best.pair, default: 0]
            guard best.count == count else {
                // Other merges have used some of the pair up since it was queued.
                best.count = count
                queue.insert(best)
                continue
            }
            guard count > 0 else { return }
            for (pair, places) in merge(best) {
                let count = pairCounts[pair, default: 0]
                if count > 0 { queue.insert(Candidate(pair: pair, count: count, words: places)) }
            }
        }
    }

    private mutating func initialQueue() -> PriorityQueue<Candidate> {
        var places: [UInt64: [Int32]] = [:]
        for (index, word) in words.enumerated() {
            for (left, right) in zip(word, word.dropFirst()) {
                let pair = BPETokenizer.pairKey(left, right)
                pairCounts[pair, default: 0] += counts[index]
                Self.note(Int32(index), in: &places[pair, default: []])
            }
        }
        var queue = PriorityQueue<Candidate>()
        for (pair, places) in places {
            queue.insert(Candidate(pair: pair, count: pairCounts[pair, default: 0], words: places))
        }
        return queue
    }

    /// Merges one pair in the words that hold it; returns the pairs that this made, with their words.
    private mutating func merge(_ best: Candidate) -> [UInt64: [Int32]] {
        let left = Int32(truncatingIfNeeded: best.pair >> 32)
        let right = Int32(truncatingIfNeeded: best.pair)
        let text = tokens[Int(left)] + tokens[Int(right)]
        // Two merges can spell the same token; it keeps its first id.
        let merged = idsByToken[text] ?? Int32(tokens.count)
        if Int(merged) == tokens.count {
            idsByToken[text] = merged
            tokens.append(text)
        }
        merges.append((left, right))

        var made: [UInt64: [Int32]] = [:]
        for index in best.words {
            let count = counts[Int(index)]
            var word = words[Int(index)]
            words[Int(index)] = []
            var (read, write) = (0, 0)
            while read < word.count {
                guard read + 1 < word.count, word[read] == left, word[read + 1] == right else {
                    word[write] = word[read]
                    (read, write) = (read + 1, write + 1)
                    continue
                }
                if write > 0 {
                    pairCounts[BPETokenizer.pairKey(word[write - 1], left), default: 0] -= count
                    let pair = BPETokenizer.pairKey(word[write - 1], merged)
                    pairCounts[pair, default: 0] += count
                    Self.note(index, in: &made[pair, default: []])
                }
                if read + 2 < word.count {
                    pairCounts[BPETokenizer.pairKey(right, word[read + 2]), default: 0] -= count
                    let pair = BPETokenizer.pairKey(merged, word[read + 2])
                    pairCounts[pair, default: 0] += count
                    Self.note(index, in: &made[pair, default: []])
                }
                word[write] = merged
                (read, write) = (read + 2, write + 1)
            }
            word.removeLast(word.count - write)
            words[Int(index)] = word
        }
        return made
    }

    /// Words are visited in order, so a repeat can only be the last entry.
    private static func note(_ index: Int32, in places: inout [Int32]) {
        if places.last != index { places.append(index) }
    }
}
