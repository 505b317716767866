/// The instructions that would call Python: here they make data or throw.
extension PickleMachine {
    /// PyTorch's limit of axes.
    private static let maximumRank = 64

    /// Reads a module and a name, and looks them up in the closed list.
    mutating func global(_ opcode: PickleOpcode) throws -> PickleNode {
        let module: String
        let name: String
        if opcode == .stackGlobal {
            guard case .string(let top) = node(try pop()), case .string(let below) = node(try pop()) else {
                throw malformed("a global's module and name are no strings")
            }
            (module, name) = (below, top)
        } else {
            module = try line()
            name = try line()
        }
        guard let global = PickleGlobal(module: module, name: name) else { throw refused("\(module).\(name)") }
        return .global(global, "\(module).\(name)")
    }

    /// REDUCE, NEWOBJ, NEWOBJ_EX, OBJ and INST: a callable with its arguments.
    mutating func construct(_ opcode: PickleOpcode) throws {
        let callable: PickleNode
        var arguments: [ID]
        switch opcode {
        case .instance:
            callable = try global(opcode)
            arguments = try popToMark()
        case .object:
            arguments = try popToMark()
            guard !arguments.isEmpty else { throw malformed("OBJ has no class") }
            callable = node(arguments.removeFirst())
        default:
            if opcode == .newObjectWithKeywords {
                guard case .dictionary(let keywords) = node(try pop()), keywords.isEmpty else {
                    throw refused("a constructor with keyword arguments")
                }
            }
            guard case .tuple(let items) = node(try pop()) else { throw malformed("the arguments are no tuple") }
            arguments = items
            callable = node(try pop())
        }
        guard case .global(let global, let name) = callable else {
            throw malformed("the pickle calls \(callable.kind)")
        }
        try push(make(global, name, arguments))
    }

    private mutating func make(_ global: PickleGlobal, _ name: String, _ arguments: [ID]) throws -> PickleNode {
        switch (global, arguments.count) {
        case (.rebuildTensor, 4...):
            try refuseLazyValues(arguments.dropFirst(6).first, name)
            return try tensor(arguments, dtype: nil, name)
        case (.rebuildTypedTensor, 7...):
            guard case .global(.dtype(let dtype), let dtypeName) = node(arguments[6]) else {
                throw malformed("\(name) has no dtype")
            }
            guard let dtype else { throw unsupported("a tensor of \(dtypeName)") }
            try refuseLazyValues(arguments.dropFirst(7).first, name)
            return try tensor(arguments, dtype: dtype, name)
        case (.rebuildParameter, 1...):
            guard case .tensor = node(arguments[0]) else { throw malformed("\(name) has no tensor") }
            return node(arguments[0])
        case (.rebuildFromType, 3...):
            guard case .global(let function, let functionName) = node(arguments[0]), function != .rebuildFromType,
                case .tuple(let inner) = node(arguments[2])
            else { throw malformed("\(name) has no function or no arguments") }
            return try make(function, functionName, inner)
        case (.device, 1...), (.path, 0...): return .string(try joinedText(global, arguments, name))
        case (.orderedDictionary, 0), (.defaultDictionary, 0...1): return .dictionary([])
        case (.orderedDictionary, 1): return .dictionary(try pairs(arguments[0], name))
        case (.list, 0): return .list([])
        case (.tuple, 0): return .tuple([])
        case (.set, 0): return .set([])
        case (.list, 1): return .list(try items(arguments[0], name))
        case (.tuple, 1): return .tuple(try items(arguments[0], name))
        case (.set, 1): return .set(try items(arguments[0], name))
        case (.byteArray, 0): return .bytes(.copied([]))
        case (.byteArray, 1...2), (.codecsEncode, 1...2): return .bytes(try encoded(arguments, name))
        case (.numPyDType, 1...): return .elementType(try elementType(arguments[0]))
        case (.numPyReconstruct, 3): return .emptyArray
        case (.numPyScalar, 2): return try numPyScalar(arguments, name)
        case (.numPyFromBuffer, 4...): return try numPyFromBuffer(arguments, name)
        default: throw malformed("\(name) cannot be called with \(arguments.count) arguments")
        }
    }

