/// Integers that lie between guard values, at an address that no vector width divides.
final class GuardedIntegers<Element: FixedWidthInteger> {
    private static var margin: Int { 37 }
    private static var guardValue: Element { Element(truncatingIfNeeded: 0xA5A5_A5A5) }
    private let storage: UnsafeMutableBufferPointer<Element>
    let count: Int

    init(_ values: [Element]) {
        count = values.count
        storage = .allocate(capacity: count + 2 * Self.margin)
        storage.initialize(repeating: Self.guardValue)
        for (index, value) in values.enumerated() { pointer[index] = value }
    }

    convenience init(repeating value: Element, count: Int) { self.init([Element](repeating: value, count: count)) }

    deinit { storage.deallocate() }

    var pointer: UnsafeMutablePointer<Element> {
        guard let base = storage.baseAddress else { preconditionFailure("an allocation has an address") }
        return base + Self.margin
    }

    var values: [Element] { Array(storage[Self.margin..<Self.margin + count]) }

    /// Whether nothing was written before or after the values.
    var isIntact: Bool {
        storage.prefix(Self.margin).allSatisfy { $0 == Self.guardValue }
            && storage.suffix(Self.margin).allSatisfy { $0 == Self.guardValue }
    }
}
