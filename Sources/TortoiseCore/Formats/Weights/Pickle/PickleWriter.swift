/// Writes plain data as a pickle; tensors become PyTorch's references to storages, numbered in order.
struct PickleWriter {
    /// The protocols that are written: 2 is PyTorch's, 3 is the first with bytes.
    enum Version: UInt8 {
        case two = 2
        case three = 3
    }

    private(set) var bytes: [UInt8]
    /// The tensors that were written, whose storages are named "0", "1" and so on.
    private(set) var tensors: [TensorSource] = []
    private let version: Version
    private var memo: [String: Int] = [:]

    /// Pickles a value; with `asObjectScalar`, as an array of one object without axes.
    static func pickle(
        _ value: CheckpointContent, version: Version, asObjectScalar: Bool = false
    ) -> (bytes: [UInt8], tensors: [TensorSource]) {
        var writer = PickleWriter(version)
        if asObjectScalar { writer.write(objectScalar: value) } else { writer.write(value) }
        writer.emit(.stop)
        return (writer.bytes, writer.tensors)
    }

    private init(_ version: Version) {
        self.version = version
        bytes = [PickleOpcode.proto.rawValue, version.rawValue]
    }

    private mutating func write(_ value: CheckpointContent) {
        switch value {
        case .none: emit(.none)
        case .bool(let flag): emit(flag ? .newTrue : .newFalse)
        case .integer(let number): write(number)
        case .largeInteger(let digits):
            emit(.long8, [UInt8(digits.count)] + digits)
        case .float(let number): emit(.float64, little(number.bitPattern.byteSwapped))
        case .string(let text): write(text)
        case .bytes(let content): write(content)
        case .tuple(let items): writeTuple(items)
        case .list(let items): writeList(items)
        case .set(let items):
            write(global: "__builtin__", "set")
            writeList(items)
            emit(.tuple1)
            emit(.reduce)
        case .dictionary(let pairs):
            emit(.emptyDictionary)
            guard !pairs.isEmpty else { return }
            emit(.mark)
            for pair in pairs {
                write(pair.key)
                write(pair.value)
            }
            emit(.setItems)
        case .tensor(let tensor): write(tensor)
        case .array(let array): write(array)
        case .name(let name):
            let parts = name.split(separator: ".")
            write(global: parts.dropLast().joined(separator: "."), String(parts.last ?? ""))
        }
    }

    // MARK: - Plain values

    private mutating func emit(_ opcode: PickleOpcode, _ argument: [UInt8] = []) {
        bytes.append(opcode.rawValue)
        bytes += argument
    }

    private mutating func write(_ number: Int) {
        if let small = UInt8(exactly: number) {
            emit(.uint8, [small])
        } else if let medium = UInt16(exactly: number) {
            emit(.uint16, little(medium))
        } else if let word = Int32(exactly: number) {
            emit(.int32, little(word))
        } else {
            emit(.long8, [8] + little(Int64(number)))
        }
    }

    private mutating func write(_ text: String) {
        guard !recall("text " + text) else { return }
        emit(.unicode32, little(UInt32(text.utf8.count)) + Array(text.utf8))
        memoize("text " + text)
    }

    private mutating func write(global module: String, _ name: String) {
        let line = "\(module)\n\(name)\n"
        guard !recall("global " + line) else { return }
        emit(.global, Array(line.utf8))
        memoize("global " + line)
    }

    private mutating func write(_ content: TensorBytes) {
        content.withUnsafeBytes { content in
            if version == .three {
                emit(.bytes32, little(UInt32(content.count)))
                bytes += content
            } else {
                // Protocol 2 has no bytes: Python writes them as text of one character each.
                write(global: "_codecs", "encode")
                let text = String(String.UnicodeScalarView(content.map { Unicode.Scalar($0) }))
                emit(.unicode32, little(UInt32(text.utf8.count)) + Array(text.utf8))
                write("latin1")
                emit(.tuple2)
                emit(.reduce)
            }
        }
    }

    private mutating func writeTuple(_ items: [CheckpointContent]) {
        guard !items.isEmpty else { return emit(.emptyTuple) }
        emit(.mark)
        for item in items { write(item) }
        emit(.tuple)
    }

    private mutating func writeList(_ items: [CheckpointContent]) {
        emit(.emptyList)
        guard !items.isEmpty else { return }
        emit(.mark)
        for item in items { write(item) }
        emit(.appends)
    }

    private mutating func memoize(_ key: String) {
        let index = memo.count
        if let short = UInt8(exactly: index) { emit(.put8, [short]) } else { emit(.put32, little(UInt32(index))) }
        memo[key] = index
    }

    private mutating func recall(_ key: String) -> Bool {
        guard let index = memo[key] else { return false }
        if let short = UInt8(exactly: index) { emit(.get8, [short]) } else { emit(.get32, little(UInt32(index))) }
        return true
    }

    // MARK: - Tensors and arrays

    /// `_rebuild_tensor_v2(storage, offset, shape, strides, requires_grad, hooks)`.
    private mutating func write(_ tensor: TensorSource) {
        write(global: "torch._utils", "_rebuild_tensor_v2")
        emit(.mark)
        emit(.mark)
        write("storage")
        write(global: "torch", Self.storageName(tensor.dtype))
        write(String(tensors.count))
        write("cpu")
        write(tensor.count)
        emit(.tuple)
        emit(.persistent)
        write(0)
        writeTuple(tensor.shape.map { .integer($0) })
        writeTuple(TensorDescriptor.denseStrides(tensor.shape).map { .integer($0) })
        emit(.newFalse)
        write(global: "collections", "OrderedDict")
        emit(.emptyTuple)
        emit(.reduce)
        emit(.tuple)
        emit(.reduce)
        tensors.append(tensor)
    }

    private static func storageName(_ dtype: DType) -> String {
        switch dtype {
        case .float32: "FloatStorage"
        case .float16: "HalfStorage"
        case .bfloat16: "BFloat16Storage"
        case .float64: "DoubleStorage"
        case .int8: "CharStorage"
        case .uint8: "ByteStorage"
        case .int16: "ShortStorage"
        case .int32: "IntStorage"
        case .int64: "LongStorage"
        case .bool: "BoolStorage"
        }
    }

    /// An array: `_reconstruct(ndarray, (0,), b"b")`, then its state.
    private mutating func write(_ array: NumPyArray) {
        writeArray(shape: array.shape, element: array.element.rawValue, order: array.element.byteCount == 1 ? "|" : "<")
        {
            $0.write(array.denseBytes())
        }
    }

    /// An array of one Python object without axes, which is what `np.save` makes of a dictionary.
    private mutating func write(objectScalar value: CheckpointContent) {
        writeArray(shape: [], element: "O8", order: "|") { $0.writeList([value]) }
    }

    private mutating func writeArray(
        shape: [Int], element: String, order: String, content: (inout PickleWriter) -> Void
    ) {
        // The old name of the module is the one that every release of NumPy knows.
        write(global: "numpy.core.multiarray", "_reconstruct")
        write(global: "numpy", "ndarray")
        writeTuple([0])
        write(TensorBytes.copied(Array("b".utf8)))
        emit(.tuple3)
        emit(.reduce)
        emit(.mark)
        write(1)
        writeTuple(shape.map { .integer($0) })
        write(global: "numpy", "dtype")
        writeTuple([.string(element), false, true])
        emit(.reduce)
        let flags = element == "O8" ? 63 : 0
        writeTuple([3, .string(order), .none, .none, .none, -1, -1, .integer(flags)])
        emit(.build)
        emit(.newFalse)
        content(&self)
        emit(.tuple)
        emit(.build)
    }
}