    /// PyTorch notes that a view is negated or conjugated beside values that are not yet.
    private func refuseLazyValues(_ metadata: ID?, _ name: String) throws {
        guard let metadata, case .dictionary(let entries) = node(metadata) else { return }
        for index in stride(from: 0, to: entries.count - 1, by: 2) {
            guard case .string(let key) = node(entries[index]), ["neg", "conj"].contains(key),
                case .bool(true) = node(entries[index + 1])
            else { continue }
            throw unsupported(
                "a tensor whose values are still to be \(key == "neg" ? "negated" : "conjugated"); save .clone() of it")
        }
    }

    /// BUILD: the state of an object that was just made.
    mutating func build() throws {
        let state = try pop()
        let target = try top()
        switch node(target) {
        case .dictionary:
            // Attributes of an OrderedDict: `_metadata` of a state dictionary, which only holds versions.
            guard case .dictionary = node(state) else { throw malformed("a dictionary's state is \(node(state).kind)") }
        case .elementType(var type):
            guard case .tuple(let items) = node(state), items.count >= 2, case .string(let order) = node(items[1])
            else {
                throw malformed("a NumPy dtype's state is no tuple with a byte order")
            }
            type.isBigEndian = order == ">"
            replace(target, with: .elementType(type))
        case .emptyArray:
            guard case .tuple(let items) = node(state), items.count == 5,
                case .elementType(let type) = node(items[2]), case .bool(let isFortran) = node(items[3])
            else { throw malformed("a NumPy array's state is not (version, shape, dtype, order, data)") }
            replace(target, with: try numPyArray(type, shape: items[1], isFortran: isFortran, data: items[4]))
        case let other: throw refused("a state for \(other.kind)")
        }
    }

    // MARK: - Tensors

    /// `("storage", type, key, location, count[, view])`, PyTorch's only persistent id.
    mutating func storage(persistentID id: ID) throws -> PickleNode {
        guard case .tuple(let items) = node(id), items.count >= 5, case .string("storage") = node(items[0]) else {
            throw refused("a persistent id that is no storage")
        }
        guard case .global(let type, let name) = node(items[1]) else {
            throw malformed("a storage's type is \(node(items[1]).kind)")
        }
        let dtype: DType?
        switch type {
        case .storage(let known): dtype = known
        case .untypedStorage: dtype = nil
        default: throw refused("a storage of type \(name)")
        }
        guard let key = text(items[2]), case .integer(let count) = node(items[4]), count >= 0 else {
            throw malformed("a storage has no key or no length")
        }
        // Checked here once, so that no product of it overflows later.
        guard count <= file.bytes.count / (dtype?.byteCount ?? 1) else {
            throw malformed("storage \(key) claims \(count) elements, more than the file holds")
        }
        guard items.count > 5, case .tuple(let view) = node(items[5]), view.count == 3 else {
            return .storage(PickleStorage(key: key, dtype: dtype, count: count, firstElement: 0))
        }
        // A legacy view: its own key, where it starts in the block, and its length.
        guard case .integer(let start) = node(view[1]), case .integer(let length) = node(view[2]), start >= 0,
            length >= 0, start <= count, length <= count - start
        else { throw malformed("a view of storage \(key) reaches out of it") }
        return .storage(PickleStorage(key: key, dtype: dtype, count: length, firstElement: start))
    }

    private func tensor(_ arguments: [ID], dtype: DType?, _ name: String) throws -> PickleNode {
        guard case .storage(let storage) = node(arguments[0]), case .integer(let offset) = node(arguments[1]),
            let shape = integers(arguments[2]), let strides = integers(arguments[3])
        else { throw malformed("\(name) needs a storage, an offset, a shape and strides") }
        guard let type = dtype ?? storage.dtype else { throw malformed("\(name) has a storage without a type") }
        guard shape.count == strides.count, shape.count <= Self.maximumRank else {
            throw malformed("a tensor has \(shape.count) axes and \(strides.count) strides")
        }
        guard let count = TensorDescriptor.elementCount(of: shape, dtype: type) else {
            throw malformed("a tensor's shape \(shape) is negative or too large")
        }
        let capacity = storage.count * storage.elementByteCount / type.byteCount
        guard count == 0 || Self.extent(offset, shape, strides).map({ $0 < capacity }) == true else {
            throw malformed(
                "a tensor of shape \(shape), strides \(strides) and offset \(offset) reaches out of its storage of "
                    + "\(capacity) elements")
        }
        return .tensor(
            PickleTensor(storage: storage, dtype: type, offset: count == 0 ? 0 : offset, shape: shape, strides: strides)
        )
    }

