import CKernels

/// A convolution whose weight differs from frame to frame: input step t + tap · dilation − padding, with the weight of
/// the frame that t lies in.
struct LocationVariableShape {
    var batch: Int
    var inputs: Int
    var outputs: Int
    var taps: Int
    var frames: Int
    /// Steps of a frame.
    var hop: Int
    var dilation: Int

    var length: Int { frames * hop }
    /// Zeros on both sides of the whole signal.
    var padding: Int { dilation * (taps - 1) / 2 }
    /// Values in the weight of one frame.
    var frameWeights: Int { inputs * outputs * taps }
}

extension Kernel {
    /// y [batch, outputs, frames · hop] from x [batch, inputs, frames · hop], kernels [batch, inputs, outputs, taps,
    /// frames] and bias [batch, outputs, frames].
    static func convolveByFrames(
        _ y: Floats, _ x: UnsafePointer<Float>, kernels: UnsafePointer<Float>, bias: UnsafePointer<Float>,
        _ shape: LocationVariableShape
    ) {
        let job = LocationVariableJob(shape)
        let window = job.inputWindow
        job.forEachBand { item, band, weights, source in
            let input = x + item * shape.inputs * shape.length
            job.pack(weights, kernels + item * shape.frameWeights * shape.frames, band, rows: .outputs)
            for (number, frame) in band.enumerated() {
                window.fill(source, from: input, channels: shape.inputs, start: frame * shape.hop, steps: shape.hop)
                job.sum(
                    y + item * shape.outputs * shape.length + frame * shape.hop, stride: shape.length,
                    rows: shape.outputs,
                    source, job.inputOffsets, weights + number * job.packedWeights, steps: shape.hop
                ) { row, start in
                    let values = bias + (item * shape.outputs + row) * shape.frames + frame
                    for i in 0..<min(job.panelRows, shape.outputs - row) { start[i] = values[i * shape.frames] }
                    return true
                }
            }
        }
    }

    /// The gradient of the input: dx must hold zeros.
    static func convolveByFramesInputGradient(
        _ dx: Floats, dy: UnsafePointer<Float>, kernels: UnsafePointer<Float>, _ shape: LocationVariableShape
    ) {
        let job = LocationVariableJob(shape)
        let window = job.gradientWindow
        // Bands write a little over their ends, so neighbours take turns; the order is that of the passes.
        let reach = shape.dilation * (shape.taps - 1)
        let passes = 1 + reach.dividedRoundingUp(by: max(1, job.bandFrames * shape.hop))
        for pass in 0..<passes {
            job.forEachBand(pass: pass, of: passes) { item, band, weights, source in
                let output = dy + item * shape.outputs * shape.length
                job.pack(weights, kernels + item * shape.frameWeights * shape.frames, band, rows: .inputs)
                for (number, frame) in band.enumerated() {
                    // Only this frame's gradients count, the neighbours' belong to other weights.
                    job.fillFrame(source, from: output, frame: frame, window: window)
                    let first = max(0, frame * shape.hop - shape.padding)
                    let end = min(shape.length, (frame + 1) * shape.hop + reach - shape.padding)
                    let skipped = first - (frame * shape.hop - shape.padding)
                    job.sum(
                        dx + item * shape.inputs * shape.length + first, stride: shape.length, rows: shape.inputs,
                        source + skipped, job.gradientOffsets, weights + number * job.packedWeights, steps: end - first
                    ) { _, _ in false }
                }
            }
        }
    }

    /// The gradient of the kernels.
    static func convolveByFramesWeightGradient(
        _ dKernels: Floats, dy: UnsafePointer<Float>, x: UnsafePointer<Float>, _ shape: LocationVariableShape
    ) {
        let job = LocationVariableJob(shape)
        let window = job.inputWindow
        let gradient = Execution.current.table.convolve_weight_gradient
        let width = shape.inputs * shape.taps
        job.forEachBand { item, band, products, source in
            products.update(repeating: 0, count: band.count * shape.frameWeights)
            for (number, frame) in band.enumerated() {
                let start = frame * shape.hop
                window.fill(
                    source, from: x + item * shape.inputs * shape.length, channels: shape.inputs, start: start,
                    steps: shape.hop)
                job.inputOffsets.withUnsafeBufferPointer {
                    gradient?(
                        products + number * shape.frameWeights, width, dy + item * shape.outputs * shape.length + start,
                        shape.length, source, $0.baseAddress, width, shape.outputs, shape.hop)
                }
            }
            job.scatter(products, to: dKernels + item * shape.frameWeights * shape.frames, band)
        }
    }
}

/// What the three passes of a location-variable convolution share: bands of frames whose weights are repacked together.
private struct LocationVariableJob {
    enum Rows { case outputs, inputs }

    let shape: LocationVariableShape
    let panelRows = Int(TK_CONVOLUTION_ROWS)
    /// The input of a frame with the neighbours that its taps reach.
    let inputWindow: SourceTile
    let inputOffsets: [Int32]
    /// The gradient of a frame's output among zeros.
    let gradientWindow: SourceTile
    let gradientOffsets: [Int32]
    /// Values of one frame's packed weights, whichever side the rows are.
    let packedWeights: Int
    /// Frames that one thread works on together; few when there are few, so that every thread has some.
    let bandFrames: Int
    private let convolvePanel = Execution.current.table.convolve_panel

    /// Frames lie next to each other in the kernels, so a band fills the cache lines that it reads.
    private static let longestBand = 16

