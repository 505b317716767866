import Foundation

// What sharpens the logits and leaves out codes, by setting their logits to −∞. Each keeps at least `minimumKept` codes.

extension MutableSpan where Element == Float {
    /// The codes that have not been left out.
    var keptIndices: [Int] { (0..<count).filter { self[$0] > -.infinity } }

    /// The largest value; −∞ for none.
    var maximum: Float {
        var result = -Float.infinity
        for i in 0..<count { result = Swift.max(result, self[i]) }
        return result
    }

    /// Leaves out a code.
    mutating func exclude(_ index: Int) { self[index] = -.infinity }

    /// Softmax in double precision, where what was left out has probability 0.
    var probabilities: [Double] {
        let top = Double(maximum)
        var weights = [Double](repeating: 0, count: count)
        var sum = 0.0
        for i in 0..<count where self[i] > -.infinity {
            weights[i] = exp(Double(self[i]) - top)
            sum += weights[i]
        }
        return weights.map { $0 / sum }
    }

    /// Replaces logits by the logarithms of their softmax.
    mutating func normalize() {
        let top = Double(maximum)
        var sum = 0.0
        for i in 0..<count { sum += exp(Double(self[i]) - top) }
        let logSum = top + log(sum)
        for i in 0..<count { self[i] = Float(Double(self[i]) - logSum) }
    }
}

/// Divides by a constant.
struct Temperature {
    let value: Float

    func apply(to logits: inout MutableSpan<Float>) {
        guard value != 1 else { return }
        for i in 0..<logits.count { logits[i] /= value }
    }
}

extension DynamicTemperature {
    func apply(to logits: inout MutableSpan<Float>) {
        let probabilities = logits.probabilities
        let kept = logits.keptIndices.count
        guard kept > 1 else { return }
        let entropy = probabilities.reduce(0.0) { $1 > 0 ? $0 - $1 * log($1) : $0 }
        let share = pow(min(entropy / log(Double(kept)), 1), Double(exponent))
        Temperature(value: minimum + (maximum - minimum) * Float(share)).apply(to: &logits)
    }
}

/// Keeps the most likely codes, and those tied with the last of them.
struct TopK {
    let count: Int
    var minimumKept = 1

    func apply(to logits: inout MutableSpan<Float>) {
        let wanted = max(count, minimumKept)
        guard count > 0, wanted < logits.count else { return }
        var values = (0..<logits.count).map { logits[$0] }
        let limit = values.largest(wanted)
        for i in 0..<logits.count where logits[i] < limit { logits.exclude(i) }
    }
}

/// Keeps the most likely codes up to the one that makes their probability reach a limit (Holtzman et al., 2020).
struct TopP {
    let mass: Float
    var minimumKept = 1

    func apply(to logits: inout MutableSpan<Float>) {
        guard mass < 1 else { return }
        let probabilities = logits.probabilities
        let ascending = logits.keptIndices.sorted {
            probabilities[$0] == probabilities[$1] ? $0 < $1 : probabilities[$0] < probabilities[$1]
        }
        var cumulative = 0.0
        for index in ascending.dropLast(minimumKept) {
            cumulative += probabilities[index]
            guard cumulative <= Double(1 - mass) else { break }
            logits.exclude(index)
        }
    }
}

/// Keeps codes that have at least a share of the most likely code's probability.
struct MinP {
    let share: Float
    var minimumKept = 1

    func apply(to logits: inout MutableSpan<Float>) {
        guard share > 0 else { return }
        var values = (0..<logits.count).map { logits[$0] }
        let spared = minimumKept < values.count ? values.largest(minimumKept) : -.infinity
        let top = logits.maximum
        for i in 0..<logits.count where logits[i] < spared && exp(Double(logits[i] - top)) < Double(share) {
            logits.exclude(i)
        }
    }
}

/// Keeps the codes whose surprise is nearest to the entropy, up to the one that makes their probability reach a limit
/// (Meister et al., "Locally Typical Sampling", 2022).
struct Typical {
    let mass: Float
    var minimumKept = 1

    func apply(to logits: inout MutableSpan<Float>) {
        let probabilities = logits.probabilities
        let entropy = probabilities.reduce(0.0) { $1 > 0 ? $0 - $1 * log($1) : $0 }
        let distances = probabilities.map { abs(-log($0) - entropy) }
        let nearest = logits.keptIndices.sorted {
            distances[$0] == distances[$1] ? $0 < $1 : distances[$0] < distances[$1]
        }
        var cumulative = 0.0
        // As many codes as stay below the mass, and one more.
        let below = nearest.prefix {
            cumulative += probabilities[$0]
            return cumulative < Double(mass)
        }
        guard below.count < nearest.count else { return }
        let limit = distances[nearest[below.count]]
        for index in nearest.dropFirst(minimumKept) where distances[index] > limit { logits.exclude(index) }
    }
}

extension [Float] {
    /// The `rank`-th largest value, by Hoare's selection; changes the order.
    ///
    /// - Precondition: 1 ≤ rank ≤ count, and no value is NaN.
    mutating func largest(_ rank: Int) -> Float {
        let target = rank - 1
        var (low, high) = (0, count - 1)
        while low < high {
            let pivot = self[low + (high - low) / 2]
            var (i, j) = (low, high)
            while i <= j {
                while self[i] > pivot { i += 1 }
                while self[j] < pivot { j -= 1 }
                guard i <= j else { break }
                swapAt(i, j)
                i += 1
                j -= 1
            }
            if target <= j { high = j } else if target >= i { low = i } else { break }
        }
        return self[target]
    }
}
