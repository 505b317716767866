/// Tokens and merges in order of their ids and ranks: what a `tokenizer.json` holds.
public struct BPEVocabulary: Sendable {
    /// Token text by id.
    public let tokens: [String]
    /// The first tokens, matched literally in raw text.
    public let specialTokens: [String]
    /// Pairs of neighbours, the earliest merge first.
    public let merges: [(left: String, right: String)]

    /// The file's text, in the layout of the published `tokenizer.json`, which Hugging Face `tokenizers` loads too.
    public var json: String {
        let added = specialTokens.enumerated().map { id, token in
            #"{"id":\#(id),"special":true,"content":\#(JSONValue.quoted(token)),"single_word":false,"lstrip":false,"#
                + #""rstrip":false,"normalized":false}"#
        }
        let vocabulary = tokens.enumerated().map { id, token in "\(JSONValue.quoted(token)):\(id)" }
        let pairs = merges.map { JSONValue.quoted("\($0.left) \($0.right)") }
        return #"{"version":"1.0","truncation":null,"padding":null,"added_tokens":["# + added.joined(separator: ",")
            + #"],"normalizer":null,"pre_tokenizer":{"type":"Whitespace"},"post_processor":null,"decoder":null,"#
            + #""model":{"type":"BPE","dropout":null,"unk_token":"[UNK]","continuing_subword_prefix":null,"#
            + #""end_of_word_suffix":null,"fuse_unk":false,"vocab":{"# + vocabulary.joined(separator: ",")
            + #"},"merges":["# + pairs.joined(separator: ",") + "]}}"
    }

    /// The tokenizer for this vocabulary.
    ///
    /// - Throws: `InputError` when a merge makes a token that is not among the tokens.
    public func tokenizer() throws -> BPETokenizer {
        try BPETokenizer(json: Array(json.utf8), at: "the vocabulary")
    }

    /// Writes the file, complete or not at all.
    ///
    /// - Throws: `InputError` when the place cannot be written to.
    public func write(to path: String) throws {
        try AtomicFile.write(to: path) { try $0.write(Array(json.utf8)) }
    }
}
