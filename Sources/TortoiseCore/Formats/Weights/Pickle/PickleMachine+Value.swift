extension PickleMachine {
    /// Turns a node into a value that stands by itself.
    ///
    /// - Parameter place: The byte of the file where a storage starts; throws when it is not all there.
    /// - Throws: `InputError` when the value contains itself, is nested too deeply, or would be larger than twice
    ///   the file if everything that it repeats were written out.
    func value(_ root: ID, place: (PickleStorage) throws -> Int) throws -> CheckpointValue {
        var builder = PickleValueBuilder(machine: self)
        return try withoutActuallyEscaping(place) { place in
            try builder.value(root, depth: 0, place: place).value
        }
    }
}

/// Builds values from nodes, each node once.
private struct PickleValueBuilder {
    let machine: PickleMachine
    private var finished: [PickleNode.ID: (value: CheckpointValue, size: Int)] = [:]
    private var open: Set<PickleNode.ID> = []
    private var places: [PickleStorage: Int] = [:]

    /// Far more than any checkpoint needs, far less than the stack holds.
    private static let maximumDepth = 100

    init(machine: PickleMachine) {
        self.machine = machine
    }

    /// - Returns: The value, and the bytes it would take with everything that it repeats written out.
    mutating func value(
        _ id: PickleNode.ID, depth: Int, place: (PickleStorage) throws -> Int
    ) throws -> (value: CheckpointValue, size: Int) {
        if let known = finished[id] { return known }
        guard depth < Self.maximumDepth else {
            throw machine.malformed("the pickle is nested more than \(Self.maximumDepth) deep")
        }
        guard open.insert(id).inserted else { throw machine.malformed("the pickle holds a value that contains itself") }
        defer { open.remove(id) }
        var size = 64
        func items(_ ids: [PickleNode.ID]) throws -> [CheckpointValue] {
            try ids.map { item in
                let (value, itemSize) = try self.value(item, depth: depth + 1, place: place)
                size = try sum(size, itemSize)
                return value
            }
        }
        let value: CheckpointValue
        switch machine.node(id) {
        case .none: value = .none
        case .bool(let flag): value = .bool(flag)
        case .integer(let number): value = .integer(number)
        case .largeInteger(let bytes): value = .largeInteger(bytes)
        case .float(let number): value = .float(number)
        case .string(let text):
            size = try sum(size, text.utf8.count)
            value = .string(text)
        case .bytes(let bytes):
            size = try sum(size, bytes.count)
            value = .bytes(bytes)
        case .tuple(let ids): value = .tuple(try items(ids))
        case .list(let ids): value = .list(try items(ids))
        case .set(let ids): value = .set(try items(ids))
        case .dictionary(let ids):
            let flat = try items(ids)
            value = .dictionary(stride(from: 0, to: flat.count, by: 2).map { .init(flat[$0], flat[$0 + 1]) })
        case .global(_, let name): value = .name(name)
        case .storage(let storage): value = .tensor(try descriptor(storage, place))
        case .tensor(let tensor): value = .tensor(try descriptor(tensor, place))
        case .elementType: value = .name("numpy.dtype")
        case .emptyArray: throw machine.malformed("a NumPy array never got its state")
        case .array(let array): value = .array(array)
        }
        finished[id] = (value, size)
        return (value, size)
    }

    private func sum(_ a: Int, _ b: Int) throws -> Int {
        guard a + b <= PickleMachine.freeAllowance + 2 * machine.file.bytes.count else {
            throw machine.malformed("written out, the pickle would be larger than twice the file")
        }
        return a + b
    }

    private mutating func start(
        of storage: PickleStorage, _ place: (PickleStorage) throws -> Int
    ) throws -> Int {
        if let known = places[storage] { return known }
        let start = try place(storage)
        places[storage] = start
        return start
    }

    private mutating func descriptor(
        _ tensor: PickleTensor, _ place: (PickleStorage) throws -> Int
    ) throws -> TensorDescriptor {
        let start = try start(of: tensor.storage, place)
        return TensorDescriptor(
            dtype: tensor.dtype, shape: tensor.shape, strides: tensor.strides,
            byteOffset: start + tensor.offset * tensor.dtype.byteCount)
    }

    /// A storage that is saved by itself is the tensor of all its elements.
    private mutating func descriptor(
        _ storage: PickleStorage, _ place: (PickleStorage) throws -> Int
    ) throws -> TensorDescriptor {
        TensorDescriptor(
            dtype: storage.dtype ?? .uint8, shape: [storage.count], byteOffset: try start(of: storage, place))
    }
}
