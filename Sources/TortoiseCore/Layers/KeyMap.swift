/// How the keys of a published file become the keys of a model: one table per model, one rule per line.
///
/// A pattern is a dotted key in which `*` stands for one component and a leading `**.` for any number of them.
public struct KeyMap: Sendable {
    public enum Rule: Sendable {
        /// Keys that a file may have and no model needs: mask buffers and the like.
        case drop(String)
        /// All keys that begin so: copies of the model that some exporters leave.
        case dropPrefix(String)
        /// Keys that are read; with one or more such rules all others are passed over.
        case keep(String)
        /// An end of file keys that model keys have otherwise.
        case suffix(from: String, to: String)
        /// A prefix of file keys that model keys do not have, or have otherwise.
        case prefix(from: String, to: String)
        /// Matrices that the file stores as [inputs, outputs]: GPT-2's Conv1D.
        case transpose(String)
        /// `X.weight` computed from the file's `X.weight_g` and `X.weight_v` (or PyTorch's newer
        /// `X.parametrizations.weight.original0` and `.original1`).
        case foldWeightNorm(axis: Int)
    }

    public let rules: [Rule]

    public init(_ rules: Rule...) { self.rules = rules }

    /// Whether files store the model's matrix of this name as [inputs, outputs].
    public func transposes(_ name: String) -> Bool {
        rules.contains { if case .transpose(let pattern) = $0 { Self.matches(pattern, name) } else { false } }
    }

    /// The values of a parameter as files store them: float32, and transposed where theirs are.
    public func fileValue(of parameter: Parameter) -> Tensor {
        let value = parameter.unpacked.detached
        return transposes(parameter.name) && value.rank == 2 ? value.transposed().contiguous : value
    }

    /// Whether a key of a file is none that the model reads.
    func drops(_ key: String) -> Bool {
        let kept = rules.compactMap { if case .keep(let pattern) = $0 { pattern } else { nil } }
        return rules.contains { $0.drops(key) } || !kept.isEmpty && !kept.contains { Self.matches($0, key) }
    }

    static func matches(_ pattern: String, _ key: String) -> Bool {
        var wanted = pattern.split(separator: ".", omittingEmptySubsequences: false)
        var found = key.split(separator: ".", omittingEmptySubsequences: false)
        if wanted.first == "**" {
            wanted.removeFirst()
            found = found.suffix(wanted.count)
        }
        return wanted.count == found.count && zip(wanted, found).allSatisfy { $0 == "*" || $0 == $1 }
    }
}

/// A source whose names and orientations are the model's.
public struct KeyMappedSource: ParameterSource {
    /// The two halves of a folded weight norm.
    private struct WeightNormKeys {
        let length, direction: String
        let axis: Int
    }

    private let base: any ParameterSource
    private let map: KeyMap
    /// The file's key for each of the model's.
    private let fileKey: [String: String]
    private let folded: [String: WeightNormKeys]
    public let names: [String]

    public init(_ base: any ParameterSource, _ map: KeyMap) {
        self.base = base
        self.map = map
        var fileKey: [String: String] = [:]
        var folded: [String: WeightNormKeys] = [:]
        var names: [String] = []
        let known = Set(base.names)
        let axis = map.rules.firstNonNil { if case .foldWeightNorm(let axis) = $0 { axis } else { nil } }
        for key in base.names where !map.drops(key) {
            let name = map.rules.reduce(key) { $1.renamed($0) }
            guard let axis, let stem = Self.weightNormStem(name) else {
                fileKey[name] = key
                names.append(name)
                continue
            }
            guard let length = stem.lengthKey(for: key), known.contains(length) else {
                // The length half of a pair, which its direction brings along; alone it is reported as unused.
                if let direction = stem.directionKey(for: key), known.contains(direction) { continue }
                fileKey[name] = key
                names.append(name)
                continue
            }
            folded[stem.weight] = WeightNormKeys(length: length, direction: key, axis: axis)
            names.append(stem.weight)
        }
        self.fileKey = fileKey
        self.folded = folded
        self.names = names
    }

    public var label: String { base.label }

    public func tensor(_ name: String) throws -> Tensor? {
        if let pair = folded[name] {
            guard let length = try base.tensor(pair.length), let direction = try base.tensor(pair.direction) else {
                return nil
            }
            let (g, v) = (length.converted(to: .float32), direction.converted(to: .float32))
            var expected = [Int](repeating: 1, count: v.rank)
            guard v.rank > pair.axis else { return v }
            expected[pair.axis] = v.shape[pair.axis]
            guard g.shape == expected else {
                throw InputError.model(
                    "weight norm of \(v.shape) needs lengths \(expected), found \(g.shape)", at: pair.length)
            }
            return weightNorm(direction: v, length: g, axis: pair.axis)
        }
        guard let key = fileKey[name], let tensor = try base.tensor(key) else { return nil }
        return map.transposes(name) && tensor.rank == 2 ? tensor.viewPermuted([1, 0]) : tensor
    }

    /// The names that belong to a weight-normed `X.weight`.
    private struct Stem {
        let weight: String
        let length, direction: String

        func lengthKey(for key: String) -> String? {
            key.hasSuffix(direction) ? String(key.dropLast(direction.count)) + length : nil
        }

        func directionKey(for key: String) -> String? {
            key.hasSuffix(length) ? String(key.dropLast(length.count)) + direction : nil
        }
    }

    private static func weightNormStem(_ name: String) -> Stem? {
        let spellings = [
            (".weight_g", ".weight_v"), (".parametrizations.weight.original0", ".parametrizations.weight.original1"),
        ]
        for (length, direction) in spellings {
            for suffix in [length, direction] where name.hasSuffix(suffix) {
                return Stem(weight: name.dropLast(suffix.count) + ".weight", length: length, direction: direction)
            }
        }
        return nil
    }
}

extension KeyMap.Rule {
    func drops(_ key: String) -> Bool {
        switch self {
        case .drop(let pattern): KeyMap.matches(pattern, key)
        case .dropPrefix(let prefix): key.hasPrefix(prefix)
        default: false
        }
    }

    func renamed(_ key: String) -> String {
        switch self {
        case .prefix(let from, let to) where key.hasPrefix(from): to + key.dropFirst(from.count)
        case .suffix(let from, let to) where key.hasSuffix(from): key.dropLast(from.count) + to
        default: key
        }
    }
}

extension Sequence {
    func firstNonNil<Result>(_ transform: (Element) -> Result?) -> Result? {
        for element in self { if let result = transform(element) { return result } }
        return nil
    }
}
