import Foundation

/// A group of settings: a struct whose properties hold the defaults and whose `describe` names the key of each.
///
/// Adding a setting is one property and one line in `describe`; reading, writing, checking and "did you mean" follow from it.
protocol ConfigurationSection: ConfigurationValue, Equatable, Sendable {
    init()
    /// Names every key of the section.
    static func describe(_ keys: inout ConfigurationKeys<Self>)
    /// Looks at values that are right by themselves and may not go together.
    ///
    /// - Throws: `InputError.usage` naming those that do not.
    func validate(at place: String) throws
    /// Whether a model's sizes are published as a JSON file beside its weights.
    static var hasFileOfItsOwn: Bool { get }
}

extension ConfigurationSection {
    static var hasFileOfItsOwn: Bool { false }
    func validate(at place: String) throws {}
}

/// Something that can stand as the value of a key.
protocol ConfigurationValue {
    /// Reads the value at a place; records there what is odd but harmless.
    ///
    /// - Throws: `InputError` naming the place when the value has the wrong type or is out of range.
    static func read(_ node: YAMLNode, _ report: inout ConfigurationReport) throws -> Self
    /// The value as YAML; nil leaves the key out.
    var yaml: YAMLValue? { get }
}

/// What was noticed while a configuration was read.
struct ConfigurationReport {
    var notes: [ConfigurationNote] = []
    var errors: [InputError] = []

    /// Throws what was wrong, all of it up to twenty places.
    func throwErrors() throws {
        guard errors.count > 1 else {
            if let only = errors.first { throw only }
            return
        }
        var lines = errors.prefix(20).map(\.description)
        if errors.count > lines.count { lines.append("and \(errors.count - lines.count) more") }
        throw InputError.usage("\(errors.count) settings cannot be used:\n  " + lines.joined(separator: "\n  "))
    }
}

/// Something in a configuration that its writer should hear about although it does no harm.
public struct ConfigurationNote: Equatable, Sendable, CustomStringConvertible {
    public enum Kind: Sendable {
        /// A key nobody knows; it is ignored.
        case unknown
        /// A key of the reference's schema that has no effect here.
        case vestigial
        /// A value that was replaced, or an old name.
        case changed
    }

    public let kind: Kind
    /// File, line and key path.
    public let place: String
    /// What to tell the user.
    public let message: String

    public var description: String { "\(place): \(message)" }
}

/// A condition on a value, with the words that tell what was expected.
struct ConfigurationRule<Value> {
    let expected: String
    let holds: (Value) -> Bool

    static func oneOf(_ values: [String]) -> ConfigurationRule<String> where Value == String {
        .init(expected: "one of \(values.joined(separator: ", "))") { values.contains($0) }
    }
}

extension ConfigurationRule where Value: Comparable {
    static func atLeast(_ limit: Value) -> Self { .init(expected: "at least \(limit)") { $0 >= limit } }
    static func above(_ limit: Value) -> Self { .init(expected: "more than \(limit)") { $0 > limit } }
    static func within(_ range: ClosedRange<Value>) -> Self {
        .init(expected: "\(range.lowerBound) to \(range.upperBound)") { range.contains($0) }
    }
}

/// The keys of one section: how each is read, checked and written.
struct ConfigurationKeys<Section> {
    struct Key {
        let name: String
        let read: (inout Section, YAMLNode, inout ConfigurationReport) throws -> Void
        let write: (Section) -> YAMLValue?
    }

    private(set) var keys: [Key] = []
    private(set) var vestigial: Set<String> = []

    /// Declares a key that sets a property.
    mutating func key<Value: ConfigurationValue>(
        _ name: String, _ property: WritableKeyPath<Section, Value>, _ rule: ConfigurationRule<Value>? = nil
    ) {
        keys.append(
            Key(name: name) { section, node, report in
                let value = try Value.read(node, &report)
                if let rule, !rule.holds(value) {
                    throw InputError.usage(
                        "expected \(rule.expected), found \(value.yaml?.spoken ?? "nothing")", at: node.place)
                }
                section[keyPath: property] = value
            } write: {
                $0[keyPath: property].yaml
            })
    }

    /// Declares an old name of a key: read with a note, never written.
    mutating func deprecated<Value: ConfigurationValue>(
        _ name: String, _ property: WritableKeyPath<Section, Value>, use newName: String
    ) {
        keys.append(
            Key(name: name) { section, node, report in
                guard let value = try Value?.read(node, &report) else { return }
                report.notes.append(.init(kind: .changed, place: node.place, message: "the newer name is '\(newName)'"))
                section[keyPath: property] = value
            } write: { _ in
                nil
            })
    }

    /// Declares keys of the reference's schema that mean nothing here: accepted with any value and named once.
    mutating func vestigial(_ names: String...) {
        vestigial.formUnion(names)
    }
}

extension ConfigurationSection {
    static var keys: ConfigurationKeys<Self> {
        var keys = ConfigurationKeys<Self>()
        describe(&keys)
        return keys
    }

    static func read(_ node: YAMLNode, _ report: inout ConfigurationReport) throws -> Self {
        var section = Self()
        try section.update(from: node, &report)
        return section
    }

    /// Takes every key that stands in a mapping; the others keep their values. Errors go to the report.
    mutating func update(from node: YAMLNode, _ report: inout ConfigurationReport) throws {
        guard let entries = try node.entries() else {
            if try node.isNull { return }
            throw InputError.usage("expected a section (key: value), found \(try node.value().spoken)", at: node.place)
        }
        let keys = Self.keys
        var ignored: [String] = []
        for (name, child) in entries {
            if let key = keys.keys.first(where: { $0.name == name }) {
                do {
                    try key.read(&self, child, &report)
                } catch let error as InputError {
                    report.errors.append(error)
                }
            } else if keys.vestigial.contains(name) {
                ignored.append(name)
            } else {
                let near = nearestNames(to: name, among: keys.keys.map(\.name) + keys.vestigial, limit: 1).first
                let hint = near.map { "; did you mean '\($0)'?" } ?? ""
                report.notes.append(
                    .init(
                        kind: .unknown, place: child.place,
                        message: "unknown key '\(name.prefix(80))' is ignored\(hint)"))
            }
        }
        if !ignored.isEmpty {
            report.notes.append(
                .init(
                    kind: .vestigial, place: node.place,
                    message: "has no effect here: \(ignored.joined(separator: ", "))"))
        }
    }

    /// Every key with its value; nil for a section of which nothing has an effect here.
    var yaml: YAMLValue? {
        let keys = Self.keys.keys
        return keys.isEmpty ? nil : .mapping(keys.compactMap { key in key.write(self).map { .init(key.name, $0) } })
    }
}
