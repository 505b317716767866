/// Reads pickles of protocols 0 to 5 into plain data, and executes nothing.
///
/// A pickle is a program: it may name any Python callable and have it called. This machine knows a closed list of
/// constructors (`PickleGlobal`) that make data, and refuses everything else by its module and name. Values live in
/// an arena; what they may cost in memory is counted and bounded by the size of the file.
struct PickleMachine {
    typealias ID = PickleNode.ID

    /// The file that the pickle is part of.
    let file: MappedFile
    var cursor: ByteCursor
    private(set) var nodes: [PickleNode] = []
    private var stack: [ID] = []
    private var marks: [Int] = []
    private var memo: [UInt32: ID] = [:]
    /// The nodes of values that recur: None, False, True, and the integers below 256.
    private var recurring = [ID?](repeating: nil, count: 3 + 256)
    /// Bytes of memory that may still be used.
    private(set) var allowance: Int

    /// Small files may use this much beside twice their own size.
    static let freeAllowance = 16 << 20

    /// Prepares to read pickles that start at a byte of a file and lie within the first `end` bytes of it.
    init(_ file: MappedFile, start: Int, end: Int) {
        self.file = file
        cursor = ByteCursor(UnsafeRawBufferPointer(rebasing: file.bytes[..<end]), at: start, of: file.path)
        allowance = Self.freeAllowance + 2 * file.bytes.count
    }

    /// Runs one pickle to its end and returns the node it leaves; a second call reads the pickle behind it.
    mutating func run() throws -> ID {
        stack.removeAll(keepingCapacity: true)
        marks.removeAll(keepingCapacity: true)
        memo.removeAll(keepingCapacity: true)
        while true {
            let byte = try cursor.byte("the end of the pickle")
            guard let opcode = PickleOpcode(rawValue: byte) else {
                throw malformed("0x\(String(byte, radix: 16)) is no pickle instruction")
            }
            // No instruction costs more than this beyond what it says itself.
            try charge(16)
            if opcode == .stop { break }
            try execute(opcode)
        }
        guard stack.count == 1, marks.isEmpty else { throw malformed("the pickle ends with \(stack.count) values") }
        return stack[0]
    }

    private mutating func execute(_ opcode: PickleOpcode) throws {
        switch opcode {
        case .mark: marks.append(stack.count)
        case .popMark: _ = try popToMark()
        case .pop:
            // Python lets POP remove a mark, too.
            if let mark = marks.last, mark == stack.count { marks.removeLast() } else { _ = try pop() }
        case .duplicate: stack.append(try top())
        case .none, .newTrue, .newFalse, .integerText, .longText, .floatText, .float64, .int32, .uint8, .uint16,
            .long8, .long32, .stringText, .unicodeText, .string32, .string8, .unicode32, .unicode8, .unicode64,
            .bytes32, .bytes8, .bytes64, .byteArray64:
            try push(literal(opcode))
        case .emptyTuple: try push(.tuple([]))
        case .emptyList: try push(.list([]))
        case .emptyDictionary: try push(.dictionary([]))
        case .emptySet: try push(.set([]))
        case .tuple: try push(.tuple(popToMark()))
        case .list: try push(.list(popToMark()))
        case .frozenSet: try push(.set(popToMark()))
        case .dictionary: try push(.dictionary(evenCount(popToMark())))
        case .tuple1: try push(.tuple(pop(count: 1)))
        case .tuple2: try push(.tuple(pop(count: 2)))
        case .tuple3: try push(.tuple(pop(count: 3)))
        case .append: try extend(with: pop(count: 1), opcode)
        case .appends, .addItems: try extend(with: popToMark(), opcode)
        case .setItem: try extend(with: pop(count: 2), opcode)
        case .setItems: try extend(with: evenCount(popToMark()), opcode)
        case .getText, .get8, .get32: stack.append(try recall(memoIndex(opcode)))
        case .putText, .put8, .put32: memo[try memoIndex(opcode)] = try top()
        case .memoize: memo[UInt32(truncatingIfNeeded: memo.count)] = try top()
        case .global, .stackGlobal: try push(global(opcode))
        case .persistent: try push(storage(persistentID: pop()))
        case .reduce, .newObject, .newObjectWithKeywords, .instance, .object: try construct(opcode)
        case .build: try build()
        case .proto:
            let version = try cursor.byte("the pickle's protocol")
            guard version <= 5 else { throw malformed("the pickle's protocol is \(version), known are 0 to 5") }
        case .frame: _ = try cursor.length("a frame's length")
        case .extension8, .extension16, .extension32:
            throw refused("an entry of Python's extension registry")
        case .persistentText: throw refused("a persistent id of text")
        case .nextBuffer, .readOnlyBuffer: throw refused("a buffer outside of the pickle")
        case .stop: break
        }
    }

