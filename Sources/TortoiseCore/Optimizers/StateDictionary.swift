/// Everything that an optimizer or an average remembers between steps: numbers and tensors by name, in a stable order.
///
/// A value: tensors are shared with the object that it was taken from, which copies them before its next change where
/// the state is still around. Writing it to a file and back keeps every bit.
public struct StateDictionary {
    /// What the state is of, "adam" for example; restoring refuses another kind.
    public let kind: String
    /// Counts and other numbers.
    public private(set) var scalars: [(name: String, value: Double)] = []
    /// Arrays.
    public private(set) var tensors: [(name: String, tensor: Tensor)] = []

    public init(kind: String) { self.kind = kind }

    /// Adds a number.
    public mutating func append(_ name: String, _ value: Double) { scalars.append((name, value)) }
    /// Adds an array.
    public mutating func append(_ name: String, _ tensor: Tensor) { tensors.append((name, tensor)) }
}

/// Takes a state apart by name and keeps account of what does not fit.
struct StateReader {
    private var scalars: [String: Double] = [:]
    private var tensors: [String: Tensor] = [:]
    private var missing: [String] = []
    private var unfit: [String] = []
    private let label: String

    /// - Throws: `InputError.model` when the state is of another kind or names something twice.
    init(_ state: StateDictionary, kind: String) throws {
        label = "the state of \(kind)"
        guard state.kind == kind else {
            throw InputError.model(
                "expected the state of \(kind), found that of \(state.kind)",
                try: "continue with the optimizer that wrote the checkpoint, or start without its state")
        }
        var twice: [String] = []
        for (name, value) in state.scalars where scalars.updateValue(value, forKey: name) != nil { twice.append(name) }
        for (name, tensor) in state.tensors where tensors.updateValue(tensor, forKey: name) != nil {
            twice.append(name)
        }
        guard twice.isEmpty else {
            throw InputError.model("\(label) has two entries of one name: \(twice.joined(separator: ", "))")
        }
    }

    /// A number that passes a test, of which `expected` tells; 0 and a record of the fault otherwise.
    mutating func scalar(_ name: String, _ expected: String, where accepts: (Double) -> Bool) -> Double {
        guard let value = scalars.removeValue(forKey: name) else {
            missing.append(name)
            return 0
        }
        guard accepts(value) else {
            unfit.append("\(name) (expected \(expected), found \(value))")
            return 0
        }
        return value
    }

    /// A number of steps.
    mutating func count(_ name: String) -> Int {
        let isCount = { (value: Double) in value >= 0 && value <= 0x1p53 && value == value.rounded() }
        return Int(scalar(name, "a whole number", where: isCount))
    }

    /// A copy of an array that belongs to the reader's caller; zeros and a record of the fault where it does not fit.
    mutating func tensor(_ name: String, _ shape: [Int], _ dtype: DType = .float32) -> Tensor {
        let own = Tensor(zeroBytes: shape, dtype: dtype)
        guard let found = tensors.removeValue(forKey: name) else {
            missing.append(name)
            return own
        }
        guard found.shape == shape, found.dtype == dtype else {
            unfit.append("\(name) (expected \(shape) of \(dtype), found \(found.shape) of \(found.dtype))")
            return own
        }
        own.storeValues(of: found)
        return own
    }

    /// - Throws: `InputError.model` that lists everything missing, unfit or left over.
    func finish() throws {
        var faults: [String] = []
        let left = (Array(scalars.keys) + Array(tensors.keys)).sorted()
        if !missing.isEmpty {
            let named = missing.map { name -> String in
                guard let nearest = nearestNames(to: name, among: left, limit: 1).first else { return name }
                return "\(name) (did it mean \(nearest)?)"
            }
            faults.append("missing: " + named.joined(separator: ", "))
        }
        if !unfit.isEmpty { faults.append("unfit: " + unfit.joined(separator: ", ")) }
        if !left.isEmpty { faults.append("not expected: " + left.joined(separator: ", ")) }
        guard !faults.isEmpty else { return }
        throw InputError.model(
            "\(label) does not fit; " + faults.joined(separator: "; "),
            try: "check that the checkpoint is of this model, with the same parameters trainable and the same settings")
    }
}

extension Tensor {
    /// A dense tensor of zero bits.
    init(zeroBytes shape: [Int], dtype: DType) {
        self.init(uninitialized: shape, dtype: dtype)
        storage.base.initializeMemory(as: UInt8.self, repeating: 0, count: shape.product * dtype.byteCount)
    }

    /// Gives the tensor storage of its own where somebody else, such as a saved state, shares it.
    ///
    /// For memory that its owner is about to change.
    mutating func makeStorageUnique() {
        guard !isKnownUniquelyReferenced(&storage) else { return }
        let own = Tensor(uninitialized: shape, dtype: dtype)
        own.storeValues(of: self)
        self = own
    }
}
