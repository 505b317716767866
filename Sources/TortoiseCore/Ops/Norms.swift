// Normalisation over features, groups and weights.

/// Layer norm over the last axis (Ba, Kiros and Hinton, 2016).
///
/// - Parameters:
///   - x: [..., n]
///   - weight: [n] or none.
///   - bias: [n] or none.
public func layerNorm(_ x: Tensor, weight: Tensor?, bias: Tensor?, epsilon: Float = 1e-5) -> Tensor {
    let n = x.size(-1)
    precondition(
        (weight.map { $0.shape == [n] } ?? true) && (bias.map { $0.shape == [n] } ?? true),
        "layer norm: input \(x.shape), weight \(weight?.shape ?? []), bias \(bias?.shape ?? [])")
    let rows = x.count / max(n, 1)
    let input = x.contiguousValues
    let result = Tensor(uninitialized: x.shape)
    let mean = Tensor(uninitialized: [rows])
    let deviation = Tensor(uninitialized: [rows])
    let gamma = weight?.contiguousValues
    withFloats(result, mean, deviation, input) { y, mean, deviation, x in
        withOptionalFloats(gamma) { gamma in
            withOptionalFloats(bias?.contiguousValues) { beta in
                Kernel.layerNormRows(
                    y, mean: mean, reciprocalDeviation: deviation, x, gamma: gamma, beta: beta, rows: rows, width: n,
                    epsilon: epsilon)
            }
        }
    }
    return result.recorded("layerNorm", from: [x] + present(weight, bias)) { gradient in
        let dy = gradient.contiguousValues
        let dx = Tensor(uninitialized: dy.shape)
        let dGamma = weight.map { _ in Tensor(uninitialized: [n]) }
        let dBeta = bias.map { _ in Tensor(uninitialized: [n]) }
        withFloats(dx, dy, input) { dx, dy, x in
            withFloats(mean, deviation) { mean, deviation in
                withOptionalFloats(gamma) { gamma in
                    withOptionalFloats(dGamma) { dGamma in
                        withOptionalFloats(dBeta) { dBeta in
                            Kernel.layerNormGradientRows(
                                dx, dGamma: dGamma, dBeta: dBeta, dy: dy, x: x, mean: mean,
                                reciprocalDeviation: deviation, gamma: gamma, rows: rows, width: n)
                        }
                    }
                }
            }
        }
        return [dx] + present(dGamma, dBeta)
    }
}

/// Root-mean-square norm over the last axis (Zhang and Sennrich, 2019).
///
/// - Parameters:
///   - x: [..., n]
///   - weight: [n] or none.
public func rmsNorm(_ x: Tensor, weight: Tensor?, epsilon: Float = 1e-8) -> Tensor {
    let n = x.size(-1)
    precondition(weight.map { $0.shape == [n] } ?? true, "RMS norm: input \(x.shape), weight \(weight?.shape ?? [])")
    let rows = x.count / max(n, 1)
    let input = x.contiguousValues
    let gamma = weight?.contiguousValues
    let result = Tensor(uninitialized: x.shape)
    let scale = Tensor(uninitialized: [rows])
    withFloats(result, scale, input) { y, scale, x in
        withOptionalFloats(gamma) { gamma in
            Kernel.rmsNormRows(y, reciprocalRMS: scale, x, gamma: gamma, rows: rows, width: n, epsilon: epsilon)
        }
    }
    return result.recorded("rmsNorm", from: [x] + present(weight)) { gradient in
        let dy = gradient.contiguousValues
        let dx = Tensor(uninitialized: dy.shape)
        let dGamma = weight.map { _ in Tensor(uninitialized: [n]) }
        withFloats(dx, dy, input, scale) { dx, dy, x, scale in
            withOptionalFloats(gamma) { gamma in
                withOptionalFloats(dGamma) { dGamma in
                    Kernel.rmsNormGradientRows(
                        dx, dGamma: dGamma, dy: dy, x: x, reciprocalRMS: scale, gamma: gamma, rows: rows, width: n)
                }
            }
        }
        return [dx] + present(dGamma)
    }
}

