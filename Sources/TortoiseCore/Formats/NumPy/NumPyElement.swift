/// The element types of NumPy arrays that we read and write; the raw value is NumPy's code without its byte order.
public enum NumPyElement: String, Sendable, CaseIterable {
    case bool = "b1"
    case int8 = "i1"
    case int16 = "i2"
    case int32 = "i4"
    case int64 = "i8"
    case uint8 = "u1"
    case uint16 = "u2"
    case uint32 = "u4"
    case uint64 = "u8"
    case float16 = "f2"
    case float32 = "f4"
    case float64 = "f8"

    /// Bytes in one element.
    public var byteCount: Int {
        switch self {
        case .int64, .uint64, .float64: 8
        case .int32, .uint32, .float32: 4
        case .int16, .uint16, .float16: 2
        case .bool, .int8, .uint8: 1
        }
    }

    /// The tensor type with the same elements; nil for the unsigned ones that tensors lack.
    public var dtype: DType? {
        switch self {
        case .bool: .bool
        case .int8: .int8
        case .int16: .int16
        case .int32: .int32
        case .int64: .int64
        case .uint8: .uint8
        case .float16: .float16
        case .float32: .float32
        case .float64: .float64
        case .uint16, .uint32, .uint64: nil
        }
    }

    /// The type for a tensor's elements; nil for bfloat16, which NumPy lacks.
    public init?(_ dtype: DType) {
        guard let element = Self.allCases.first(where: { $0.dtype == dtype }) else { return nil }
        self = element
    }

    /// NumPy's code with its byte order, as `.npy` headers give it.
    var description: String { (byteCount == 1 ? "|" : "<") + rawValue }
}

/// NumPy's description of an element: its type, and whether its bytes lie the other way round.
struct NumPyElementType: Equatable {
    enum Kind: Equatable {
        case plain(NumPyElement)
        /// Python objects, which a pickle follows.
        case object
    }

    var kind: Kind
    var isBigEndian: Bool

    /// Reads a code such as `<f4`, `|u1`, `>i8`, `f4` or `O8`; nil for what we do not hold.
    init?(_ code: String) {
        var rest = Substring(code)
        isBigEndian = false
        if let order = rest.first, "<>|=".contains(order) {
            isBigEndian = order == ">"
            rest.removeFirst()
        }
        if let element = NumPyElement(rawValue: String(rest)) {
            kind = .plain(element)
        } else if rest == "O" || rest == "O8" || rest == "O4" {
            kind = .object
        } else if rest == "?" {
            kind = .plain(.bool)
        } else {
            return nil
        }
    }
}

/// A Swift type whose memory is that of a NumPy element.
public protocol NumPyScalar: BitwiseCopyable, Sendable {
    static var numPyElement: NumPyElement { get }
}

extension Int8: NumPyScalar { public static var numPyElement: NumPyElement { .int8 } }
extension Int16: NumPyScalar { public static var numPyElement: NumPyElement { .int16 } }
extension Int32: NumPyScalar { public static var numPyElement: NumPyElement { .int32 } }
extension Int64: NumPyScalar { public static var numPyElement: NumPyElement { .int64 } }
extension Int: NumPyScalar { public static var numPyElement: NumPyElement { .int64 } }
extension UInt8: NumPyScalar { public static var numPyElement: NumPyElement { .uint8 } }
extension UInt16: NumPyScalar { public static var numPyElement: NumPyElement { .uint16 } }
extension UInt32: NumPyScalar { public static var numPyElement: NumPyElement { .uint32 } }
extension UInt64: NumPyScalar { public static var numPyElement: NumPyElement { .uint64 } }
extension Float: NumPyScalar { public static var numPyElement: NumPyElement { .float32 } }
extension Double: NumPyScalar { public static var numPyElement: NumPyElement { .float64 } }
