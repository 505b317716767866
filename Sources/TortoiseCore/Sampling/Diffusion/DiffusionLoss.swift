import Foundation

/// What a prediction costs, by batch entry; the sum of both is trained on.
public struct DiffusionLoss {
    /// The mean squared error of the noise: [batch]. It teaches the noise only.
    public let noise: Tensor
    /// The variational bound in bits per element: [batch]. It teaches the variance only; nil for networks that do not predict it.
    public let bound: Tensor?
    /// The data as the prediction has it: [batch, channels, ...].
    public let start: Tensor

    /// What is trained on: [batch].
    public var total: Tensor { bound.map { noise + $0 } ?? noise }
}

extension GaussianDiffusion {
    /// What a network's prediction for `noised(data, noise, steps:)` costs.
    ///
    /// Port of `training_losses` for losses of type mse; Nichol and Dhariwal's L_hybrid without its weight.
    /// - Parameters:
    ///   - prediction: [batch, channels or 2 · channels, ...]
    ///   - data: [batch, channels, ...]
    ///   - noise: [batch, channels, ...]
    ///   - steps: Of this process, one per batch entry; the network heard `timesteps[step]`.
    ///   - rescalesBound: Whether the bound is multiplied by steps / 1,000 (rescaled_mse).
    public func loss(_ prediction: Tensor, data: Tensor, noise: Tensor, steps: [Int], rescalesBound: Bool = false)
        -> DiffusionLoss
    {
        let channels = data.size(1)
        precondition(
            prediction.size(1) == channels || prediction.size(1) == 2 * channels,
            "diffusion loss: prediction \(prediction.shape) for data \(data.shape)")
        let x = noised(data, noise, steps: steps)
        let predicted = prediction.sliced(1, 0..<channels)
        let error = (noise - predicted).squared.meanOverElements
        var bound: Tensor?
        if prediction.size(1) == 2 * channels {
            let range = prediction.sliced(1, channels..<2 * channels)
            // The bound must not teach the noise.
            let bits = variationalBound(predicted.detached, range, x, data: data, steps: steps)
            bound = rescalesBound ? bits * Float(Double(count) / 1_000) : bits
        }
        return DiffusionLoss(noise: error, bound: bound, start: start(x, noise: predicted, steps: steps))
    }

    /// How many bits more than needed a step back takes, per element; at the first step, how many the data itself takes.
    ///
    /// Port of `_vb_terms_bpd`. Shape: → [batch]
    /// - Parameters:
    ///   - noise: The noise as predicted; gradients reach what is tracked.
    ///   - range: How much of its range the variance uses, as predicted.
    public func variationalBound(_ noise: Tensor, _ range: Tensor, _ x: Tensor, data: Tensor, steps: [Int]) -> Tensor {
        let mean = backwardMean(x, start: start(x, noise: noise, steps: steps), steps: steps)
        let logVariance = logVariance(range, steps: steps)
        let trueMean = backwardMean(x, start: data, steps: steps)
        let trueLogVariance = column(steps, like: x) { leastLogVariance[$0] }
        let distance = (trueMean - mean).squared * (-logVariance).exp
        let divergence = (logVariance - trueLogVariance - 1 + (trueLogVariance - logVariance).exp + distance) * 0.5
        let bits = divergence.meanOverElements * Float(1 / log(2.0))
        guard steps.contains(0) else { return bits }
        let surprise =
            discretizedSurprise(data, mean: mean, logScale: logVariance * 0.5).meanOverElements * Float(1 / log(2.0))
        let isFirst = Tensor(steps.map { $0 == 0 ? 1 : 0 })
        return surprise * isFirst + bits * (1 - isFirst)
    }
}

/// The negative logarithm of the probability of data in 256 levels from −1 to 1, whose outermost are open.
///
/// Port of `discretized_gaussian_log_likelihood`.
private func discretizedSurprise(_ data: Tensor, mean: Tensor, logScale: Tensor) -> Tensor {
    let (centred, sharpness) = (data - mean, (-logScale).exp)
    let below = approximateNormalCDF((centred + 1 / 255) * sharpness)
    let under = approximateNormalCDF((centred - 1 / 255) * sharpness)
    func logarithm(_ x: Tensor) -> Tensor { x.clamped(to: 1e-12...Float.greatestFiniteMagnitude).log }
    let isLowest = Tensor(data.values.map { $0 < -0.999 ? 1 : 0 }, shape: data.shape)
    let isHighest = Tensor(data.values.map { $0 > 0.999 ? 1 : 0 }, shape: data.shape)
    let inner = logarithm(below - under) * (1 - isLowest - isHighest)
    return -(inner + logarithm(below) * isLowest + logarithm(1 - under) * isHighest)
}

/// Page (1977): ½ (1 + tanh(√(2/π) (x + 0.044715 x³))).
private func approximateNormalCDF(_ x: Tensor) -> Tensor {
    let inner = (x + x * x.squared * 0.044_715) * Float((2 / Double.pi).squareRoot())
    return (inner.tanh + 1) * 0.5
}

extension Tensor {
    /// The mean of each batch entry: [batch, ...] → [batch].
    fileprivate var meanOverElements: Tensor { mean(Array(1..<rank)) }
}