/// Group norm (Wu and He, 2018): statistics over the channels of a group and over time.
///
/// - Parameters:
///   - x: [batch, channels, ...]
///   - groups: Divides the channels.
///   - weight: [channels] or none.
///   - bias: [channels] or none.
///   - silu: Whether x sigmoid(x) is applied to the result, in the same pass.
public func groupNorm(
    _ x: Tensor, groups: Int, weight: Tensor?, bias: Tensor?, epsilon: Float = 1e-5, silu: Bool = false
) -> Tensor {
    precondition(x.rank >= 2 && groups > 0 && x.size(1) % groups == 0, "group norm: \(groups) groups of \(x.shape)")
    let channels = x.size(1)
    precondition(
        (weight.map { $0.shape == [channels] } ?? true) && (bias.map { $0.shape == [channels] } ?? true),
        "group norm: input \(x.shape), weight \(weight?.shape ?? []), bias \(bias?.shape ?? [])")
    let layout = Kernel.GroupShape(
        batch: x.size(0), groups: groups, channels: channels / groups, length: Array(x.shape.dropFirst(2)).product)
    let input = x.contiguousValues
    let (gamma, beta) = (weight?.contiguousValues, bias?.contiguousValues)
    let result = Tensor(uninitialized: x.shape)
    let mean = Tensor(uninitialized: [layout.batch * groups])
    let deviation = Tensor(uninitialized: [layout.batch * groups])
    withFloats(result, mean, deviation, input) { y, mean, deviation, x in
        withOptionalFloats(gamma) { gamma in
            withOptionalFloats(beta) { beta in
                Kernel.groupNorm(
                    y, mean: mean, reciprocalDeviation: deviation, x, gamma: gamma, beta: beta, layout,
                    epsilon: epsilon, silu: silu)
            }
        }
    }
    return result.recorded("groupNorm", from: [x] + present(weight, bias)) { gradient in
        let dy = gradient.contiguousValues
        let dx = Tensor(uninitialized: dy.shape)
        let dGamma = weight.map { _ in Tensor.zeros([layout.batch, channels]) }
        let dBeta = bias.map { _ in Tensor.zeros([layout.batch, channels]) }
        withFloats(dx, dy, input) { dx, dy, x in
            withFloats(mean, deviation) { mean, deviation in
                withOptionalFloats(gamma) { gamma in
                    withOptionalFloats(beta) { beta in
                        withOptionalFloats(dGamma) { dGamma in
                            withOptionalFloats(dBeta) { dBeta in
                                Kernel.groupNormGradient(
                                    dx, dGamma: dGamma, dBeta: dBeta, dy: dy, x: x, mean: mean,
                                    reciprocalDeviation: deviation, gamma: gamma, beta: beta, layout, silu: silu)
                            }
                        }
                    }
                }
            }
        }
        return [dx] + present(dGamma?.sum(0), dBeta?.sum(0))
    }
}

/// A weight from its direction and length: w = g v / ‖v‖ (Salimans and Kingma, 2016).
///
/// - Parameters:
///   - direction: v, of the weight's shape.
///   - length: g, of size 1 along every axis but `axis`.
///   - axis: The axis that keeps a length per entry; 0 in PyTorch unless said otherwise.
public func weightNorm(direction: Tensor, length: Tensor, axis: Int = 0) -> Tensor {
    let axis = direction.resolve(axis)
    var expected = [Int](repeating: 1, count: direction.rank)
    expected[axis] = direction.shape[axis]
    precondition(length.shape == expected, "weight norm: direction \(direction.shape), length \(length.shape)")
    let others = (0..<direction.rank).filter { $0 != axis }
    return direction * (length / direction.squared.sum(others, keepingAxes: true).sqrt)
}

/// Those that are there. Its own function, since where `[Tensor?]` is wanted `compactMap` would keep the missing ones.
private func present(_ tensors: Tensor?...) -> [Tensor] { tensors.compactMap { $0 } }
