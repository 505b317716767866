import Testing

@testable import TortoiseCore

/// Where two tensors differ most, relative to the size of the values there and in general.
///
/// An element's error is |a − b| / (|b| + rms of b), so that tiny elements of a tensor of ordinary ones are not held to
/// more digits than the arithmetic has. NaN agrees with NaN, an infinity with itself; anything else with them is infinite.
struct TensorDifference: CustomStringConvertible {
    let error: Double
    private let position: [Int]
    private let found, expected: Float

    init(_ actual: Tensor, from reference: Tensor) {
        precondition(actual.shape == reference.shape, "\(actual.shape) cannot be compared with \(reference.shape)")
        let (a, b) = (actual.values, reference.values)
        let finite = b.filter(\.isFinite).map(Double.init)
        let meanSquare = finite.isEmpty ? 0 : finite.reduce(0) { $0 + $1 * $1 } / Double(finite.count)
        let size = max(meanSquare.squareRoot(), 1e-3)
        var worst = (error: 0.0, index: 0)
        for index in a.indices {
            let error = Self.error(a[index], b[index], size: size)
            if error > worst.error { worst = (error, index) }
        }
        error = worst.error
        (found, expected) = a.isEmpty ? (0, 0) : (a[worst.index], b[worst.index])
        position = Self.position(of: worst.index, in: actual.shape)
    }

    private static func error(_ a: Float, _ b: Float, size: Double) -> Double {
        if a == b || (a.isNaN && b.isNaN) { return 0 }
        guard a.isFinite, b.isFinite else { return .infinity }
        return abs(Double(a) - Double(b)) / (abs(Double(b)) + size)
    }

    private static func position(of index: Int, in shape: [Int]) -> [Int] {
        var rest = index
        return shape.reversed().map { size in
            defer { rest /= max(size, 1) }
            return rest % max(size, 1)
        }.reversed()
    }

    var description: String { "error \(error) at \(position): \(found), expected \(expected)" }
}

/// Whether two tensors have the same shape and the same bits.
func haveSameBits(_ a: Tensor, _ b: Tensor) -> Bool {
    a.shape == b.shape && zip(a.values, b.values).allSatisfy { $0.bitPattern == $1.bitPattern }
}

/// Standard normal numbers that follow from the name.
func randomTensor(_ shape: [Int], _ name: String = "x") -> Tensor {
    Tensor(RandomSource(seed: 1)[name].stream.normals(shape.product), shape: shape)
}
