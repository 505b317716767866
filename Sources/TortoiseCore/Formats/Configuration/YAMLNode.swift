import Foundation
import Yams

/// One place in a YAML file: its contents, and the file, line and key path that messages about it name.
struct YAMLNode {
    let node: Node
    /// The key path from the root, such as `trainer.deepspeed.amp` or `models[0].name`; empty at the root.
    let path: String
    /// The file's path, or what stands for it in messages.
    let file: String

    /// Where this is, for messages: file, line and key path.
    var place: String {
        var text = file
        if let line = node.mark?.line, line > 0 { text += ":\(line)" }
        return path.isEmpty ? text : "\(text): \(path)"
    }

    /// A scalar as it is spelled in the file; empty for lists and mappings.
    var spelling: String {
        if case .scalar(let scalar) = node { scalar.string } else { "" }
    }

    /// True for a key without a value.
    var isNull: Bool {
        get throws {
            guard case .scalar = node else { return false }
            return try value() == .null
        }
    }

    /// The entries of a mapping, `<<` merges resolved, in file order; nil when this is no mapping.
    func entries() throws -> [(key: String, value: YAMLNode)]? {
        guard case .mapping(let mapping) = node else { return nil }
        try requirePlainTag()
        var merged: [(key: String, value: YAMLNode)] = []
        var own: [(key: String, value: YAMLNode)] = []
        for (keyNode, valueNode) in mapping {
            guard case .scalar(let key) = keyNode else {
                throw InputError.usage("expected a name as key, found a list or section", at: place)
            }
            let child = YAMLNode(node: valueNode, path: path.isEmpty ? key.string : "\(path).\(key.string)", file: file)
            if key.string == "<<" {
                for source in child.mergeSources { merged += try source.entries() ?? [] }
            } else {
                own.append((key.string, child))
            }
        }
        let names = Set(own.map(\.key))
        return merged.filter { !names.contains($0.key) } + own
    }

    /// The mappings a `<<` key draws from, at the key path of the mapping that merges them.
    private var mergeSources: [YAMLNode] {
        let parent = String(path.dropLast(path.hasSuffix(".<<") ? 3 : 2))
        let nodes = if case .sequence(let list) = node { Array(list) } else { [node] }
        return nodes.map { YAMLNode(node: $0, path: parent, file: file) }
    }

    /// The elements of a list; nil when this is no list.
    func elements() throws -> [YAMLNode]? {
        guard case .sequence(let list) = node else { return nil }
        try requirePlainTag()
        return list.enumerated().map { YAMLNode(node: $1, path: "\(path)[\($0)]", file: file) }
    }

    /// The value at this place.
    ///
    /// - Throws: `InputError` for tags that ask for code or unknown types, and for keys that are no names.
    func value() throws -> YAMLValue {
        switch node {
        case .scalar(let scalar):
            try requirePlainTag()
            let isPlain = scalar.style == .plain || scalar.style == .any
            return isPlain && tagName != Self.stringTag ? YAMLValue(plainScalar: scalar.string) : .string(scalar.string)
        case .sequence:
            return .sequence(try (elements() ?? []).map { try $0.value() })
        case .mapping:
            return .mapping(try (entries() ?? []).map { YAMLValue.Entry($0.key, try $0.value.value()) })
        case .alias:
            throw InputError.usage("found an alias that points nowhere", at: place)
        }
    }

    private static let stringTag = "tag:yaml.org,2002:str"
    private static let plainTags = Set(
        ["", "!", stringTag] + ["int", "float", "bool", "null", "map", "seq"].map { "tag:yaml.org,2002:\($0)" })

    private var tagName: String {
        // The empty resolver calls an untagged plain scalar a string too; only an explicit tag is kept in the scalar itself.
        guard case .scalar(let scalar) = node, scalar.tag == .implicit else { return node.tag.description }
        return ""
    }

