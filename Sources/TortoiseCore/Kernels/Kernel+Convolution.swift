import CKernels

extension Kernel {
    /// coarse = bias + the convolution of fine; see `ConvolutionShape` for the weight.
    static func convolve(
        _ coarse: Floats, fine: UnsafePointer<Float>, weight: UnsafePointer<Float>, bias: UnsafePointer<Float>?,
        _ shape: ConvolutionShape
    ) {
        if shape.isPointwise {
            let matrix = MatrixOperand(base: weight, stride: shape.fineChannels, isTransposed: false)
            multiplySteps(
                coarse, matrix, fine, bias: bias, batch: shape.batch, rows: shape.coarseChannels,
                channels: shape.fineChannels, length: shape.fineLength)
        } else {
            sumShifted(coarse, fine, weight: weight, bias: bias, ShiftedSums(down: shape))
        }
    }

    /// fine = bias + the transposed convolution of coarse.
    static func convolveTransposed(
        _ fine: Floats, coarse: UnsafePointer<Float>, weight: UnsafePointer<Float>, bias: UnsafePointer<Float>?,
        _ shape: ConvolutionShape
    ) {
        if shape.isPointwise {
            let matrix = MatrixOperand(base: weight, stride: shape.fineChannels, isTransposed: true)
            multiplySteps(
                fine, matrix, coarse, bias: bias, batch: shape.batch, rows: shape.fineChannels,
                channels: shape.coarseChannels, length: shape.fineLength)
        } else {
            sumShifted(fine, coarse, weight: weight, bias: bias, ShiftedSums(up: shape))
        }
    }

    /// y[b] = bias + matrix x[b], each [channels, length]: a convolution with a single tap.
    private static func multiplySteps(
        _ y: Floats, _ matrix: MatrixOperand, _ x: UnsafePointer<Float>, bias: UnsafePointer<Float>?, batch: Int,
        rows: Int, channels: Int, length: Int
    ) {
        if let bias {
            Execution.current.pool.forEachChunk(batch * rows, grain: rowGrain(length, elements: memoryGrain)) { range in
                for row in range { (y + row * length).update(repeating: bias[row % rows], count: length) }
            }
        }
        for item in 0..<batch {
            let input = MatrixOperand(base: x + item * channels * length, stride: length, isTransposed: false)
            BLAS.multiply(
                m: rows, n: length, k: channels, a: matrix, b: input, beta: bias == nil ? 0 : 1,
                c: y + item * rows * length, cStride: length)
        }
    }

    private static func sumShifted(
        _ y: Floats, _ x: UnsafePointer<Float>, weight: UnsafePointer<Float>, bias: UnsafePointer<Float>?,
        _ sums: ShiftedSums
    ) {
        if let products = ConvolutionProducts(sums) { return products.run(y, x, weight: weight, bias: bias) }
        let blocking = ConvolutionBlocking(sums)
        let weights = PackedConvolution(weight, sums, channelBlock: blocking.channels)
        let job = ConvolutionJob(sums: sums, blocking: blocking, weights: weights)
        job.run(y, x, bias: bias)
    }
}

/// How much of a convolution is worked on at a time; a function of the shape only.
private struct ConvolutionBlocking {
    /// Source channels whose products are summed in registers, before the sum goes to memory.
    let channels: Int
    /// Output steps of a tile.
    let steps: Int
    /// Output channels of a task; a multiple of a panel's rows.
    let rows: Int

    /// A panel of weights stays in the first-level cache, a tile of the source in the second.
    private static let panelTaps = 1_024
    private static let tileElements = 49_152
    private static let stepUnit = 64
    private static let longestTile = 4_096
    /// Tasks that let several threads finish together.
    private static let tasksWanted = 8

    init(_ sums: ShiftedSums) {
        let taps = max(1, sums.phases.map(\.count).max() ?? 1)
        let panel = Int(TK_CONVOLUTION_ROWS)
        channels = sums.channels.evenPiece(limit: max(8, Self.panelTaps / taps))
        let limit = Self.tileElements / (channels * sums.sourcePhases.count)
        let unit = Self.stepUnit
        steps = sums.steps.evenPiece(limit: min(Self.longestTile, max(unit, limit / unit * unit)), unit: unit)
        let tiles = sums.batch * sums.groups * sums.steps.dividedRoundingUp(by: steps)
        let wanted = max(1, Self.tasksWanted.dividedRoundingUp(by: max(tiles, 1)))
        let shared = sums.rows.evenPiece(limit: max(8 * panel, sums.rows.dividedRoundingUp(by: wanted)), unit: panel)
        // Outputs of several phases wait side by side until they are interleaved.
        let waiting = Self.tileElements / (steps * sums.outputStep) / panel * panel
        rows = sums.outputStep == 1 ? shared : min(shared, max(panel, waiting))
    }
}

