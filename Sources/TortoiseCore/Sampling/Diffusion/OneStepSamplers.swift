// Samplers that look at one step only.

import Foundation

/// A draw from the learned distribution of each step back (Ho et al., 2020). Port of `p_sample`.
struct AncestralSampler: DiffusionSampler {
    func advance(_ x: Tensor, from step: Int, _ process: DenoisingProcess) throws -> Tensor {
        let prediction = try process.predict(x, step)
        let (diffusion, steps) = (process.diffusion, process.steps(step, x))
        let mean = diffusion.backwardMean(x, start: prediction.start, steps: steps)
        guard step > 0 else { return mean }
        let noise = process.freshNoise(step, like: x)
        guard let range = prediction.varianceRange else {
            // Without a learned variance the least that makes sense, as the original's fixed_small.
            return mean + noise * diffusion.column(steps, like: x) { exp(diffusion.leastLogVariance[$0] / 2) }
        }
        return mean + noise * (diffusion.logVariance(range, steps: steps) * 0.5).exp
    }
}

/// A step along the straight line between data and noise, with `eta` of the noise made afresh (Song et al., 2020).
///
/// Port of `ddim_sample`.
struct DDIMSampler: DiffusionSampler {
    let eta: Double

    func advance(_ x: Tensor, from step: Int, _ process: DenoisingProcess) throws -> Tensor {
        let diffusion = process.diffusion
        let start = try process.predict(x, step).start
        let noise = diffusion.noise(x, start: start, steps: process.steps(step, x))
        let (signal, previous) = (diffusion.signal[step], diffusion.previousSignal[step])
        let fresh = eta * ((1 - previous) / (1 - signal)).squareRoot() * (1 - signal / previous).squareRoot()
        let kept = max(0, 1 - previous - fresh * fresh).squareRoot()
        let next = start * Float(previous.squareRoot()) + noise * Float(kept)
        return step > 0 && fresh > 0 ? next + process.freshNoise(step, like: x) * Float(fresh) : next
    }
}

/// Euler's step, then the mean of its slope and that at its end (Karras et al., 2022, algorithm 1 without churn).
///
/// Slopes are those of x / √ᾱ over the ratio of noise to signal; the last step, to no noise at all, is Euler's.
struct HeunSampler: DiffusionSampler {
    func advance(_ x: Tensor, from step: Int, _ process: DenoisingProcess) throws -> Tensor {
        let diffusion = process.diffusion
        func ratio(_ step: Int) -> Double { diffusion.noiseScale(step) / diffusion.signalScale(step) }
        let start = try process.predict(x, step).start
        guard step > 0 else { return start }
        let (scale, nextScale) = (diffusion.signalScale(step), diffusion.signalScale(step - 1))
        let (now, next) = (ratio(step), ratio(step - 1))
        let scaled = x * Float(1 / scale)
        let slope = (scaled - start) * Float(1 / now)
        let euler = scaled + slope * Float(next - now)
        let nextStart = try process.predict(euler * Float(nextScale), step - 1).start
        let nextSlope = (euler - nextStart) * Float(1 / next)
        return (scaled + (slope + nextSlope) * Float((next - now) / 2)) * Float(nextScale)
    }
}