    init(_ shape: LocationVariableShape) {
        self.shape = shape
        let convolution = ConvolutionShape(
            batch: 1, groups: 1, coarseChannels: shape.outputs, fineChannels: shape.inputs, coarseLength: shape.length,
            fineLength: shape.length, taps: shape.taps, stride: 1, dilation: shape.dilation, padding: shape.padding)
        let (down, up) = (ShiftedSums(down: convolution), ShiftedSums(up: convolution))
        let reach = shape.dilation * (shape.taps - 1)
        inputWindow = SourceTile(down, steps: shape.hop)
        inputOffsets = inputWindow.offsets(of: down.phases[0], channels: shape.inputs)
        gradientWindow = SourceTile(up, steps: shape.hop + reach)
        gradientOffsets = gradientWindow.offsets(of: up.phases[0], channels: shape.outputs)
        let outputPanels = shape.outputs.dividedRoundingUp(by: panelRows)
        let inputPanels = shape.inputs.dividedRoundingUp(by: panelRows)
        packedWeights = shape.taps * panelRows * max(outputPanels * shape.inputs, inputPanels * shape.outputs)
        bandFrames = shape.frames.evenPiece(limit: min(Self.longestBand, max(1, shape.batch * shape.frames / 8)))
    }

    /// Calls `body` with (batch item, frames, room for the weights of a band, room for a window) for every band, or
    /// for every `passes`-th.
    func forEachBand(
        pass: Int = 0, of passes: Int = 1, _ body: (Int, Range<Int>, Floats, Floats) -> Void
    ) {
        let size = bandFrames
        let bands = (shape.frames.dividedRoundingUp(by: size) - pass).dividedRoundingUp(by: passes)
        let windowCount = max(
            shape.inputs * inputWindow.channelStride, shape.outputs * gradientWindow.channelStride)
        let grain = max(1, (1 << 18) / max(1, size * shape.hop * shape.frameWeights))
        Execution.current.pool.forEachChunk(shape.batch * max(0, bands), grain: grain) { range in
            let (weights, source) = (Scratch(count: size * packedWeights), Scratch(count: windowCount))
            for i in range {
                let first = (i % bands * passes + pass) * size
                body(i / bands, first..<min(shape.frames, first + size), weights.base, source.base)
            }
            withExtendedLifetime((weights, source)) {}
        }
    }

    /// Panels of the weights of each frame of a band: [frame, panel, channel, tap, row of the panel].
    func pack(_ target: Floats, _ kernels: UnsafePointer<Float>, _ band: Range<Int>, rows side: Rows) {
        let (rows, channels) = side == .outputs ? (shape.outputs, shape.inputs) : (shape.inputs, shape.outputs)
        let line = shape.taps * shape.frames
        let (rowStride, channelStride) = side == .outputs ? (line, shape.outputs * line) : (shape.outputs * line, line)
        for row in 0..<rows {
            let panel = target + row / panelRows * channels * shape.taps * panelRows + row % panelRows
            for channel in 0..<channels {
                for tap in 0..<shape.taps {
                    let line = kernels + row * rowStride + channel * channelStride + tap * shape.frames
                    let from = line + band.lowerBound
                    let to = panel + (channel * shape.taps + tap) * panelRows
                    for frame in 0..<band.count { to[frame &* packedWeights] = from[frame] }
                }
            }
        }
    }

    /// The products [frame, output, input, tap] of a band to where they belong among [input, output, tap, frame].
    func scatter(_ products: UnsafePointer<Float>, to target: Floats, _ band: Range<Int>) {
        for input in 0..<shape.inputs {
            for output in 0..<shape.outputs {
                for tap in 0..<shape.taps {
                    let to = target + ((input * shape.outputs + output) * shape.taps + tap) * shape.frames
                    let from = products + (output * shape.inputs + input) * shape.taps + tap
                    for (number, frame) in band.enumerated() { to[frame] = from[number &* shape.frameWeights] }
                }
            }
        }
    }

    /// The output gradient of one frame, with zeros where the taps reach over its ends.
    func fillFrame(_ source: Floats, from dy: UnsafePointer<Float>, frame: Int, window: SourceTile) {
        let margin = shape.dilation * (shape.taps - 1)
        for channel in 0..<shape.outputs {
            let row = source + channel * window.channelStride
            row.update(repeating: 0, count: margin)
            (row + margin).update(from: dy + channel * shape.length + frame * shape.hop, count: shape.hop)
            (row + margin + shape.hop).update(repeating: 0, count: margin)
        }
    }

    /// Panel by panel: `start` fills what the rows of a panel begin with, or says that the sum is to be added.
    func sum(
        _ y: Floats, stride: Int, rows: Int, _ source: UnsafePointer<Float>, _ offsets: [Int32],
        _ weights: UnsafePointer<Float>, steps: Int, start: (Int, Floats) -> Bool
    ) {
        let taps = offsets.count
        withUnsafeTemporaryAllocation(of: Float.self, capacity: panelRows) { first in
            guard let first = first.baseAddress else { return }
            offsets.withUnsafeBufferPointer { offsets in
                for row in Swift.stride(from: 0, to: rows, by: panelRows) {
                    let replaces = start(row, first)
                    convolvePanel?(
                        y + row * stride, stride, source, offsets.baseAddress, weights + row * taps, taps,
                        replaces ? first : nil, min(panelRows, rows - row), steps)
                }
            }
        }
    }
}
