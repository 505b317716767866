/// What the layers hear about the noise level, and what is random while training.
struct DiffusionContext {
    /// SiLU of the timestep's embedding: [batch or 1, channels].
    let time: Tensor
    let run: RunContext

    /// The context of one of many like parts.
    subscript(_ index: Int) -> DiffusionContext { DiffusionContext(time: time, run: run[index]) }
}

/// The two linear layers that turn a timestep into the embedding that all layers hear. Keys: `0`, `2`.
final class TimestepEmbedding {
    private let first, second: Linear
    private let frequencies: [Float]

    init(_ channels: Int, at scope: ParameterScope) {
        first = Linear(channels, channels, at: scope[0])
        second = Linear(channels, channels, at: scope[2])
        let half = channels / 2
        // Periods from 2π to 10,000 · 2π (Vaswani et al., 2017).
        let indices = Tensor((0..<half).map { Float($0) * (-9.210_340_372 / Float(half)) })
        frequencies = indices.exp.values
    }

    /// Shape: timesteps → [timesteps, channels]
    func callAsFunction(_ timesteps: [Int]) -> Tensor {
        let angles = timesteps.flatMap { timestep in frequencies.map { Float(timestep) * $0 } }
        let phase = Tensor(angles, shape: [timesteps.count, frequencies.count])
        return second(first(concatenated([phase.cos, phase.sin], axis: 1)).silu)
    }
}

/// Two convolutions with a residual, scaled and shifted by what the timestep says in between.
///
/// Source: `ResBlock` of `tortoise/models/diffusion_decoder.py` in its efficient form. Keys: `in_layers.0`, `in_layers.2`,
/// `emb_layers.1`, `out_layers.0`, `out_layers.3`.
final class DiffusionResBlock {
    private let inputNorm, outputNorm: GroupNorm
    private let input, output: Conv1d
    private let timeProjection: Linear
    private let channels: Int
    private let dropout: Float

    init(_ channels: Int, dropout: Float, at scope: ParameterScope) {
        let groups = normGroups(channels: channels)
        inputNorm = GroupNorm(groups: groups, channels, at: scope["in_layers"][0])
        input = Conv1d(channels, channels, taps: 1, at: scope["in_layers"][2])
        timeProjection = Linear(channels, 2 * channels, at: scope["emb_layers"][1])
        outputNorm = GroupNorm(groups: groups, channels, at: scope["out_layers"][0])
        output = Conv1d(channels, channels, taps: 3, at: scope["out_layers"][3])
        self.channels = channels
        self.dropout = dropout
    }

    /// Shape: [batch, channels, time] → the same
    func callAsFunction(_ x: Tensor, _ context: DiffusionContext) -> Tensor {
        let parts = timeProjection(context.time).unsqueezed(-1).chunks(2, axis: 1)
        let hidden = outputNorm(input(inputNorm(x, silu: true))) * (parts[0] + 1) + parts[1]
        return x + output(context.run.dropout(hidden.silu, dropout))
    }
}

/// A residual block and attention. Keys: `resblk`, `attn`.
final class DiffusionLayer {
    private let block: DiffusionResBlock
    private let attention: AttentionBlock

    init(_ channels: Int, heads: Int, dropout: Float, at scope: ParameterScope) {
        block = DiffusionResBlock(channels, dropout: dropout, at: scope["resblk"])
        attention = AttentionBlock(channels, heads: heads, relativePosition: true, at: scope["attn"])
    }

    /// Shape: [batch, channels, time] → the same
    func callAsFunction(_ x: Tensor, _ context: DiffusionContext) -> Tensor { attention(block(x, context)) }
}

/// A convolution or two and a stack of attention: the form of all three encoders of the diffusion decoder. Keys: `0`, `1`, ….
final class DiffusionEncoder {
    private let convolutions: [Conv1d]
    private let blocks: [AttentionBlock]

    /// - Parameters:
    ///   - sizes: Channels before, between and after the convolutions.
    ///   - depth: How many attention blocks follow.
    init(_ sizes: [Int], stride: Int = 1, depth: Int, heads: Int, at scope: ParameterScope) {
        convolutions = sizes.indices.dropLast().map {
            Conv1d(sizes[$0], sizes[$0 + 1], taps: 3, stride: stride, at: scope[$0])
        }
        let first = convolutions.count
        blocks = (0..<depth).map {
            AttentionBlock(sizes[first], heads: heads, relativePosition: true, at: scope[first + $0])
        }
    }

    /// Shape: [batch, channels, time] → [batch, channels', time']
    func callAsFunction(_ x: Tensor) -> Tensor {
        blocks.reduce(convolutions.reduce(x) { $1($0) }) { $1($0) }
    }
}