    // MARK: - Nodes

    /// Adds a node to the arena.
    mutating func add(_ node: PickleNode) throws -> ID {
        var cost = 2 * MemoryLayout<PickleNode>.stride
        switch node {
        case .string(let text): cost += text.utf8.count
        case .bytes(.copied(let bytes)): cost += bytes.count
        case .tuple(let items), .list(let items), .set(let items), .dictionary(let items): cost += 8 * items.count
        case .tensor, .storage, .array, .bytes, .global, .elementType, .largeInteger: cost += 256
        default: break
        }
        try charge(cost)
        guard nodes.count < Int(ID.max) else { throw malformed("the pickle makes more values than can be counted") }
        nodes.append(node)
        return ID(nodes.count - 1)
    }

    /// Adds a node and puts it on the stack; values that recur are kept once.
    mutating func push(_ node: PickleNode) throws {
        let slot: Int
        switch node {
        case .none: slot = 0
        case .bool(let flag): slot = flag ? 2 : 1
        case .integer(let value) where value >= 0 && value < 256: slot = 3 + value
        default:
            stack.append(try add(node))
            return
        }
        let id = try recurring[slot] ?? add(node)
        recurring[slot] = id
        stack.append(id)
    }

    func node(_ id: ID) -> PickleNode { nodes[Int(id)] }

    mutating func replace(_ id: ID, with node: PickleNode) { nodes[Int(id)] = node }

    /// Counts memory that is about to be used.
    mutating func charge(_ bytes: Int) throws {
        allowance -= bytes
        guard allowance >= 0 else {
            throw malformed("the pickle wants more memory than twice the size of the file")
        }
    }

    // MARK: - Stack

    func top() throws -> ID {
        guard let last = stack.last, stack.count > (marks.last ?? 0) else {
            throw malformed("the pickle takes a value from an empty stack")
        }
        return last
    }

    mutating func pop() throws -> ID {
        let id = try top()
        stack.removeLast()
        return id
    }

    private mutating func pop(count: Int) throws -> [ID] {
        guard stack.count - (marks.last ?? 0) >= count else {
            throw malformed("the pickle takes \(count) values from a stack that has fewer")
        }
        defer { stack.removeLast(count) }
        return Array(stack.suffix(count))
    }

    mutating func popToMark() throws -> [ID] {
        guard let mark = marks.popLast() else { throw malformed("the pickle looks for a mark that was never set") }
        defer { stack.removeSubrange(mark...) }
        return Array(stack[mark...])
    }

    private func evenCount(_ items: [ID]) throws -> [ID] {
        guard items.count.isMultiple(of: 2) else { throw malformed("a dictionary's key lacks its value") }
        return items
    }

    /// Appends items to the container on top of the stack.
    private mutating func extend(with items: [ID], _ opcode: PickleOpcode) throws {
        try charge(8 * items.count)
        let id = try top()
        // Taken out of the arena for the time of the change, so that the array grows in place.
        let container = node(id)
        replace(id, with: .none)
        switch (container, opcode) {
        case (.list(var list), .append), (.list(var list), .appends):
            list += items
            replace(id, with: .list(list))
        case (.set(var set), .addItems):
            set += items
            replace(id, with: .set(set))
        case (.dictionary(var pairs), .setItem), (.dictionary(var pairs), .setItems):
            pairs += items
            replace(id, with: .dictionary(pairs))
        default:
            throw malformed("the pickle adds items to \(container.kind)")
        }
    }

    private func recall(_ index: UInt32) throws -> ID {
        guard let id = memo[index] else { throw malformed("the pickle recalls entry \(index), which it never stored") }
        return id
    }

    private mutating func memoIndex(_ opcode: PickleOpcode) throws -> UInt32 {
        switch opcode {
        case .get8, .put8: return UInt32(try cursor.byte("a memo index"))
        case .get32, .put32: return try cursor.integer(UInt32.self, "a memo index")
        default:
            let text = try line()
            guard let index = UInt32(text) else { throw malformed("\(text) is no memo index") }
            return index
        }
    }

    // MARK: - Errors

    func malformed(_ problem: String) -> InputError {
        .model(
            "\(problem) (byte \(cursor.position))", at: file.path,
            try: "the file is damaged or of another kind: fetch it again")
    }

    /// What a pickle must not do.
    func refused(_ name: String) -> InputError {
        .model(
            "the pickle asks for \(name), which is no plain data (byte \(cursor.position))", at: file.path,
            try: "nothing was executed; save the weights alone, as a state dictionary or as safetensors")
    }
}
