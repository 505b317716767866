// The snake activations of the vocoders.

/// Snake: x + sin²(αx) / α for each channel (Ziyin et al., "Neural networks fail to learn periodic functions", 2020).
///
/// - Parameters:
///   - x: [batch, channels, time]
///   - alpha: [channels]; the frequency.
///   - epsilon: Added to α before dividing, as BigVGAN does.
public func snake(_ x: Tensor, alpha: Tensor, epsilon: Float = 1e-9) -> Tensor {
    snakeBeta(x, alpha: alpha, inverseBeta: (alpha + epsilon).reciprocal)
}

/// SnakeBeta: x + sin²(αx) / β, with the size of the periodic part of its own (BigVGAN, Lee et al., 2023).
///
/// - Parameters:
///   - x: [batch, channels, time]
///   - alpha: [channels]
///   - inverseBeta: [channels]; 1 / β.
public func snakeBeta(_ x: Tensor, alpha: Tensor, inverseBeta: Tensor) -> Tensor {
    precondition(
        x.rank == 3 && alpha.shape == [x.size(1)] && inverseBeta.shape == alpha.shape,
        "snake: input \(x.shape), alpha \(alpha.shape), 1/beta \(inverseBeta.shape)")
    let (batch, channels, length) = (x.size(0), x.size(1), x.size(2))
    let (input, a, b) = (x.contiguousValues, alpha.contiguousValues, inverseBeta.contiguousValues)
    let result = Tensor(uninitialized: x.shape)
    withFloats(result, input, a, b) { y, x, a, b in
        Kernel.snake(y, x, rows: batch * channels, length: length, channels: channels, alpha: a, inverseBeta: b)
    }
    return result.recorded("snake", from: x, alpha, inverseBeta) { gradient in
        let dy = gradient.contiguousValues
        let dx = Tensor(uninitialized: dy.shape)
        let dAlpha = Tensor(uninitialized: [batch, channels])
        let dInverse = Tensor(uninitialized: [batch, channels])
        withFloats(dx, dAlpha, dInverse) { dx, dAlpha, dInverse in
            withFloats(dy, input, a, b) { dy, x, a, b in
                Kernel.snakeGradient(
                    dx, dAlpha, dInverse, dy: dy, x: x, rows: batch * channels, length: length, channels: channels,
                    alpha: a, inverseBeta: b)
            }
        }
        return [dx, dAlpha.sum(0), dInverse.sum(0)]
    }
}
