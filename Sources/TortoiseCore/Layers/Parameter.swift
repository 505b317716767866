/// A named array of weights that a model owns.
///
/// The values are float32 when they can be trained; for inference they may stay as a file stores them: bfloat16, or
/// blockwise int8 or int4 with scales.
public final class Parameter {
    /// The exact key in files, PyTorch's.
    public let name: String
    /// The values; a tracked leaf while the parameter is trainable.
    public private(set) var value: Tensor
    /// One scale per 32 values of a row, for int8 and int4 values: [rows, ⌈columns / 32⌉].
    public let scales: Tensor?
    /// The shape of the values; that of `value` but for int4, which packs two values a byte.
    public let shape: [Int]

    init(name: String, value: Tensor, scales: Tensor? = nil, shape: [Int]? = nil) {
        self.name = name
        self.value = value
        self.scales = scales
        self.shape = shape ?? value.shape
    }

    /// Whether gradients reach this parameter.
    ///
    /// Setting it to true gives the parameter memory of its own, so that training never writes to a mapped file.
    /// - Precondition: only float32 parameters can be trained.
    public var isTrainable: Bool {
        get { value.isTracked }
        set {
            guard newValue != isTrainable else { return }
            guard newValue else {
                value = value.detached
                return
            }
            precondition(
                value.dtype == .float32, "\(name): \(value.dtype) weights cannot be trained; load it as float32")
            let own = Tensor(uninitialized: shape)
            own.storeValues(of: value)
            value = own.tracked()
        }
    }

    /// Replaces the values of a trainable parameter in place: for optimizers and for restoring a checkpoint.
    ///
    /// - Precondition: the parameter is trainable, and the shape is its own.
    public func assign(_ values: Tensor) {
        precondition(isTrainable, "\(name): values are assigned to trainable parameters only")
        value.storeValues(of: values.detached)
    }

    /// Puts other values in place of a frozen parameter's, such as those with an adapter merged in.
    ///
    /// - Precondition: the parameter is frozen and float32, and the shape is its own.
    func substitute(_ values: Tensor) {
        precondition(
            !isTrainable && value.dtype == .float32 && values.shape == shape && values.dtype == .float32,
            "\(name): \(values.shape) in place of \(shape)")
        value = values.contiguousValues
    }

    /// Gives the memory of a trainable parameter to `body`, which may change it.
    func update(_ body: (Floats) -> Void) {
        precondition(isTrainable, "\(name): only trainable parameters are updated")
        withFloats(value, body)
    }
}
