import Foundation

/// How the learning rate changes with the optimizer's steps: a factor on the rate, as a pure function of the step.
///
/// Steps count from 0: `factor(at: n)` is for the step that follows n others. All warm-ups rise as (n + 1) / steps, so
/// that the first step is not lost.
public enum LearningRateSchedule: Codable, Equatable, Sendable {
    /// 1 throughout; the reference's "".
    case constant
    /// The reference's "warmup": rises for `steps`, then shrinks by the share `decay` with each step.
    case warmup(steps: Int, decay: Double = 0)
    /// The reference's "noam" (Vaswani et al., "Attention is all you need", 2017): width^-½ · min(t^-½, t · warmup^-1.5),
    /// t = n + 1.
    case noam(width: Int, warmup: Int)
    /// The reference's "cosineannealing", PyTorch's `CosineAnnealingLR`: half a cosine down to `minimum` over `period`
    /// steps, and up again, without end.
    case cosineAnnealing(period: Int, minimum: Double = 0)
    /// The reference's "onecycle", PyTorch's `OneCycleLR` (Smith and Topin, 2018) without its cycle of the momentum: up by a
    /// cosine from 1 / `divisor` over the share `rise` of the steps, then down to 1 / (`divisor` · `finalDivisor`).
    case oneCycle(steps: Int, rise: Double = 0.3, divisor: Double = 25, finalDivisor: Double = 1e4)
    /// A linear warm-up, then half a cosine down to `minimum` at `steps`, where it stays (Loshchilov and Hutter, 2017).
    case cosine(steps: Int, warmup: Int = 0, minimum: Double = 0)
    /// A linear warm-up, then a straight line down to `end` at `steps`, where it stays.
    case linear(steps: Int, warmup: Int = 0, end: Double = 0)

    /// What the learning rate is multiplied by in the step that follows `step` others.
    public func factor(at step: Int) -> Double {
        let step = max(step, 0), n = Double(step)
        switch self {
        case .constant: return 1
        case .warmup(let steps, let decay):
            if step < steps { return (n + 1) / Double(steps) }
            return decay == 0 ? 1 : pow(1 - decay, n - Double(max(steps, 0)))
        case .noam(let width, let warmup):
            let t = n + 1
            return pow(Double(max(width, 1)), -0.5) * min(pow(t, -0.5), t * pow(Double(max(warmup, 1)), -1.5))
        case .cosineAnnealing(let period, let minimum):
            return between(1, minimum, Self.halfCosine(n / Double(max(period, 1))))
        case .oneCycle(let steps, let rise, let divisor, let finalDivisor):
            let top = rise * Double(steps) - 1, last = Double(steps) - 1
            if n <= top { return between(1 / divisor, 1, Self.halfCosine(top > 0 ? n / top : 1)) }
            let progress = last > top ? min(1, (n - top) / (last - top)) : 1
            return between(1, 1 / (divisor * finalDivisor), Self.halfCosine(progress))
        case .cosine(let steps, let warmup, let minimum):
            if step < warmup { return (n + 1) / Double(warmup) }
            return between(1, minimum, Self.halfCosine(Self.progress(n, from: warmup, to: steps)))
        case .linear(let steps, let warmup, let end):
            if step < warmup { return (n + 1) / Double(warmup) }
            return between(1, end, Self.progress(n, from: warmup, to: steps))
        }
    }

    private func between(_ a: Double, _ b: Double, _ t: Double) -> Double { a + (b - a) * t }

    /// From 0 to 1 and flat at both ends.
    private static func halfCosine(_ t: Double) -> Double { (1 - cos(.pi * t)) / 2 }

    /// How far along a stretch of steps; 1 from its end on.
    private static func progress(_ n: Double, from start: Int, to end: Int) -> Double {
        let first = Double(max(start, 0)), last = Double(end)
        return last > first ? min(1, (n - first) / (last - first)) : 1
    }
}
