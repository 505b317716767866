/// A convolution as matrix products, one for each tap: in mixed precision, where products are what a processor with AMX is
/// many times better at than at anything else.
struct ConvolutionProducts {
    private let sums: ShiftedSums
    private let taps: [ShiftedSums.Tap]

    /// - Returns: nil where the sums are not made of shifted products, or are better made in another way.
    init?(_ sums: ShiftedSums) {
        let execution = Execution.current
        guard execution.products == .bfloat16, execution.instructionSet == .amx, sums.groups == 1,
            sums.outputStep == 1, sums.sourceStep == 1,
            BLAS.isLarge(m: sums.rows, n: sums.outputLength, k: sums.channels)
        else { return nil }
        (self.sums, taps) = (sums, sums.phases[0])
    }

    /// Calls `body` for every item of the batch and every tap: how many steps the source has for it, and where the first of them
    /// is in the source and in the output.
    private func forEachTap(_ body: (_ tap: Int, _ steps: Int, _ source: Int, _ output: Int) -> Void) {
        for item in 0..<sums.batch {
            let source = item * sums.channels * sums.sourceLength
            let output = item * sums.rows * sums.outputLength
            for (index, tap) in taps.enumerated() {
                let first = max(0, -tap.shift)
                let steps = min(sums.outputLength, sums.sourceLength - tap.shift) - first
                if steps > 0 { body(index, steps, source + first + tap.shift, output + first) }
            }
        }
    }

    /// Where the weight of one tap is kept: dense, [rows, channels].
    private func matrix(_ scratch: Scratch, _ tap: Int) -> Floats { scratch.base + tap * sums.rows * sums.channels }

    /// Calls `body` with the place of every weight in a file's layout and in ours.
    private func forEachWeight(_ tap: Int, _ body: (_ stored: Int, _ dense: Int) -> Void) {
        for row in 0..<sums.rows {
            let start = row * sums.weightStrides.row + taps[tap].index
            for channel in 0..<sums.channels {
                body(start + channel * sums.weightStrides.channel, row * sums.channels + channel)
            }
        }
    }

    /// y = bias + the sums.
    func run(
        _ y: Floats, _ x: UnsafePointer<Float>, weight: UnsafePointer<Float>, bias: UnsafePointer<Float>?
    ) {
        let matrices = Scratch(count: max(1, taps.count * sums.rows * sums.channels))
        for tap in taps.indices {
            let matrix = matrix(matrices, tap)
            forEachWeight(tap) { matrix[$1] = weight[$0] }
        }
        for row in 0..<sums.batch * sums.rows {
            let start = bias.map { $0[row % sums.rows] } ?? 0
            (y + row * sums.outputLength).update(repeating: start, count: sums.outputLength)
        }
        forEachTap { tap, steps, source, output in
            BLAS.multiply(
                m: sums.rows, n: steps, k: sums.channels,
                a: MatrixOperand(base: matrix(matrices, tap), stride: sums.channels, isTransposed: false),
                b: MatrixOperand(base: x + source, stride: sums.sourceLength, isTransposed: false), beta: 1,
                c: y + output, cStride: sums.outputLength)
        }
        withExtendedLifetime(matrices) {}
    }

    /// The gradient of the weight: of every tap, what comes out times what went in, over all steps.
    func weightGradient(_ dWeight: Floats, gradient: UnsafePointer<Float>, source x: UnsafePointer<Float>) {
        let matrices = Scratch(count: max(1, taps.count * sums.rows * sums.channels))
        matrices.base.update(repeating: 0, count: taps.count * sums.rows * sums.channels)
        forEachTap { tap, steps, source, output in
            BLAS.multiply(
                m: sums.rows, n: sums.channels, k: steps,
                a: MatrixOperand(base: gradient + output, stride: sums.outputLength, isTransposed: false),
                b: MatrixOperand(base: x + source, stride: sums.sourceLength, isTransposed: true), beta: 1,
                c: matrix(matrices, tap), cStride: sums.channels)
        }
        for tap in taps.indices {
            let matrix = matrix(matrices, tap)
            forEachWeight(tap) { dWeight[$0] = matrix[$1] }
        }
        withExtendedLifetime(matrices) {}
    }
}
