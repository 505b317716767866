/// Where the values of parameters come from: a file, or somebody's dictionary.
public protocol ParameterSource {
    /// What it is, for messages: the file's path.
    var label: String { get }
    /// All names it has.
    var names: [String] { get }
    /// A tensor by name, in the element type in which it is stored; `nil` when there is none.
    ///
    /// - Throws: `InputError.model` when it is there but cannot be read.
    func tensor(_ name: String) throws -> Tensor?
}

/// The element type in which weights are kept for inference.
public enum WeightPrecision: String, Sendable, CaseIterable {
    case float32, bfloat16, int8, int4
}

extension WeightDType {
    /// How weights of this type are kept in memory: the smallest precision that loses nothing of what matters in them.
    public var precision: WeightPrecision {
        switch self {
        case .float32: .float32
        case .float16, .bfloat16: .bfloat16
        case .int8, .float8E5M2, .float8E4M3: .int8
        case .int4: .int4
        }
    }
}

/// All parameters of a model in the order in which it made them, and the check that its file fits.
///
/// Values come from the source where there is one, else from each parameter's initializer. Nothing is found by
/// reflection: a parameter is what a layer registered through a `ParameterScope`.
public final class ParameterStore {
    /// In order of registration, which is PyTorch's for models ported in order.
    public private(set) var parameters: [Parameter] = []

    private let source: (any ParameterSource)?
    private let random: RandomSource
    let precision: WeightPrecision
    private var registered: Set<String> = []
    private var missing: [String] = []
    private var misshapen: [String] = []
    private var unreadable: [String] = []

    private init(source: (any ParameterSource)?, random: RandomSource, precision: WeightPrecision) {
        self.source = source
        self.random = random
        self.precision = precision
    }

    /// Makes a model with fresh values.
    ///
    /// - Parameter seed: The same seed gives the same values.
    public static func initialize<Model>(
        seed: UInt64, _ makeModel: (ParameterScope) throws -> Model
    ) rethrows -> (model: Model, parameters: ParameterStore) {
        let store = ParameterStore(source: nil, random: RandomSource(seed: seed)["initialization"], precision: .float32)
        return (try makeModel(ParameterScope(store: store, path: [])), store)
    }

    /// Makes a model with the values of a file.
    ///
    /// - Parameter precision: How matrices of weights are kept; the rest is float32.
    /// - Throws: `InputError.model` that lists every missing, unused and mis-shaped name.
    public static func load<Model>(
        from source: any ParameterSource, precision: WeightPrecision = .float32,
        _ makeModel: (ParameterScope) throws -> Model
    ) throws -> (model: Model, parameters: ParameterStore) {
        let random = RandomSource(seed: 0)["initialization"]
        let store = ParameterStore(source: source, random: random, precision: precision)
        let model = try makeModel(ParameterScope(store: store, path: []))
        try store.checkFit()
        return (model, store)
    }

    /// A parameter by its name.
    public subscript(_ name: String) -> Parameter? { parameters.first { $0.name == name } }

    /// The parameters that gradients reach.
    public var trainable: [Parameter] { parameters.filter(\.isTrainable) }

    /// Makes every parameter trainable, or only those that a test accepts.
    public func setTrainable(where accepts: (Parameter) -> Bool = { _ in true }) {
        for parameter in parameters { parameter.isTrainable = accepts(parameter) }
    }

    // MARK: - Registration

    func register(_ name: String, _ shape: [Int], _ initializer: Initializer, isMatrix: Bool) -> Parameter {
        precondition(registered.insert(name).inserted, "two parameters are named \(name)")
        let parameter = makeParameter(name, shape, initializer, isMatrix: isMatrix)
        parameters.append(parameter)
        return parameter
    }

    /// Whether the source has a parameter: for parts of a model that only some files have.
    func hasValue(_ name: String) -> Bool { source?.names.contains(name) ?? true }

    private func makeParameter(_ name: String, _ shape: [Int], _ initializer: Initializer, isMatrix: Bool) -> Parameter
    {
        guard let stored = storedTensor(name) else {
            return Parameter(name: name, value: initializer.values(shape, random[name]))
        }
        guard stored.shape == shape else {
            misshapen.append("\(name) (expected \(shape), found \(stored.shape))")
            return Parameter(name: name, value: Tensor.zeros(shape))
        }
        // What was packed or widened is not needed in its old form.
        defer { if precision != .float32 || stored.dtype != .float32 { stored.storage.releasePages() } }
        guard isMatrix, shape.count == 2 else { return Parameter(name: name, value: stored.converted(to: .float32)) }
        return Parameter(name: name, matrix: stored, precision)
    }

    private func storedTensor(_ name: String) -> Tensor? {
        guard let source else { return nil }
        do {
            if let tensor = try source.tensor(name) { return tensor }
            missing.append(name)
        } catch {
            unreadable.append("\(name): \(error)")
        }
        return nil
    }

    private func checkFit() throws {
        guard let source else { return }
        let unused = source.names.filter { !registered.contains($0) }
        var faults = unreadable
        if !misshapen.isEmpty { faults.append("wrong shapes: " + misshapen.joined(separator: ", ")) }
        if !missing.isEmpty {
            let named = missing.map { name -> String in
                guard let nearest = nearestNames(to: name, among: unused, limit: 1).first else { return name }
                return "\(name) (did the file mean \(nearest)?)"
            }
            faults.append("missing: " + named.joined(separator: ", "))
        }
        if !unused.isEmpty { faults.append("not part of the model: " + unused.joined(separator: ", ")) }
        guard !faults.isEmpty else { return }
        throw InputError.model(
            "the weights do not fit the model; " + faults.joined(separator: "; "), at: source.label,
            try: "check that the file is of this model and that its sizes are those of the configuration")
    }
}

/// A place in a model's tree of parameters: `scope["gpt"]["h"][3]`.
public struct ParameterScope {
    let store: ParameterStore
    let path: [String]

    /// The part of the tree below a name.
    public subscript(_ key: String) -> ParameterScope { ParameterScope(store: store, path: path + [key]) }
    /// The part of the tree below a position in a list.
    public subscript(_ index: Int) -> ParameterScope { self[String(index)] }

    /// The full key of a parameter here.
    public func name(_ key: String) -> String { (path + [key]).joined(separator: ".") }

    /// Registers a parameter, kept as float32.
    ///
    /// - Precondition: the name is new.
    public func parameter(_ key: String, _ shape: [Int], _ initializer: Initializer) -> Parameter {
        store.register(name(key), shape, initializer, isMatrix: false)
    }

    /// Registers a matrix of weights [outputs, inputs], kept in the precision that was asked for at loading.
    ///
    /// - Precondition: the name is new.
    public func matrix(_ key: String, _ outputs: Int, _ inputs: Int, _ initializer: Initializer) -> Parameter {
        store.register(name(key), [outputs, inputs], initializer, isMatrix: true)
    }

    /// Whether the file has a parameter here; true when there is no file.
    public func has(_ key: String) -> Bool { store.hasValue(name(key)) }
}
