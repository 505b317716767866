/// The mel codes that mean something by themselves, which differ from model to model.
public struct CodeMarkers: Sendable, Equatable {
    /// What every sequence starts with.
    public var start: Int32
    /// What says that the speech is over.
    public var stop: Int32
    /// The code of silence.
    public var calm: Int32
    /// The last codes of a clip that ends in digital silence.
    public var tail: [Int32]

    /// The defaults are the published models'.
    public init(start: Int32 = 8_192, stop: Int32 = 8_193, calm: Int32 = 83, tail: [Int32] = [45, 45, 248]) {
        (self.start, self.stop, self.calm, self.tail) = (start, stop, calm, tail)
    }
}
