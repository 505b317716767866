import CKernels

extension Kernel {
    /// dWeight[c, f, k] = the sum over batch and coarse steps t of coarse[c, t] fine[f, t stride + k dilation − padding].
    ///
    /// For a convolution `coarse` is the gradient of the output, for a transposed one it is the input.
    static func convolutionWeightGradient(
        _ dWeight: Floats, coarse: UnsafePointer<Float>, fine: UnsafePointer<Float>, _ shape: ConvolutionShape
    ) {
        if shape.isPointwise {
            for item in 0..<shape.batch {
                let length = shape.coarseLength
                let a = MatrixOperand(
                    base: coarse + item * shape.coarseChannels * length, stride: length, isTransposed: false)
                let b = MatrixOperand(
                    base: fine + item * shape.fineChannels * length, stride: length, isTransposed: true)
                BLAS.multiply(
                    m: shape.coarseChannels, n: shape.fineChannels, k: length, a: a, b: b, beta: item == 0 ? 0 : 1,
                    c: dWeight, cStride: shape.fineChannels)
            }
        } else if let products = ConvolutionProducts(ShiftedSums(down: shape)) {
            products.weightGradient(dWeight, gradient: coarse, source: fine)
        } else {
            WeightGradientJob(shape).run(dWeight, coarse: coarse, fine: fine)
        }
    }
}

/// The gradient of a convolution's weight: a task is a block of coarse and fine channels over a segment of the tiles.
///
/// Segments have sums of their own, which are added in order, so that the result does not depend on the threads.
private struct WeightGradientJob {
    private let shape: ConvolutionShape
    private let sums: ShiftedSums
    private let tile: SourceTile
    private let tileSteps: Int
    private let tiles: Int
    private let rowBlock: Int
    private let channelBlock: Int
    private let segments: Int
    /// Looked up on the thread that starts the job: the workers do not see its choice of instruction set.
    private let weightGradient = Execution.current.table.convolve_weight_gradient

    private static let tasksWanted = 16
    private static let tileElements = 49_152
    /// Blocks of fewer channels would spend their time on copying tiles.
    private static let smallestBlock = 32

    init(_ shape: ConvolutionShape) {
        self.shape = shape
        sums = ShiftedSums(down: shape)
        var rows = shape.coarseChannels
        var channels = shape.fineChannels.evenPiece(limit: 256)
        func blocks() -> Int {
            shape.groups * shape.coarseChannels.dividedRoundingUp(by: rows)
                * shape.fineChannels.dividedRoundingUp(by: channels)
        }
        while blocks() < Self.tasksWanted, max(rows, channels) >= 2 * Self.smallestBlock {
            if rows >= channels {
                rows = rows.dividedRoundingUp(by: 2)
            } else {
                channels = channels.dividedRoundingUp(by: 2)
            }
        }
        (rowBlock, channelBlock) = (rows, channels)
        let limit = min(2_048, Self.tileElements / (channelBlock * sums.sourcePhases.count))
        tileSteps = shape.coarseLength.evenPiece(limit: max(64, limit), unit: 16)
        tiles = shape.coarseLength.dividedRoundingUp(by: tileSteps)
        tile = SourceTile(sums, steps: tileSteps)
        segments = max(1, min(shape.batch * tiles, Self.tasksWanted.dividedRoundingUp(by: max(1, blocks()))))
    }

    func run(_ dWeight: Floats, coarse: UnsafePointer<Float>, fine: UnsafePointer<Float>) {
        let count = shape.weightCount
        let partial = Scratch(count: segments == 1 ? 1 : segments * count)
        let result = segments == 1 ? dWeight : partial.base
        let rowBlocks = shape.coarseChannels.dividedRoundingUp(by: rowBlock)
        let channelBlocks = shape.fineChannels.dividedRoundingUp(by: channelBlock)
        let offsets = tile.offsets(of: sums.phases[0], channels: channelBlock)
        let blocks = shape.groups * rowBlocks * channelBlocks
        let perTask = rowBlock * channelBlock * shape.taps * shape.coarseLength * shape.batch / segments
        Execution.current.pool.forEachChunk(blocks * segments, grain: max(1, (1 << 18) / max(perTask, 1))) { tasks in
            let source = Scratch(count: channelBlock * tile.channelStride)
            for task in tasks {
                let (segment, block) = (task / blocks, task % blocks)
                let (channel, rest) = (block % channelBlocks * channelBlock, block / channelBlocks)
                let (row, group) = (rest % rowBlocks * rowBlock, rest / rowBlocks)
                let work = Work(
                    group: group, rows: row..<min(shape.coarseChannels, row + rowBlock),
                    channels: channel..<min(shape.fineChannels, channel + channelBlock),
                    items: segment * shape.batch * tiles / segments..<(segment + 1) * shape.batch * tiles / segments)
                compute(work, result + segment * count, coarse, fine, offsets: offsets, source: source.base)
            }
            withExtendedLifetime(source) {}
        }
        if segments > 1 { add(partial.base, into: dWeight, count: count) }
        withExtendedLifetime(partial) {}
    }

    private func add(_ partial: UnsafePointer<Float>, into result: Floats, count: Int) {
        Execution.current.pool.forEachChunk(count, grain: Kernel.memoryGrain) { range in
            for i in range { result[i] = partial[i] }
            for segment in 1..<segments {
                let addend = partial + segment * count
                for i in range { result[i] += addend[i] }
            }
        }
    }

    private struct Work {
        let group: Int
        let rows: Range<Int>
        let channels: Range<Int>
        /// Batch × tile.
        let items: Range<Int>
    }

    private func compute(
        _ work: Work, _ dWeight: Floats, _ coarse: UnsafePointer<Float>, _ fine: UnsafePointer<Float>,
        offsets: [Int32], source: Floats
    ) {
        let stride = shape.fineChannels * shape.taps
        let first = (work.group * shape.coarseChannels + work.rows.lowerBound) * stride
        let result = dWeight + first + work.channels.lowerBound * shape.taps
        for row in 0..<work.rows.count {
            (result + row * stride).update(repeating: 0, count: work.channels.count * shape.taps)
        }
        for item in work.items {
            let (batch, start) = (item / tiles, item % tiles * tileSteps)
            let steps = min(tileSteps, shape.coarseLength - start)
            let channel = (batch * shape.groups + work.group) * shape.fineChannels + work.channels.lowerBound
            tile.fill(
                source, from: fine + channel * shape.fineLength, channels: work.channels.count, start: start,
                steps: steps)
            let row = (batch * shape.groups + work.group) * shape.coarseChannels + work.rows.lowerBound
            offsets.withUnsafeBufferPointer {
                weightGradient?(
                    result, stride, coarse + row * shape.coarseLength + start, shape.coarseLength, source,
                    $0.baseAddress, work.channels.count * shape.taps, work.rows.count, steps)
            }
        }
    }
}
