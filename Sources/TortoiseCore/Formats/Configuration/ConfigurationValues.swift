import Foundation

// How plain Swift types stand in a configuration.

private func mismatch(_ expected: String, _ node: YAMLNode) throws -> InputError {
    .usage("expected \(expected), found \(try node.value().spoken)", at: node.place)
}

extension Bool: ConfigurationValue {
    static func read(_ node: YAMLNode, _ report: inout ConfigurationReport) throws -> Bool {
        guard case .bool(let value) = try node.value() else { throw try mismatch("true or false", node) }
        return value
    }

    var yaml: YAMLValue? { .bool(self) }
}

extension Int: ConfigurationValue {
    static func read(_ node: YAMLNode, _ report: inout ConfigurationReport) throws -> Int {
        switch try node.value() {
        case .int(let value): return value
        case .double(let value):
            // `1e6` is a whole number to everybody but YAML.
            guard let whole = Int(exactly: value) else { throw try mismatch("a whole number below 2^63", node) }
            return whole
        default: throw try mismatch("a whole number", node)
        }
    }

    var yaml: YAMLValue? { .int(self) }
}

extension Double: ConfigurationValue {
    static func read(_ node: YAMLNode, _ report: inout ConfigurationReport) throws -> Double {
        switch try node.value() {
        case .int(let value): return Double(value)
        case .double(let value) where value.isFinite: return value
        default: throw try mismatch("a finite number", node)
        }
    }

    var yaml: YAMLValue? { .double(self) }
}

extension String: ConfigurationValue {
    static func read(_ node: YAMLNode, _ report: inout ConfigurationReport) throws -> String {
        switch try node.value() {
        case .string(let value): return value
        // A name such as 2024 or 1.0 needs no quotes; its spelling is kept.
        case .int, .double: return node.spelling
        default: throw try mismatch("text", node)
        }
    }

    var yaml: YAMLValue? { .string(self) }
}

extension Optional: ConfigurationValue where Wrapped: ConfigurationValue {
    static func read(_ node: YAMLNode, _ report: inout ConfigurationReport) throws -> Wrapped? {
        if try node.isNull { return nil }
        return try Wrapped.read(node, &report)
    }

    var yaml: YAMLValue? { map { $0.yaml ?? .null } ?? .null }
}

extension Array: ConfigurationValue where Element: ConfigurationValue {
    static func read(_ node: YAMLNode, _ report: inout ConfigurationReport) throws -> [Element] {
        guard let elements = try node.elements() else {
            if try node.isNull { return [] }
            throw try mismatch("a list", node)
        }
        var values: [Element] = []
        for element in elements {
            do {
                values.append(try Element.read(element, &report))
            } catch let error as InputError {
                report.errors.append(error)
            }
        }
        return values
    }

    var yaml: YAMLValue? { .sequence(compactMap(\.yaml)) }
}

extension YAMLValue: ConfigurationValue {
    static func read(_ node: YAMLNode, _ report: inout ConfigurationReport) throws -> YAMLValue { try node.value() }

    var yaml: YAMLValue? { self }
}

/// Free-form settings that are passed on by name, such as `optimizer_params`: a mapping, empty by default.
public struct ConfigurationParameters: Equatable, Sendable {
    public var entries: [YAMLValue.Entry]

    public init(_ entries: [YAMLValue.Entry] = []) {
        self.entries = entries
    }

    /// The value of a key.
    public subscript(key: String) -> YAMLValue? { entries.last { $0.key == key }?.value }

    /// These parameters with others in the places of those of the same names.
    func overridden(by others: ConfigurationParameters?) -> ConfigurationParameters {
        guard let others else { return self }
        return ConfigurationParameters(entries.filter { others[$0.key] == nil } + others.entries)
    }
}

extension ConfigurationParameters: ConfigurationValue {
    static func read(_ node: YAMLNode, _ report: inout ConfigurationReport) throws -> ConfigurationParameters {
        switch try node.value() {
        case .mapping(let entries): return ConfigurationParameters(entries)
        case .null: return ConfigurationParameters()
        default: throw try mismatch("a section (key: value)", node)
        }
    }

    var yaml: YAMLValue? { .mapping(entries) }

    /// These settings as a typed section, checked like any other.
    ///
    /// - Parameters:
    ///   - type: The section, such as a model's sizes.
    ///   - place: What messages call these settings, such as `models[0].kwargs`.
    /// - Returns: The section and what was noticed on the way.
    /// - Throws: `InputError` naming every value that cannot be used.
    func decode<Section: ConfigurationSection>(_ type: Section.Type, at place: String) throws -> (
        Section, [ConfigurationNote]
    ) {
        var report = ConfigurationReport()
        let node = YAMLNode(node: YAMLValue.mapping(entries).node, path: "", file: place)
        let section = try Section.read(node, &report)
        try report.throwErrors()
        return (section, report.notes)
    }
}

/// Two numbers as a list: a range in a configuration.
public struct ConfigurationRange: Equatable, Sendable {
    public var lower: Double
    public var upper: Double

    public init(_ lower: Double, _ upper: Double) {
        self.lower = lower
        self.upper = upper
    }
}

extension ConfigurationRange: ConfigurationValue {
    static func read(_ node: YAMLNode, _ report: inout ConfigurationReport) throws -> ConfigurationRange {
        let bounds = try node.elements()?.map { try Double.read($0, &report) } ?? []
        guard bounds.count == 2, bounds[0] <= bounds[1] else {
            throw try mismatch("two numbers [lowest, highest]", node)
        }
        return ConfigurationRange(bounds[0], bounds[1])
    }

    var yaml: YAMLValue? { .sequence([.double(lower), .double(upper)]) }
}

/// Names of a closed set, written in any case.
protocol ConfigurationName: ConfigurationValue, RawRepresentable, CaseIterable where RawValue == String {}

extension ConfigurationName {
    static func read(_ node: YAMLNode, _ report: inout ConfigurationReport) throws -> Self {
        let expected = "one of " + allCases.map { $0.rawValue.isEmpty ? "''" : $0.rawValue }.joined(separator: ", ")
        guard case .string(let text) = try node.value() else { throw try mismatch(expected, node) }
        if let name = allCases.first(where: { $0.rawValue.lowercased() == text.lowercased() }) { return name }
        let near = nearestNames(to: text.lowercased(), among: allCases.map { $0.rawValue.lowercased() }, limit: 1).first
        throw InputError.usage(
            "expected \(expected), found '\(text.prefix(60))'", at: node.place,
            try: near.map { "did you mean '\($0)'?" })
    }

    var yaml: YAMLValue? { .string(rawValue) }
}
