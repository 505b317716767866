/// An exponential moving average of the weights (Polyak and Juditsky, 1992): often better than the weights themselves.
///
/// average ← average + (1 − decay) · (weight − average) after each step, with decay at most (1 + n) / (10 + n) in the n-th
/// update, so that the first weights do not linger.
public final class ExponentialMovingAverage {
    /// The share of the old average that is kept in the long run.
    public let decay: Double
    /// Updates before the average begins; until then it is the weights themselves.
    public let start: Int
    /// Updates so far.
    public private(set) var updates = 0
    /// Whether the parameters hold the averages now, and the averages the weights.
    public private(set) var isSwapped = false

    private let parameters: [Parameter]
    private var averages: [Tensor]

    /// Starts from the present weights of the trainable parameters among those given.
    ///
    /// - Precondition: the decay is in [0, 1).
    public init(_ parameters: [Parameter], decay: Double, start: Int = 0) {
        precondition((0..<1).contains(decay), "moving average: decay \(decay) is not in [0, 1)")
        self.parameters = parameters.filter(\.isTrainable)
        self.decay = decay
        self.start = start
        averages = self.parameters.map { Self.copy($0.value) }
    }

    /// Begins again from the present weights.
    ///
    /// - Precondition: the averages are not swapped in.
    public func restart() {
        precondition(!isSwapped, "moving average: restarted while the averages are swapped in")
        updates = 0
        averages = parameters.map { Self.copy($0.value) }
    }

    /// Takes in the weights after an optimizer's step.
    ///
    /// - Precondition: the averages are not swapped in.
    public func update() {
        precondition(!isSwapped, "moving average: update while the averages are swapped in")
        updates += 1
        guard updates > start else {
            averages = parameters.map { Self.copy($0.value) }
            return
        }
        let n = Double(updates - start)
        let share = Float(1 - min(decay, (1 + n) / (10 + n)))
        for (i, parameter) in parameters.enumerated() {
            averages[i].makeStorageUnique()
            withFloats(averages[i], parameter.value) {
                Kernel.interpolate($0, toward: $1, count: parameter.value.count, by: share)
            }
        }
    }

    /// The averages by the parameters' names.
    ///
    /// - Precondition: the averages are not swapped in.
    public var values: [(name: String, tensor: Tensor)] {
        precondition(!isSwapped, "moving average: read while the averages are swapped in")
        return zip(parameters, averages).map { ($0.name, $1) }
    }

    /// Runs `body` while the parameters hold the averages: for evaluation. Afterwards they hold their weights again, bit
    /// for bit.
    public func withAverages<Result>(_ body: () throws -> Result) rethrows -> Result {
        swap()
        defer { swap() }
        return try body()
    }

    /// Exchanges the parameters' values and the averages; a second call undoes it.
    public func swap() {
        isSwapped.toggle()
        for (i, parameter) in parameters.enumerated() {
            averages[i].makeStorageUnique()
            parameter.update { w in
                withFloats(averages[i]) { Kernel.swap(w, $0, count: parameter.value.count) }
            }
        }
    }

    /// The averages and the number of updates.
    ///
    /// - Precondition: the averages are not swapped in.
    public func state() -> StateDictionary {
        var dictionary = StateDictionary(kind: Self.kind)
        dictionary.append("updates", Double(updates))
        for (name, tensor) in values { dictionary.append(name, tensor) }
        return dictionary
    }

    /// Continues from a state; on an error nothing has changed.
    ///
    /// - Throws: `InputError.model` that lists every missing, misshapen and unexpected entry.
    /// - Precondition: the averages are not swapped in.
    public func restore(_ state: StateDictionary) throws {
        precondition(!isSwapped, "moving average: restored while the averages are swapped in")
        var reader = try StateReader(state, kind: Self.kind)
        let newUpdates = reader.count("updates")
        let newAverages = parameters.map { reader.tensor($0.name, $0.shape) }
        try reader.finish()
        (updates, averages) = (newUpdates, newAverages)
    }

    private static let kind = "moving average"

    private static func copy(_ tensor: Tensor) -> Tensor {
        let own = Tensor(uninitialized: tensor.shape)
        own.storeValues(of: tensor.detached)
        return own
    }
}
