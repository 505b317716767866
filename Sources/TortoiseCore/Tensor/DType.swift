/// The element types that tensors and weight files hold.
///
/// Arithmetic is float32; the others are how weights are stored and how indices are passed.
public enum DType: String, Sendable, CaseIterable {
    case float32, float16, bfloat16, float64
    case int8, uint8, int16, int32, int64
    case bool

    /// Bytes in one element.
    public var byteCount: Int {
        switch self {
        case .float64, .int64: 8
        case .float32, .int32: 4
        case .float16, .bfloat16, .int16: 2
        case .int8, .uint8, .bool: 1
        }
    }
}