    private func requirePlainTag() throws {
        guard !Self.plainTags.contains(tagName) else { return }
        throw InputError.usage(
            "the tag '\(tagName.prefix(80))' asks for more than plain data", at: place,
            try: "nothing in a configuration is ever run; write the value itself")
    }
}

// MARK: - Parsing

extension YAMLNode {
    /// The longest configuration that is read, in bytes.
    static let maximumBytes = 4 << 20
    /// The most nodes that aliases may expand a file to.
    static let maximumExpansion = 1 << 20

    /// Parses one YAML document; an empty one gives an empty mapping.
    ///
    /// - Parameters:
    ///   - text: The document. JSON is YAML too.
    ///   - file: What messages call it.
    /// - Throws: `InputError` with line and column for syntax errors, repeated keys, nesting beyond 1,000 levels, several
    ///   documents, or aliases that could expand without bound.
    static func parse(_ text: String, file: String) throws -> YAMLNode {
        try checkSize(of: text, file: file)
        do {
            let root = try Parser(yaml: text, resolver: .basic).singleRoot()
            return YAMLNode(node: root ?? Node([(Node, Node)]()), path: "", file: file)
        } catch let error as YamlError {
            throw inputError(error, file: file)
        }
    }

    /// Parses a file.
    static func parse(contentsOf path: String) throws -> YAMLNode {
        let file = try MappedFile(path: path, kind: .usage)
        guard file.bytes.count <= maximumBytes else {
            throw InputError.usage(
                "expected at most \(maximumBytes >> 20) MiB of YAML, found \(file.bytes.count) bytes", at: path)
        }
        guard let text = String(validating: file.bytes, as: UTF8.self) else {
            throw InputError.usage("expected UTF-8 text", at: path, try: "is this really a YAML file?")
        }
        return try parse(text, file: path)
    }

    /// Refuses what could take long to parse.
    ///
    /// Aliases of aliases multiply: `k` of them expand a document at most `3^(k/3)` times (k references spread over levels,
    /// three a level being the worst). The parser compares expanded keys, so the limit must hold before it runs; whatever
    /// looks like an alias is counted, in comments too.
    private static func checkSize(of text: String, file: String) throws {
        let bytes = text.utf8.count
        guard bytes <= maximumBytes else {
            throw InputError.usage("expected at most \(maximumBytes >> 20) MiB of YAML, found \(bytes) bytes", at: file)
        }
        var aliases = 0
        var previous = UInt8(ascii: " ")
        var beforePrevious = previous
        for byte in text.utf8 {
            let nameFollows = byte > 0x20 && !",[]{}*".utf8.contains(byte)
            if previous == UInt8(ascii: "*"), nameFollows, !isWordByte(beforePrevious) { aliases += 1 }
            (beforePrevious, previous) = (previous, byte)
        }
        guard aliases > 0 else { return }
        let expansion = pow(3, Double(aliases) / 3) * Double(bytes)
        guard expansion <= Double(maximumExpansion) else {
            throw InputError.usage(
                "\(aliases) aliases ('*name') in \(bytes) bytes could expand without bound", at: file,
                try: "write the repeated values out")
        }
    }

    /// True for what may stand before a `*` inside a word or path, where it starts no alias.
    private static func isWordByte(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
            || "/_.".utf8.contains(byte)
    }

    private static func inputError(_ error: YamlError, file: String) -> InputError {
        func located(_ problem: String, _ mark: Mark) -> InputError {
            .usage("malformed YAML: \(problem)", at: "\(file):\(mark.line):\(mark.column)")
        }
        switch error {
        case .scanner(_, let problem, let mark, _): return located(problem, mark)
        case .parser(_, let problem, let mark, _): return located(problem, mark)
        case .composer(_, let problem, let mark, _): return located(problem, mark)
        case .duplicatedKeysInMapping(let names, let context):
            return located("the key '\(names.first?.prefix(80) ?? "")' stands twice", context.mark)
        case .reader(let problem, _, _, _): return .usage("malformed YAML: \(problem)", at: file)
        default: return .usage("malformed YAML: \(error)", at: file)
        }
    }
}