/// The weight of a convolution as panels: [phase, group, channel block, panel, channel, tap, row of the panel].
private struct PackedConvolution {
    private let storage: Scratch
    private let phaseStarts: [Int]
    private let phaseTaps: [Int]
    private let channels: Int
    private let panels: Int

    private static let panelRows = Int(TK_CONVOLUTION_ROWS)
    /// Panels packed together, so that whole lines of the weight are read in either direction.
    private static let panelsTogether = 8

    init(_ weight: UnsafePointer<Float>, _ sums: ShiftedSums, channelBlock: Int) {
        channels = sums.channels
        panels = sums.rows.dividedRoundingUp(by: Self.panelRows)
        phaseTaps = sums.phases.map(\.count)
        var starts = [0]
        for taps in phaseTaps {
            starts.append((starts.last ?? 0) + sums.groups * panels * channels * taps * Self.panelRows)
        }
        phaseStarts = starts
        storage = Scratch(count: max(1, starts.last ?? 0))
        let bands = panels.dividedRoundingUp(by: Self.panelsTogether)
        let cost = max(1, Self.panelsTogether * Self.panelRows * channels * phaseTaps.reduce(0, +))
        let packing = self
        let grain = max(1, 2 * Kernel.memoryGrain / cost)
        Execution.current.pool.forEachChunk(sums.groups * bands, grain: grain) { range in
            for i in range {
                let band = i % bands * Self.panelsTogether
                packing.pack(
                    weight, sums, group: i / bands, panels: band..<min(packing.panels, band + Self.panelsTogether),
                    channelBlock: channelBlock)
            }
        }
    }

    /// The panel of a block of channels.
    func panel(_ panel: Int, phase: Int, group: Int, channels block: Range<Int>) -> Floats {
        let taps = phaseTaps[phase] * Self.panelRows
        let inGroup = panels * taps * block.lowerBound + panel * block.count * taps
        return storage.base + phaseStarts[phase] + group * panels * channels * taps + inGroup
    }

    private func pack(
        _ weight: UnsafePointer<Float>, _ sums: ShiftedSums, group: Int, panels range: Range<Int>, channelBlock: Int
    ) {
        let strides = sums.weightStrides
        for (phase, taps) in sums.phases.enumerated() {
            let indices = taps.map(\.index)
            for start in stride(from: 0, to: channels, by: channelBlock) {
                let block = start..<min(channels, start + channelBlock)
                for panel in range {
                    let target = self.panel(panel, phase: phase, group: group, channels: block)
                    let rows = min(Self.panelRows, sums.rows - panel * Self.panelRows)
                    let source = weight + group * strides.group + panel * Self.panelRows * strides.row
                    for channel in block {
                        let from = source + channel * strides.channel
                        let to = target + (channel - start) * indices.count * Self.panelRows
                        Self.transpose(to, from, rows: rows, rowStride: strides.row, indices: indices)
                    }
                }
            }
        }
    }

    @inline(__always)
    private static func transpose(
        _ to: Floats, _ from: UnsafePointer<Float>, rows: Int, rowStride: Int, indices: [Int]
    ) {
        indices.withUnsafeBufferPointer { indices in
            for (tap, index) in indices.enumerated() {
                let (target, source) = (to + tap &* panelRows, from + index)
                // Whole panels, by far the most, are worth unrolling.
                if rows == 6 {
                    target[0] = source[0]
                    target[1] = source[rowStride]
                    target[2] = source[2 &* rowStride]
                    target[3] = source[3 &* rowStride]
                    target[4] = source[4 &* rowStride]
                    target[5] = source[5 &* rowStride]
                } else {
                    for row in 0..<rows { target[row] = source[row * rowStride] }
                }
            }
        }
    }
}

/// One convolution on its way through the pool: a task is a tile of steps of a block of output channels.
private struct ConvolutionJob {
    let sums: ShiftedSums
    let blocking: ConvolutionBlocking
    let weights: PackedConvolution
    /// Looked up on the thread that starts the job: the workers do not see its choice of instruction set.
    let convolvePanel = Execution.current.table.convolve_panel

