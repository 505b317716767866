import Foundation

extension BPETokenizer {
    /// The largest id a file may name: far above any text vocabulary, and small enough to index an array with.
    private static let largestID = 1 << 20

    /// Loads a `tokenizer.json`.
    ///
    /// - Throws: `InputError` when the file is missing, no JSON, no BPE vocabulary, inconsistent, or uses a feature
    ///   that would change the result and is not implemented (normalizer, other pre-tokenizers, drop-out, prefixes …).
    public init(path: String) throws {
        let file = try MappedFile(path: path, kind: .model)
        try self.init(json: file.bytes, at: path)
    }

    /// Reads the text of a `tokenizer.json`; `place` names it in messages.
    public init(json: some Collection<UInt8>, at place: String) throws {
        let document = try JSONValue(parsing: json, at: place, kind: .model)
        guard let model = document["model"] else {
            throw InputError.model(
                "expected a tokenizer.json with a \"model\"", at: place,
                try: "give the file that `tokenizers` or `tortoise-train tokenizer` wrote")
        }
        try Self.refuseUnsupported(document, model, at: place)

        var ids = try Self.readVocabulary(model, at: place)
        specialTokens = try Self.readSpecialTokens(document, &ids, at: place)
        merges = try Self.readMerges(model, ids, at: place)

        var tokens = [String?](repeating: nil, count: (ids.values.max().map { Int($0) + 1 }) ?? 0)
        var characters: [Unicode.Scalar: Int32] = [:]
        for (bytes, id) in ids {
            let text = String(decoding: bytes, as: UTF8.self)
            tokens[Int(id)] = text
            if let scalar = text.unicodeScalars.first, text.unicodeScalars.count == 1 { characters[scalar] = id }
        }
        self.tokens = tokens
        characterIDs = characters
        fusesUnknown = model["fuse_unk"]?.boolValue ?? false
        unknownID = try model["unk_token"].flatMap { $0.isNull ? nil : $0 }.map { value in
            guard let text = value.stringValue, let id = ids[Array(text.utf8)] else {
                throw InputError.model("the unknown token (\"unk_token\") is not in the vocabulary", at: place)
            }
            return id
        }
        specialsByFirstScalar = Dictionary(grouping: specialTokens) { $0.content.unicodeScalars.first ?? " " }
            .mapValues { group in
                group.map { (Array($0.content.unicodeScalars), $0.id) }.sorted { $0.0.count > $1.0.count }
            }
    }

    /// Anything that `tokenizers` would do and this type would not is a fault, never silently different ids.
    private static func refuseUnsupported(_ document: JSONValue, _ model: JSONValue, at place: String) throws {
        func refuse(_ what: String, _ found: String) -> InputError {
            .model(
                "expected \(what), found \(found)", at: place, try: "train a vocabulary with `tortoise-train tokenizer`"
            )
        }
        if let type = model["type"], type.stringValue != "BPE" {
            throw refuse("a model of type \"BPE\"", type.stringValue.map { "\"\($0)\"" } ?? "no text")
        }
        for key in ["normalizer", "post_processor", "decoder", "truncation", "padding"] {
            if let value = document[key], !value.isNull { throw refuse("no \(key)", "one") }
        }
        let preTokenizer = document["pre_tokenizer"]?["type"]?.stringValue
        guard preTokenizer == "Whitespace" else {
            throw refuse("the pre-tokenizer \"Whitespace\"", preTokenizer.map { "\"\($0)\"" } ?? "none")
        }
        for key in ["continuing_subword_prefix", "end_of_word_suffix"] {
            if let value = model[key], !value.isNull, value.stringValue != "" { throw refuse("no \(key)", "one") }
        }
        for key in ["byte_fallback", "ignore_merges"] where model[key]?.boolValue == true {
            throw refuse("\(key) false", "true")
        }
        if let dropout = model["dropout"], !dropout.isNull {
            var isZero = dropout.integerValue == 0
            if case .number(let value) = dropout { isZero = value == 0 }
            guard isZero else { throw refuse("no dropout", "one") }
        }
    }

