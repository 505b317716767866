/// How many groups a group norm of TorToiSe's models has.
///
/// Source: `normalization` of `tortoise/models/arch_util.py`.
/// - Precondition: the rule gives more than two groups, as the original demands.
func normGroups(channels: Int) -> Int {
    guard let groups = possibleNormGroups(channels: channels) else {
        preconditionFailure("group norm: no number of groups fits \(channels) channels")
    }
    return groups
}

/// The same for sizes from outside: `nil` where the rule gives two groups or one.
func possibleNormGroups(channels: Int) -> Int? {
    var groups = channels <= 16 ? 8 : channels <= 64 ? 16 : 32
    while channels % groups != 0 { groups /= 2 }
    return groups > 2 ? groups : nil
}

/// The learned bias of attention scores by the distance of key and query, in buckets as T5 has them.
///
/// Half of the buckets serve each direction; of those half are exact and the rest grow logarithmically up to 64.
/// Source: `RelativePositionBias` of `tortoise/models/xtransformers.py`. Key: `relative_attention_bias.weight` [buckets, heads].
final class RelativePositionBias {
    static let buckets = 32

    private let table: Embedding
    private let scale: Float

    /// - Parameter scale: Multiplies the bias; the original uses √(width of a head).
    init(heads: Int, scale: Float, at scope: ParameterScope) {
        table = Embedding(Self.buckets, heads, at: scope["relative_attention_bias"])
        self.scale = scale
    }

    /// What is added to the scores by distance, from 1 − time to time − 1: [heads, 2 · time − 1].
    func callAsFunction(time: Int) -> Tensor {
        let buckets = (1 - time..<time).map { Int32(Self.bucket(distance: $0)) }
        return (table(Tensor(indices: buckets)) * scale).transposed()
    }

    /// The bucket of a key that stands `distance` after its query.
    static func bucket(distance: Int) -> Int {
        let half = buckets / 2
        let exact = half / 2
        let base = distance > 0 ? half : 0
        let length = abs(distance)
        return base + (length < exact ? length : exact - 1 + firstLengths.prefix { $0 <= length }.count)
    }

    /// The shortest distance of each logarithmic bucket: exact · (64 / exact)^(i / (half − exact)), rounded up.
    private static let firstLengths = [8, 11, 14, 18, 23, 30, 39, 50]
}

/// Self-attention over time with a residual, as the conditioning encoder, the diffusion decoder, CVVP and the classifier use it.
///
/// Source: `AttentionBlock` of `tortoise/models/arch_util.py`. Keys: `norm`, `qkv` and `proj_out` (convolutions of one tap),
/// `relative_pos_embeddings`.
final class AttentionBlock {
    private let norm: GroupNorm
    private let qkv, projection: Conv1d
    private let relativePosition: RelativePositionBias?
    private let heads: Int

    /// - Throws: `InputError.usage` for sizes that no block can have.
    static func check(channels: Int, heads: Int, at place: String) throws {
        guard channels % heads == 0 else {
            throw InputError.usage("\(heads) heads do not divide a width of \(channels)", at: place)
        }
        guard possibleNormGroups(channels: channels) != nil else {
            throw InputError.usage(
                "the norms find no groups in a width of \(channels)", at: place, try: "choose a multiple of 8")
        }
    }

    init(_ channels: Int, heads: Int, relativePosition hasBias: Bool = false, at scope: ParameterScope) {
        precondition(channels % heads == 0, "attention block: \(heads) heads do not divide \(channels) channels")
        norm = GroupNorm(groups: normGroups(channels: channels), channels, at: scope["norm"])
        qkv = Conv1d(channels, 3 * channels, taps: 1, at: scope["qkv"])
        // Training starts from blocks that change nothing.
        projection = Conv1d(channels, channels, taps: 1, initializer: .zeros, at: scope["proj_out"])
        relativePosition =
            hasBias
            ? RelativePositionBias(
                heads: heads, scale: Float(channels / heads).squareRoot(), at: scope["relative_pos_embeddings"]) : nil
        self.heads = heads
    }

    /// Shape: [batch, channels, time] → the same
    func callAsFunction(_ x: Tensor) -> Tensor {
        let mask = AttentionMask(relativeBias: relativePosition.map { $0(time: x.size(2)) })
        return x + projection(packedAttention(qkv(norm(x)), heads: heads, layout: .channelMajor, mask))
    }
}
