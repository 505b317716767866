/// The names that safetensors gives to element types.
enum SafetensorsDType {
    /// From the widest to the narrowest, as the official writer orders tensors, so that all stay aligned.
    static let writingOrder: [(dtype: DType, name: String)] = [
        (.int64, "I64"), (.float64, "F64"), (.float32, "F32"), (.int32, "I32"), (.bfloat16, "BF16"),
        (.float16, "F16"), (.int16, "I16"), (.int8, "I8"), (.uint8, "U8"), (.bool, "BOOL"),
    ]

    static func dtype(named name: String) -> DType? {
        writingOrder.first { $0.name == name }?.dtype
    }

    static func name(of dtype: DType) -> String {
        writingOrder[rank(of: dtype)].name
    }

    static func rank(of dtype: DType) -> Int {
        guard let rank = writingOrder.firstIndex(where: { $0.dtype == dtype }) else {
            preconditionFailure("safetensors has no name for \(dtype)")
        }
        return rank
    }
}
