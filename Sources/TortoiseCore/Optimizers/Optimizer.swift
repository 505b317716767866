/// Parameters that are trained with one learning rate and one weight decay.
public struct ParameterGroup {
    /// The parameters, in a stable order.
    public let parameters: [Parameter]
    /// The learning rate before the schedule's factor.
    public var learningRate: Double
    /// The weight decay; what it does is the optimizer's matter.
    public var weightDecay: Double

    public init(_ parameters: [Parameter], learningRate: Double, weightDecay: Double = 0) {
        self.parameters = parameters
        self.learningRate = learningRate
        self.weightDecay = weightDecay
    }
}

/// Changes parameters in place so that a loss falls.
///
/// A parameter without a gradient is passed over, and so is its state, as in PyTorch. Given the same gradients, results
/// do not depend on the number of threads.
public protocol Optimizer: AnyObject {
    /// What `state()` is of, and what `restore(_:)` expects.
    var kind: String { get }
    /// The parameters with what may differ between them; rates may change at any time.
    var groups: [ParameterGroup] { get set }
    /// What every group's learning rate is multiplied by: the schedule's factor at this step.
    var learningRateFactor: Double { get set }

    /// Makes one step.
    ///
    /// - Parameter gradientScale: Multiplied into every gradient on its way: the factor of clipping, for example.
    func step(_ gradients: Gradients, gradientScale: Float)

    /// What the optimizer remembers between steps, by the parameters' names; learning rates and settings are not part.
    func state() -> StateDictionary

    /// Continues from a state, bit for bit; on an error nothing has changed.
    ///
    /// - Throws: `InputError.model` that lists every missing, misshapen and unexpected entry.
    func restore(_ state: StateDictionary) throws
}

extension Optimizer {
    /// Makes one step with the gradients as they are.
    public func step(_ gradients: Gradients) { step(gradients, gradientScale: 1) }

    /// All parameters, group by group.
    public var parameters: [Parameter] { groups.flatMap(\.parameters) }

    /// - Precondition: no parameter occurs twice.
    func checkGroups() {
        var names: Set<String> = []
        for parameter in parameters {
            precondition(names.insert(parameter.name).inserted, "\(kind): parameter \(parameter.name) occurs twice")
        }
    }
}

extension Gradients {
    /// The gradient of a parameter, dense; nil where there is none.
    func dense(of parameter: Parameter) -> Tensor? {
        guard let gradient = self[parameter.value] else { return nil }
        precondition(
            gradient.shape == parameter.shape,
            "\(parameter.name) has shape \(parameter.shape), its gradient \(gradient.shape)")
        return gradient.contiguousValues
    }
}

/// An array that an optimizer keeps for a parameter.
struct StateArray {
    /// What follows the parameter's name and a full stop in the state's names; PyTorch's word where it has one.
    let name: String
    let shape: [Int]
    var dtype = DType.float32
}

/// What an optimizer keeps for one parameter from its first gradient on.
final class ParameterState {
    /// Steps that this parameter has made.
    var steps: Int
    /// In the order of the optimizer's layout.
    var arrays: [Tensor]

    init(steps: Int, arrays: [Tensor]) {
        self.steps = steps
        self.arrays = arrays
    }

    /// Gives the arrays memory of their own where a saved state shares it.
    func makeUnique() {
        for i in arrays.indices { arrays[i].makeStorageUnique() }
    }
}

/// What an optimizer keeps for its parameters.
struct ParameterStates {
    private var states: [ObjectIdentifier: ParameterState] = [:]

    /// The state of a parameter, about to be changed; all zeros the first time.
    mutating func forUpdate(_ parameter: Parameter, _ layout: [StateArray]) -> ParameterState {
        if let state = states[ObjectIdentifier(parameter)] {
            state.makeUnique()
            return state
        }
        let state = ParameterState(steps: 0, arrays: layout.map { Tensor(zeroBytes: $0.shape, dtype: $0.dtype) })
        states[ObjectIdentifier(parameter)] = state
        return state
    }

    /// The state of a parameter; nil before its first gradient.
    subscript(_ parameter: Parameter) -> ParameterState? { states[ObjectIdentifier(parameter)] }

    /// Appends `NAME.step` and, once a parameter has made a step, its arrays.
    func write(_ parameter: Parameter, _ layout: [StateArray], to dictionary: inout StateDictionary) {
        let state = self[parameter]
        dictionary.append("\(parameter.name).step", Double(state?.steps ?? 0))
        for (array, tensor) in zip(layout, state?.arrays ?? []) {
            dictionary.append("\(parameter.name).\(array.name)", tensor)
        }
    }

    /// Reads what `write` wrote.
    mutating func read(_ parameter: Parameter, _ layout: [StateArray], from reader: inout StateReader) {
        let steps = reader.count("\(parameter.name).step")
        guard steps > 0 else { return }
        let arrays = layout.map { reader.tensor("\(parameter.name).\($0.name)", $0.shape, $0.dtype) }
        states[ObjectIdentifier(parameter)] = ParameterState(steps: steps, arrays: arrays)
    }
}