    func run(_ y: Floats, _ x: UnsafePointer<Float>, bias: UnsafePointer<Float>?) {
        let tile = SourceTile(sums, steps: blocking.steps)
        let offsets = sums.phases.map { tile.offsets(of: $0, channels: blocking.channels) }
        let tiles = sums.steps.dividedRoundingUp(by: blocking.steps)
        let rowBlocks = sums.rows.dividedRoundingUp(by: blocking.rows)
        let perTask = blocking.rows * blocking.steps * sums.channels * max(1, sums.phases.reduce(0) { $0 + $1.count })
        let grain = max(1, (1 << 18) / max(perTask, 1))
        let count = sums.batch * sums.groups * tiles * rowBlocks
        Execution.current.pool.forEachChunk(count, grain: grain) { tasks in
            let source = Scratch(count: blocking.channels * tile.channelStride)
            let waiting = Scratch(count: sums.outputStep == 1 ? 1 : blocking.rows * sums.outputStep * blocking.steps)
            for task in tasks {
                let (block, rest) = (task % rowBlocks, task / rowBlocks)
                let (tileIndex, item) = (rest % tiles, rest / tiles)
                let start = tileIndex * blocking.steps
                let work = Work(
                    item: item, group: item % sums.groups, start: start, steps: min(blocking.steps, sums.steps - start),
                    rows: block * blocking.rows..<min(sums.rows, (block + 1) * blocking.rows))
                compute(
                    work, y, x, bias: bias, tile: tile, offsets: offsets, source: source.base, waiting: waiting.base)
            }
            withExtendedLifetime((source, waiting)) {}
        }
    }

    private struct Work {
        /// Batch × group.
        let item: Int
        let group: Int
        let start: Int
        let steps: Int
        let rows: Range<Int>
    }

    private func compute(
        _ work: Work, _ y: Floats, _ x: UnsafePointer<Float>, bias: UnsafePointer<Float>?, tile: SourceTile,
        offsets: [[Int32]], source: Floats, waiting: Floats
    ) {
        let output = y + (work.item * sums.rows + work.rows.lowerBound) * sums.outputLength
        let bias = bias.map { $0 + work.group * sums.rows + work.rows.lowerBound }
        for start in stride(from: 0, to: sums.channels, by: blocking.channels) {
            let block = start..<min(sums.channels, start + blocking.channels)
            let channels = x + (work.item * sums.channels + start) * sums.sourceLength
            tile.fill(source, from: channels, channels: block.count, start: work.start, steps: work.steps)
            for phase in sums.phases.indices {
                let steps = min(work.steps, sums.steps(ofPhase: phase) - work.start)
                guard steps > 0 else { continue }
                let dense = sums.outputStep == 1
                sum(
                    work, phase: phase, block: block, steps: steps, bias: bias, source: source,
                    offsets: offsets[phase], into: dense ? output + work.start : waiting + phase * blocking.steps,
                    stride: dense ? sums.outputLength : sums.outputStep * blocking.steps)
            }
        }
        if sums.outputStep > 1 { interleave(work, from: waiting, to: output) }
    }

    /// Adds what a block of channels contributes to one phase of the outputs; the first block starts from the bias.
    private func sum(
        _ work: Work, phase: Int, block: Range<Int>, steps: Int, bias: UnsafePointer<Float>?, source: Floats,
        offsets: [Int32], into y: Floats, stride: Int
    ) {
        let panelRows = Int(TK_CONVOLUTION_ROWS)
        let taps = sums.phases[phase].count * block.count
        let zeros = [Float](repeating: 0, count: panelRows)
        zeros.withUnsafeBufferPointer { zeros in
            offsets.withUnsafeBufferPointer { offsets in
                for row in Swift.stride(from: 0, to: work.rows.count, by: panelRows) {
                    let panel = weights.panel(
                        (work.rows.lowerBound + row) / panelRows, phase: phase, group: work.group, channels: block)
                    let first = bias.map { $0 + row } ?? zeros.baseAddress
                    convolvePanel?(
                        y + row * stride, stride, source, offsets.baseAddress, panel, taps,
                        block.lowerBound == 0 ? first : nil, min(panelRows, work.rows.count - row), steps)
                }
            }
        }
    }

    /// Puts the phases of the outputs next to each other.
    private func interleave(_ work: Work, from waiting: Floats, to output: Floats) {
        let (step, stride) = (sums.outputStep, blocking.steps)
        let first = work.start * step
        let count = min(work.steps * step, sums.outputLength - first)
        for row in 0..<work.rows.count {
            let (phases, target) = (waiting + row * step * stride, output + row * sums.outputLength + first)
            if step == 2 {
                // Doubling is the usual case, and this loop is one that the compiler makes vectors of.
                let (even, odd) = (phases, phases + stride)
                for i in 0..<count / 2 {
                    target[2 &* i] = even[i]
                    target[2 &* i &+ 1] = odd[i]
                }
                if count % 2 == 1 { target[count - 1] = even[count / 2] }
                continue
            }
            for phase in 0..<step {
                let values = phases + phase * stride
                var i = 0
                for at in Swift.stride(from: phase, to: count, by: step) {
                    target[at] = values[i]
                    i += 1
                }
            }
        }
    }
}
