import Testing

@testable import TortoiseCore

/// ‖a − b‖ / ‖b‖ within a tolerance.
func expectClose(
    _ a: Tensor, _ b: Tensor, _ tolerance: Double, _ what: String, _ location: SourceLocation = #_sourceLocation
) {
    #expect(a.shape == b.shape, "\(what): shapes", sourceLocation: location)
    guard a.shape == b.shape else { return }
    let difference = (a.detached - b.detached).sumOfSquares.squareRoot()
    let size = max(b.sumOfSquares.squareRoot(), 1e-20)
    #expect(difference / size <= tolerance, "\(what): relative error \(difference / size)", sourceLocation: location)
}
