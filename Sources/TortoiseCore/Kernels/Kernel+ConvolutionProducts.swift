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

    /// Where the source exists for a tap, in output steps.
    private func steps(_ tap: ShiftedSums.Tap) -> Range<Int> {
        let low = max(0, -tap.shift)
        return low..<max(low, min(sums.outputLength, sums.sourceLength - tap.shift))
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
        for item in 0..<sums.batch {
            let source = x + item * sums.channels * sums.sourceLength
            let output = y + item * sums.rows * sums.outputLength
            for (index, tap) in taps.enumerated() {
                let steps = steps(tap)
                BLAS.multiply(
                    m: sums.rows, n: steps.count, k: sums.channels,
                    a: MatrixOperand(base: matrix(matrices, index), stride: sums.channels, isTransposed: false),
                    b: MatrixOperand(
                        base: source + steps.lowerBound + tap.shift, stride: sums.sourceLength, isTransposed: false),
                    beta: 1, c: output + steps.lowerBound, cStride: sums.outputLength)
            }
        }
        withExtendedLifetime(matrices) {}
    }

    /// The gradient of the weight: of every tap, what comes out times what went in, over all steps.
    func weightGradient(_ dWeight: Floats, gradient: UnsafePointer<Float>, source x: UnsafePointer<Float>) {
        let matrices = Scratch(count: max(1, taps.count * sums.rows * sums.channels))
        matrices.base.update(repeating: 0, count: taps.count * sums.rows * sums.channels)
        for item in 0..<sums.batch {
            let source = x + item * sums.channels * sums.sourceLength
            let output = gradient + item * sums.rows * sums.outputLength
            for (index, tap) in taps.enumerated() {
                let steps = steps(tap)
                BLAS.multiply(
                    m: sums.rows, n: sums.channels, k: steps.count,
                    a: MatrixOperand(
                        base: output + steps.lowerBound, stride: sums.outputLength, isTransposed: false),
                    b: MatrixOperand(
                        base: source + steps.lowerBound + tap.shift, stride: sums.sourceLength, isTransposed: true),
                    beta: 1, c: matrix(matrices, index), cStride: sums.channels)
            }
        }
        for tap in taps.indices {
            let matrix = matrix(matrices, tap)
            forEachWeight(tap) { dWeight[$0] = matrix[$1] }
        }
        withExtendedLifetime(matrices) {}
    }
}
