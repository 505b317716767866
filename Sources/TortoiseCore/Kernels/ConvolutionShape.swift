/// A convolution over time between a fine and a coarse signal: coarse step t meets the fine steps
/// t · stride + tap · dilation − padding.
///
/// From fine to coarse this is a convolution, from coarse to fine a transposed one, and each is the other's gradient.
/// The weight is [groups · coarse channels, fine channels, taps] for both, as in PyTorch.
struct ConvolutionShape {
    var batch: Int
    var groups: Int
    /// Channels of one group.
    var coarseChannels: Int
    /// Channels of one group.
    var fineChannels: Int
    var coarseLength: Int
    var fineLength: Int
    var taps: Int
    var stride: Int
    var dilation: Int
    var padding: Int

    /// Whether each step is a matrix product of its own.
    var isPointwise: Bool { taps == 1 && stride == 1 && padding == 0 && groups == 1 && coarseLength == fineLength }
    /// Values in the weight.
    var weightCount: Int { groups * coarseChannels * fineChannels * taps }
}

extension Int {
    /// This divided by a positive number, rounded up.
    func dividedRoundingUp(by divisor: Int) -> Int {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder > 0 ? quotient + 1 : quotient
    }

    /// This divided by a positive number, rounded down (also below zero).
    func dividedRoundingDown(by divisor: Int) -> Int {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? quotient - 1 : quotient
    }

    /// The size of equal pieces of this, each at most about `limit` and a multiple of `unit`.
    func evenPiece(limit: Int, unit: Int = 1) -> Int {
        let pieces = Swift.max(1, dividedRoundingUp(by: Swift.max(limit, 1)))
        return Swift.max(unit, dividedRoundingUp(by: pieces).dividedRoundingUp(by: unit) * unit)
    }
}

/// The sums that a convolution in one direction makes, as shifted rows.
///
/// Output step v of phase f, at f + v · outputStep, sums over channels and over the taps of the phase: a weight times
/// the source at step v + shift of the source's phase. A phase is every stride-th step, so sources and outputs are
/// walked one step at a time whatever the stride is.
struct ShiftedSums {
    struct Tap {
        /// Which tap of the weight.
        let index: Int
        /// Which of `sourcePhases`.
        let slot: Int
        let shift: Int
    }

    let batch: Int
    let groups: Int
    /// Channels of the output in one group.
    let rows: Int
    /// Channels of the source in one group.
    let channels: Int
    let outputLength: Int
    let outputStep: Int
    let sourceLength: Int
    let sourceStep: Int
    /// The taps of each phase of the output.
    let phases: [[Tap]]
    /// The phases of the source that any tap reads.
    let sourcePhases: [Int]
    /// Elements of the weight from an output channel to the next, from a source channel, and from a group.
    let weightStrides: (row: Int, channel: Int, group: Int)

    /// From fine to coarse.
    init(down shape: ConvolutionShape) {
        batch = shape.batch
        groups = shape.groups
        rows = shape.coarseChannels
        channels = shape.fineChannels
        (outputLength, outputStep) = (shape.coarseLength, 1)
        (sourceLength, sourceStep) = (shape.fineLength, shape.stride)
        let positions = (0..<shape.taps).map { $0 * shape.dilation - shape.padding }
        let steps = positions.map { $0.dividedRoundingDown(by: shape.stride) }
        let remainders = zip(positions, steps).map { $0 - $1 * shape.stride }
        let used = Set(remainders).sorted()
        sourcePhases = used
        phases = [
            (0..<shape.taps).map { tap in
                Tap(index: tap, slot: used.firstIndex(of: remainders[tap]) ?? 0, shift: steps[tap])
            }
        ]
        let channelStride = shape.taps
        let rowStride = shape.fineChannels * shape.taps
        weightStrides = (rowStride, channelStride, rowStride * shape.coarseChannels)
    }

    /// From coarse to fine.
    init(up shape: ConvolutionShape) {
        batch = shape.batch
        groups = shape.groups
        rows = shape.fineChannels
        channels = shape.coarseChannels
        (outputLength, outputStep) = (shape.fineLength, shape.stride)
        (sourceLength, sourceStep) = (shape.coarseLength, 1)
        sourcePhases = [0]
        phases = (0..<shape.stride).map { phase in
            (0..<shape.taps).compactMap { tap in
                let position = phase + shape.padding - tap * shape.dilation
                let step = position.dividedRoundingDown(by: shape.stride)
                return step * shape.stride == position ? Tap(index: tap, slot: 0, shift: step) : nil
            }
        }
        let channelStride = shape.fineChannels * shape.taps
        weightStrides = (shape.taps, channelStride, channelStride * shape.coarseChannels)
    }

    /// Output steps of the longest phase.
    var steps: Int { outputLength.dividedRoundingUp(by: outputStep) }
    var firstShift: Int { phases.joined().map(\.shift).min() ?? 0 }
    var lastShift: Int { phases.joined().map(\.shift).max() ?? 0 }

    /// Output steps of one phase.
    func steps(ofPhase phase: Int) -> Int { Swift.max(0, (outputLength - phase).dividedRoundingUp(by: outputStep)) }
}

/// A stretch of the source, copied so that every row that a sum reads is dense and surrounded by zeros.
///
/// Layout: [channels of a block, source phases, `rowStride`].
struct SourceTile {
    let sums: ShiftedSums
    /// Source steps before the first output step of the tile.
    let firstShift: Int
    let margin: Int
    let rowStride: Int

    init(_ sums: ShiftedSums, steps: Int) {
        self.sums = sums
        firstShift = sums.firstShift
        margin = sums.lastShift - sums.firstShift
        // An odd number of cache lines, so that rows do not all fall on the same lines of the cache.
        rowStride = (steps + margin).dividedRoundingUp(by: 16) * 16 | 16
    }

    var channelStride: Int { rowStride * sums.sourcePhases.count }

    /// Where each (channel, tap) of a block begins in the tile.
    func offsets(of taps: [ShiftedSums.Tap], channels: Int) -> [Int32] {
        (0..<channels).flatMap { channel in
            taps.map { Int32(channel * channelStride + $0.slot * rowStride + $0.shift - firstShift) }
        }
    }

    /// Copies what the output steps from `start` on read of `channels` channels that begin at `source`.
    func fill(_ tile: Floats, from source: UnsafePointer<Float>, channels: Int, start: Int, steps: Int) {
        let (step, length) = (sums.sourceStep, sums.sourceLength)
        let first = start + firstShift
        let width = steps + margin
        for channel in 0..<channels {
            let input = source + channel * length
            for (slot, phase) in sums.sourcePhases.enumerated() {
                let row = tile + channel * channelStride + slot * rowStride
                let available = max(0, (length - phase).dividedRoundingUp(by: step))
                let low = min(max(-first, 0), width)
                let high = max(low, min(width, available - first))
                row.update(repeating: 0, count: low)
                if step == 1 {
                    (row + low).update(from: input + first + low, count: high - low)
                } else {
                    for i in low..<high { row[i] = input[(first + i) * step + phase] }
                }
                (row + high).update(repeating: 0, count: width - high)
            }
        }
    }
}
