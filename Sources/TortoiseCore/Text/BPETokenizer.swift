/// A byte-pair encoding over characters, as Hugging Face `tokenizers` writes it to `tokenizer.json`.
///
/// `encode` and `decode` give what the original's `VoiceBpeTokenizer` gives after cleaning
/// (tortoise/utils/tokenizer.py). A value is immutable and safe to share between threads.
public struct BPETokenizer: Sendable {
    /// A token that is matched literally in the raw text before anything else, such as `[SPACE]`.
    public struct SpecialToken: Sendable, Equatable {
        public let content: String
        public let id: Int32
    }

    /// What merging one pair of neighbours gives, and how early it is done (0 first).
    struct Merge {
        let rank: Int32
        let id: Int32
    }

    /// The literal that stands for a blank in the text that is encoded.
    static let space = "[SPACE]"

    /// Token text by id; nil where the file left an id out.
    let tokens: [String?]
    /// The ids of the tokens that are one scalar long.
    let characterIDs: [Unicode.Scalar: Int32]
    /// Keyed by `pairKey(left, right)`.
    let merges: [UInt64: Merge]
    /// The id for a character outside the alphabet; without one such characters vanish.
    let unknownID: Int32?
    /// Whether a run of unknown characters is one token.
    let fusesUnknown: Bool
    /// The special tokens in order of id.
    public let specialTokens: [SpecialToken]
    /// `specialTokens` by first scalar, the longest first.
    let specialsByFirstScalar: [Unicode.Scalar: [(content: [Unicode.Scalar], id: Int32)]]

    /// One more than the largest id: 255 for the published vocabulary. The start-of-text id is this number.
    public var vocabularySize: Int { tokens.count }

    /// The scalars that have a token of their own.
    public var alphabet: Set<Unicode.Scalar> { Set(characterIDs.keys) }

    /// The text of a token; nil for an id outside the vocabulary.
    public func token(_ id: Int32) -> String? {
        tokens.indices.contains(Int(id)) ? tokens[Int(id)] : nil
    }

    static func pairKey(_ left: Int32, _ right: Int32) -> UInt64 {
        UInt64(UInt32(bitPattern: left)) << 32 | UInt64(UInt32(bitPattern: right))
    }

    /// Text for ids: the tokens joined, `[SPACE]` as a blank, `[STOP]`, `[UNK]` and ids outside the vocabulary left
    /// out.
    public func decode(_ ids: some Sequence<Int32>) -> String {
        var joined: [Unicode.Scalar] = []
        for id in ids {
            guard let token = token(id) else { continue }
            joined.append(contentsOf: token.unicodeScalars.lazy.filter { $0 != " " })
        }
        // The literals are looked for in the joined text, one after the other, because the original does so.
        joined = joined.replacing(Array("[SPACE]".unicodeScalars), with: [" "])
        joined = joined.replacing(Array("[STOP]".unicodeScalars), with: [])
        joined = joined.replacing(Array("[UNK]".unicodeScalars), with: [])
        var text = String.UnicodeScalarView()
        text.append(contentsOf: joined)
        return String(text)
    }
}
