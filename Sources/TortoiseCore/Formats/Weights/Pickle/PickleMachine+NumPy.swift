extension PickleMachine {
    /// The element type that `numpy.dtype` is called with.
    func elementType(_ id: ID) throws -> NumPyElementType {
        guard case .string(let code) = node(id) else { throw malformed("numpy.dtype is called with \(node(id).kind)") }
        guard let type = NumPyElementType(code) else { throw unsupported("a NumPy array of dtype \(code)") }
        return type
    }

    /// `scalar(dtype, bytes)`: a number as a plain value.
    func numPyScalar(_ arguments: [ID], _ name: String) throws -> PickleNode {
        guard case .elementType(let type) = node(arguments[0]), case .plain(let element) = type.kind,
            let data = bytes(arguments[1]),
            let array = NumPyArray(element, shape: [], isBigEndian: type.isBigEndian, bytes: data)
        else { throw malformed("\(name) is not made of a number's dtype and its bytes") }
        switch (array.plainValues() as [CheckpointValue]).first {
        case .bool(let value): return .bool(value)
        case .integer(let value): return .integer(value)
        case .largeInteger(let bytes): return .largeInteger(bytes)
        case .float(let value): return .float(value)
        default: throw malformed("\(name) is no number")
        }
    }

    /// `_frombuffer(bytes, dtype, shape, order)`, as protocol 5 writes arrays.
    func numPyFromBuffer(_ arguments: [ID], _ name: String) throws -> PickleNode {
        guard case .elementType(let type) = node(arguments[1]), case .string(let order) = node(arguments[3]),
            order == "C" || order == "F"
        else { throw malformed("\(name) has no dtype or no order") }
        return try numPyArray(type, shape: arguments[2], isFortran: order == "F", data: arguments[0])
    }

    /// An array from its state; one of Python objects becomes a list, or its only item when it has no axes.
    func numPyArray(_ type: NumPyElementType, shape: ID, isFortran: Bool, data: ID) throws -> PickleNode {
        guard let sizes = sizes(shape), sizes.count <= 64 else { throw malformed("a NumPy array has no shape") }
        switch type.kind {
        case .object:
            guard case .list(let items) = node(data) else { throw malformed("a NumPy array of objects has no list") }
            if sizes.isEmpty {
                guard items.count == 1 else { throw malformed("a NumPy scalar has \(items.count) items") }
                return node(items[0])
            }
            guard sizes.count == 1, sizes[0] == items.count else {
                throw unsupported("a NumPy array of objects with shape \(sizes)")
            }
            return .list(items)
        case .plain(let element):
            guard let bytes = bytes(data),
                let array = NumPyArray(
                    element, shape: sizes, isFortranOrder: isFortran, isBigEndian: type.isBigEndian, bytes: bytes)
            else { throw malformed("a NumPy array of shape \(sizes) does not have its bytes") }
            return .array(array)
        }
    }

    private func sizes(_ id: ID) -> [Int]? {
        guard case .tuple(let items) = node(id) else { return nil }
        let sizes = items.compactMap { if case .integer(let size) = node($0) { size } else { Int?.none } }
        return sizes.count == items.count ? sizes : nil
    }

    /// Bytes, or a string of Python 2, whose characters were bytes.
    private func bytes(_ id: ID) -> TensorBytes? {
        switch node(id) {
        case .bytes(let bytes): bytes
        case .string(let text): .copied(Array(text.utf8))
        default: nil
        }
    }
}
