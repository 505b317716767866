/// What a pickle holds, as plain data: nothing here can act.
///
/// `Tensor` is a `TensorDescriptor` in what was read and a `TensorSource` in what is to be written.
public indirect enum PickleValue<Tensor> {
    case none
    case bool(Bool)
    case integer(Int)
    /// An integer of more than 64 bits: two's complement, least significant byte first.
    case largeInteger([UInt8])
    case float(Double)
    case string(String)
    case bytes(TensorBytes)
    case tuple([PickleValue])
    case list([PickleValue])
    case set([PickleValue])
    /// A dictionary in its order; the last of two equal keys counts.
    case dictionary([Pair])
    case tensor(Tensor)
    case array(NumPyArray)
    /// A class or a constant, such as `torch.float16`, that stands there as a value.
    case name(String)

    /// An entry of a dictionary.
    public struct Pair {
        public var key: PickleValue
        public var value: PickleValue

        public init(_ key: PickleValue, _ value: PickleValue) {
            self.key = key
            self.value = value
        }
    }
}

/// What was read from a file: tensors are places in it.
public typealias CheckpointValue = PickleValue<TensorDescriptor>
/// What is to be written to a file: tensors come from memory or from closures.
public typealias CheckpointContent = PickleValue<TensorSource>

extension PickleValue: Sendable where Tensor: Sendable {}
extension PickleValue.Pair: Sendable where Tensor: Sendable {}
extension PickleValue: Equatable where Tensor: Equatable {}
extension PickleValue.Pair: Equatable where Tensor: Equatable {}

extension PickleValue {
    /// The value under a text key of a dictionary; nil elsewhere.
    public subscript(_ key: String) -> PickleValue? {
        guard case .dictionary(let pairs) = self else { return nil }
        return pairs.last { $0.key.text == key }?.value
    }

    /// The item of a list or a tuple; nil elsewhere.
    public subscript(_ index: Int) -> PickleValue? {
        guard let items, items.indices.contains(index) else { return nil }
        return items[index]
    }

    /// The text of a string.
    public var text: String? {
        if case .string(let text) = self { text } else { nil }
    }

    /// An integer, or a boolean as 0 or 1.
    public var integer: Int? {
        switch self {
        case .integer(let value): value
        case .bool(let value): value ? 1 : 0
        default: nil
        }
    }

    /// A number of any kind.
    public var number: Double? {
        if case .float(let value) = self { value } else { integer.map(Double.init) }
    }

    /// The items of a list or a tuple.
    public var items: [PickleValue]? {
        switch self {
        case .list(let items), .tuple(let items): items
        default: nil
        }
    }

    /// The entries of a dictionary.
    public var pairs: [Pair]? {
        if case .dictionary(let pairs) = self { pairs } else { nil }
    }

    /// A tensor.
    public var tensor: Tensor? {
        if case .tensor(let tensor) = self { tensor } else { nil }
    }

    /// A NumPy array.
    public var array: NumPyArray? {
        if case .array(let array) = self { array } else { nil }
    }

    /// Whether a tensor is in here somewhere.
    public var holdsTensors: Bool {
        switch self {
        case .tensor: true
        case .tuple(let items), .list(let items), .set(let items): items.contains { $0.holdsTensors }
        case .dictionary(let pairs): pairs.contains { $0.value.holdsTensors || $0.key.holdsTensors }
        default: false
        }
    }
}

extension PickleValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
    ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    public init(stringLiteral value: String) { self = .string(value) }
    public init(integerLiteral value: Int) { self = .integer(value) }
    public init(floatLiteral value: Double) { self = .float(value) }
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    public init(arrayLiteral elements: PickleValue...) { self = .list(elements) }
    public init(dictionaryLiteral elements: (PickleValue, PickleValue)...) {
        self = .dictionary(elements.map { Pair($0.0, $0.1) })
    }
}
