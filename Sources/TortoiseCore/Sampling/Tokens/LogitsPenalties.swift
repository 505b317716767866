import Foundation

// What changes the logits of codes because of the codes before them.

/// Makes codes that were used less likely: `transformers`' repetition penalty, with an optional decay over distance.
///
/// A code counts once, at its last use, however often it was used (Keskar et al., "CTRL", 2019).
struct RepetitionPenalty {
    let penalty: Float
    let decay: Float
    /// Codes that count as used before the first one, nearest first.
    var placeholders: [Int32] = []

    func apply(to logits: inout MutableSpan<Float>, after codes: [Int32]) {
        guard penalty != 1 else { return }
        var isSeen = [Bool](repeating: false, count: logits.count)
        var distance: Float = 0
        func penalize(_ code: Int32, _ logits: inout MutableSpan<Float>) {
            distance += 1
            let index = Int(code)
            guard isSeen.indices.contains(index), !isSeen[index] else { return }
            isSeen[index] = true
            let factor = factor(at: distance)
            logits[index] = logits[index] < 0 ? logits[index] * factor : logits[index] / factor
        }
        for code in codes.reversed() { penalize(code, &logits) }
        for code in placeholders { penalize(code, &logits) }
    }

    /// Never on the other side of 1 from the penalty: decay must not turn it into a reward.
    private func factor(at distance: Float) -> Float {
        guard decay != 0 else { return penalty }
        let factor = penalty * pow(distance, decay)
        return penalty > 1 ? max(factor, 1) : min(factor, 1)
    }
}

/// DRY: subtracts from the logit of every code that would continue a run which occurred before.
struct RepeatedRunProcessor {
    let settings: RepeatedRunPenalty
    /// A code that no run contains: silence may be as long as it likes.
    let breaker: Int32

    func apply(to logits: inout MutableSpan<Float>, after codes: [Int32]) {
        let recent = settings.range > 0 ? Array(codes.suffix(settings.range)) : codes
        for (code, length) in longestRuns(recent) where length >= settings.allowedLength {
            guard (0..<logits.count).contains(Int(code)) else { continue }
            // A run of hundreds of codes would overflow; a penalty of 1e9 forbids as well.
            let penalty = settings.multiplier * pow(settings.base, Float(length - settings.allowedLength))
            logits[Int(code)] -= min(penalty, 1e9)
        }
    }

    /// For every code that followed an earlier copy of the end of the sequence: the length of the longest such copy.
    private func longestRuns(_ codes: [Int32]) -> [Int32: Int] {
        var runs: [Int32: Int] = [:]
        guard let last = codes.last, last != breaker else { return runs }
        for end in codes.indices.dropLast() where codes[end] == last && codes[end + 1] != breaker {
            var length = 1
            while length <= end, codes[end - length] == codes[codes.count - 1 - length], codes[end - length] != breaker
            {
                length += 1
            }
            runs[codes[end + 1]] = max(runs[codes[end + 1]] ?? 0, length)
        }
        return runs
    }
}

/// Makes the stop token less likely (power above 0) or more likely (below 0), the more the longer the sequence is.
///
/// After e-c-k-e-r's `length_penalize`, which divides the logit by length ^ power; that has the opposite effect on
/// negative logits, which are multiplied here.
struct StopPenalty {
    let power: Float
    let stop: Int32

    func apply(to logits: inout MutableSpan<Float>, after codes: [Int32]) {
        guard power != 0, codes.count > 1, (0..<logits.count).contains(Int(stop)) else { return }
        let factor = pow(Float(codes.count), power)
        let logit = logits[Int(stop)]
        logits[Int(stop)] = logit < 0 ? logit * factor : logit / factor
    }
}