    /// The largest element index that a view touches; nil when one is negative or overflows.
    private static func extent(_ offset: Int, _ shape: [Int], _ strides: [Int]) -> Int? {
        var last = offset
        guard offset >= 0 else { return nil }
        for (size, stride) in zip(shape, strides) {
            guard stride >= 0 else { return nil }
            let (reach, overflow) = (size - 1).multipliedReportingOverflow(by: stride)
            let (sum, sumOverflow) = last.addingReportingOverflow(reach)
            if overflow || sumOverflow { return nil }
            last = sum
        }
        return last
    }

    // MARK: - Plain arguments

    private func integers(_ id: ID) -> [Int]? {
        let items: [ID]
        switch node(id) {
        case .tuple(let ids), .list(let ids): items = ids
        default: return nil
        }
        guard items.count <= Self.maximumRank else { return nil }
        let values = items.compactMap { if case .integer(let value) = node($0) { value } else { Int?.none } }
        return values.count == items.count ? values : nil
    }

    /// A string, or an integer in digits (keys of very old files).
    private func text(_ id: ID) -> String? {
        switch node(id) {
        case .string(let text): text
        case .integer(let value): String(value)
        default: nil
        }
    }

    private mutating func items(_ id: ID, _ name: String) throws -> [ID] {
        switch node(id) {
        case .tuple(let items), .list(let items), .set(let items): return items
        default: throw malformed("\(name) is made of \(node(id).kind)")
        }
    }

    private mutating func pairs(_ id: ID, _ name: String) throws -> [ID] {
        if case .dictionary(let pairs) = node(id) { return pairs }
        let entries = try items(id, name)
        try charge(16 * entries.count)
        return try entries.flatMap { entry -> [ID] in
            let pair = try items(entry, name)
            guard pair.count == 2 else { throw malformed("\(name) is made of items that are no pairs") }
            return pair
        }
    }

    /// `torch.device("cuda", 0)` and `PosixPath("a", "b")` as text.
    private func joinedText(_ global: PickleGlobal, _ arguments: [ID], _ name: String) throws -> String {
        let parts = arguments.compactMap(text)
        guard parts.count == arguments.count else { throw malformed("\(name) is not made of strings") }
        let joined = parts.joined(separator: global == .device ? ":" : "/")
        return joined.hasPrefix("//") ? String(joined.dropFirst()) : joined
    }

    /// Bytes that Python 3 writes as text for protocols that have no bytes: one character, one byte.
    private mutating func encoded(_ arguments: [ID], _ name: String) throws -> TensorBytes {
        if case .bytes(let bytes) = node(arguments[0]) { return bytes }
        guard case .string(let text) = node(arguments[0]) else { throw malformed("\(name) has no text") }
        if arguments.count == 2 {
            let known = ["latin1", "latin-1", "iso-8859-1", "ascii"]
            guard case .string(let encoding) = node(arguments[1]), known.contains(encoding) else {
                throw malformed("\(name) asks for an encoding other than latin1")
            }
        }
        try charge(text.utf8.count)
        return .copied(
            try text.unicodeScalars.map {
                guard let byte = UInt8(exactly: $0.value) else { throw malformed("\(name) has text beyond latin1") }
                return byte
            })
    }

    func unsupported(_ what: String) -> InputError {
        .model(
            "the file holds \(what), which is not supported (byte \(cursor.position))", at: file.path,
            try: "convert it to \(DType.allCases.map(\.rawValue).joined(separator: ", ")) first")
    }
}
