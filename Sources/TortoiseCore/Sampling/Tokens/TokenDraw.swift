import Foundation

// Draws that follow from a position of the random numbers alone: the same whatever else is computed, and where.

extension PhiloxStream {
    /// A number from [0, 1), in steps of 2⁻⁵³.
    func uniform(_ position: UInt64 = 0) -> Double {
        let bits = block(position)
        return Double((UInt64(bits[0]) << 32 | UInt64(bits[1])) >> 11) * 0x1p-53
    }
}

extension MutableSpan where Element == Float {
    /// The largest value's index, the first of equal ones; `nil` when there is none that is a finite number.
    var indexOfMaximum: Int? {
        var best: Int?
        for i in 0..<count where self[i] > (best.map { self[$0] } ?? -.infinity) { best = i }
        return best.flatMap { self[$0].isFinite ? $0 : nil }
    }
}

/// The position where the running sum of the weights exceeds a share of their total: a draw in proportion to them.
///
/// - Parameters:
///   - weights: Not negative.
///   - share: From [0, 1).
/// - Returns: Never a position whose weight is 0; `nil` when all are, or one is not a number.
func drawIndex(_ weights: [Double], at share: Double) -> Int? {
    let total = weights.reduce(0, +)
    guard total > 0, total.isFinite else { return nil }
    var (sum, last) = (0.0, 0)
    for (index, weight) in weights.enumerated() where weight > 0 {
        sum += weight
        last = index
        if sum > share * total { return index }
    }
    return last
}

/// A draw of several positions, each in proportion to the weights of those that are left.
///
/// - Returns: Fewer than `count` when fewer weights are above 0.
func drawIndices(_ weights: [Double], count: Int, _ stream: PhiloxStream) -> [Int] {
    var (left, drawn) = (weights, [Int]())
    while drawn.count < count, let index = drawIndex(left, at: stream.uniform(UInt64(drawn.count))) {
        drawn.append(index)
        left[index] = 0
    }
    return drawn
}