    /// Tokens as bytes, because Swift's `String` equality would merge canonically equivalent tokens.
    private static func readVocabulary(_ model: JSONValue, at place: String) throws -> [[UInt8]: Int32] {
        guard case .object(let members)? = model["vocab"] else {
            throw InputError.model("expected \"model.vocab\" to map tokens to ids", at: place)
        }
        var ids: [[UInt8]: Int32] = [:]
        var used: [Int32: String] = [:]
        for member in members {
            guard let id = member.value.integerValue, (0...largestID).contains(id) else {
                throw InputError.model(
                    "expected an id from 0 to \(largestID) for the token \(JSONValue.quoted(member.key))", at: place)
            }
            guard ids.updateValue(Int32(id), forKey: Array(member.key.utf8)) == nil else {
                throw InputError.model("the token \(JSONValue.quoted(member.key)) is listed twice", at: place)
            }
            if let other = used.updateValue(member.key, forKey: Int32(id)) {
                throw InputError.model(
                    "the tokens \(JSONValue.quoted(other)) and \(JSONValue.quoted(member.key)) share the id \(id)",
                    at: place)
            }
        }
        return ids
    }

    private static func readSpecialTokens(
        _ document: JSONValue, _ ids: inout [[UInt8]: Int32], at place: String
    ) throws -> [SpecialToken] {
        guard let list = document["added_tokens"], !list.isNull else { return [] }
        guard case .array(let entries) = list else {
            throw InputError.model("expected \"added_tokens\" to be a list", at: place)
        }
        var specials: [SpecialToken] = []
        var used = Set(ids.values)
        for entry in entries {
            guard let content = entry["content"]?.stringValue, !content.isEmpty,
                let number = entry["id"]?.integerValue, (0...largestID).contains(number)
            else {
                throw InputError.model("expected an added token with \"content\" and \"id\"", at: place)
            }
            for flag in ["single_word", "lstrip", "rstrip"] where entry[flag]?.boolValue == true {
                throw InputError.model("the added token \(JSONValue.quoted(content)) uses \(flag)", at: place)
            }
            let id = Int32(number)
            if let known = ids[Array(content.utf8)] {
                guard known == id else {
                    throw InputError.model(
                        "the added token \(JSONValue.quoted(content)) has the id \(id) and \(known)", at: place)
                }
            } else {
                guard used.insert(id).inserted else {
                    throw InputError.model(
                        "the added token \(JSONValue.quoted(content)) takes the id \(id) of another token", at: place)
                }
                ids[Array(content.utf8)] = id
            }
            specials.append(SpecialToken(content: content, id: id))
        }
        return specials.sorted { $0.id < $1.id }
    }

    private static func readMerges(
        _ model: JSONValue, _ ids: [[UInt8]: Int32], at place: String
    ) throws -> [UInt64: Merge] {
        guard case .array(let entries)? = model["merges"] else {
            throw InputError.model("expected \"model.merges\" to be a list", at: place)
        }
        var merges: [UInt64: Merge] = [:]
        for (rank, entry) in entries.enumerated() {
            guard let (left, right) = mergePair(entry) else {
                throw InputError.model("merge \(rank) is not a pair of tokens", at: place)
            }
            guard let leftID = ids[left], let rightID = ids[right], let id = ids[left + right], rank < Int32.max else {
                throw InputError.model(
                    "merge \(rank) (\(String(decoding: left, as: UTF8.self)) \(String(decoding: right, as: UTF8.self)))"
                        + " uses or makes a token that is not in the vocabulary", at: place)
            }
            // As in `tokenizers`, a pair that is listed twice counts with its last rank.
            merges[pairKey(leftID, rightID)] = Merge(rank: Int32(rank), id: id)
        }
        return merges
    }

    /// Older files hold `"a b"`, newer ones `["a", "b"]`.
    private static func mergePair(_ entry: JSONValue) -> (left: [UInt8], right: [UInt8])? {
        switch entry {
        case .string(let text):
            let parts = Array(text.utf8).split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
            guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else { return nil }
            return (Array(parts[0]), Array(parts[1]))
        case .array(let parts):
            guard parts.count == 2, let left = parts[0].stringValue, let right = parts[1].stringValue,
                !left.isEmpty, !right.isEmpty
            else { return nil }
            return (Array(left.utf8), Array(right.utf8))
        default:
            return nil
        }
    }
}
