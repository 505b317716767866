import Foundation

/// Where Mirostat stands with one candidate.
struct MirostatState {
    private let settings: Mirostat
    /// The largest surprise that is allowed now, in bits.
    private(set) var limit: Double

    init(_ settings: Mirostat) {
        self.settings = settings
        limit = 2 * Double(settings.tau)
    }

    /// Draws a code and moves the limit by how much its surprise missed the target.
    ///
    /// - Parameter probabilities: Of all codes, after the temperature.
    /// - Returns: `nil` when the probabilities are not numbers.
    mutating func draw(_ probabilities: [Double], at share: Double) -> Int? {
        let kept = settings.version == .one ? truncatedByRank(probabilities) : truncatedBySurprise(probabilities)
        guard let index = drawIndex(kept, at: share) else { return nil }
        // The first version measures surprise before the cut, the second one after it, as their authors do.
        let probability = settings.version == .one ? probabilities[index] : kept[index] / kept.reduce(0, +)
        limit -= Double(settings.eta) * (-log2(probability) - Double(settings.tau))
        return index
    }

    /// Version 2: what surprises by no more than the limit; at least the most likely code.
    private func truncatedBySurprise(_ probabilities: [Double]) -> [Double] {
        let threshold = exp2(-limit)
        let kept = probabilities.map { $0 >= threshold ? $0 : 0 }
        if kept.contains(where: { $0 > 0 }) { return kept }
        return keepingLargest(1, of: probabilities)
    }

    /// Version 1: as many of the most likely codes as would give the limit's surprise under Zipf's law.
    private func truncatedByRank(_ probabilities: [Double]) -> [Double] {
        keepingLargest(rankLimit(probabilities), of: probabilities)
    }

    /// k = (ε 2^μ / (1 − N^−ε))^(1/s) for N codes whose probabilities fall by rank^−s, ε = s − 1; rounded, plus one.
    private func rankLimit(_ probabilities: [Double]) -> Int {
        let count = Double(probabilities.count)
        let s = zipfExponent(probabilities)
        let epsilon = s - 1
        let base = abs(epsilon) < 1e-9 ? exp2(limit) / log(count) : epsilon * exp2(limit) / (1 - pow(count, -epsilon))
        let rank = pow(base, 1 / s).rounded() + 1
        // Equal probabilities (s = 0) give an infinite or undefined rank: no limit.
        return rank < count ? max(Int(rank), 1) : probabilities.count
    }

    /// How steeply the hundred largest probabilities fall with their rank: least squares through the origin of
    /// log(pᵢ / pᵢ₊₁) over log((i + 1) / i).
    private func zipfExponent(_ probabilities: [Double]) -> Double {
        let largest = probabilities.sorted(by: >).prefix(100)
        var (products, squares) = (0.0, 0.0)
        for (index, pair) in zip(largest, largest.dropFirst()).enumerated() where pair.1 > 0 {
            let t = log(Double(index + 2) / Double(index + 1))
            products += t * log(pair.0 / pair.1)
            squares += t * t
        }
        return squares > 0 ? products / squares : 0
    }

    private func keepingLargest(_ count: Int, of probabilities: [Double]) -> [Double] {
        guard count < probabilities.count else { return probabilities }
        let order = probabilities.indices.sorted {
            probabilities[$0] == probabilities[$1] ? $0 < $1 : probabilities[$0] > probabilities[$1]
        }
        var kept = [Double](repeating: 0, count: probabilities.count)
        for index in order.prefix(count) { kept[index] = probabilities[index] }
        return kept
    }
}
