import CKernels
import COpenBLAS

/// A dense float32 matrix in memory, row-major, seen as it is or transposed.
struct MatrixOperand {
    let base: UnsafePointer<Float>
    /// Elements from one stored row to the next.
    let stride: Int
    /// Whether the operand is the transpose of what is stored.
    let isTransposed: Bool
}

/// float32 matrix products through OpenBLAS.
///
/// OpenBLAS runs single-threaded and our pool splits the product into tiles, so that results do not depend on the
/// number of threads and only one set of workers ever competes for the cores. Tile sizes depend on the shape alone.
enum BLAS {
    private static let singleThreaded: Void = openblas_set_num_threads(1)

    /// Tiles are about this large in each direction: large enough that packing costs little, small enough to share.
    private static let tileTarget = 256
    /// Products below this many multiply-adds are not worth a second thread.
    private static let parallelThreshold = 1 << 18

    /// Whether a product is worth more than one thread, or another precision.
    static func isLarge(m: Int, n: Int, k: Int) -> Bool { m * n * k > parallelThreshold }

    /// C = alpha A B + beta C on the pool.
    ///
    /// - Parameters:
    ///   - m: Rows of C.
    ///   - n: Columns of C.
    ///   - k: The inner dimension.
    ///   - c: C, row-major, with `cStride` elements from row to row.
    static func multiply(
        m: Int, n: Int, k: Int, alpha: Float = 1, a: MatrixOperand, b: MatrixOperand, beta: Float = 0,
        c: UnsafeMutablePointer<Float>, cStride: Int
    ) {
        guard m > 0, n > 0 else { return }
        let execution = Execution.current
        if execution.products == .bfloat16, alpha == 1, beta == 0 || beta == 1, isLarge(m: m, n: n, k: k) {
            return multiplyHalves(
                m: m, n: n, k: k, a: a, b: b, accumulates: beta == 1, c: c, cStride: cStride, execution)
        }
        let (rowTiles, columnTiles) = tiles(m: m, n: n, k: k)
        let rowStep = step(m, rowTiles)
        let columnStep = step(n, columnTiles)
        execution.pool.forEachChunk(rowTiles * columnTiles, grain: 1) { tiles in
            for tile in tiles {
                let i = tile / columnTiles * rowStep
                let j = tile % columnTiles * columnStep
                guard i < m, j < n else { continue }
                multiplySerially(
                    m: min(rowStep, m - i), n: min(columnStep, n - j), k: k, alpha: alpha,
                    a: a.offset(rows: i, columns: 0), b: b.offset(rows: 0, columns: j), beta: beta,
                    c: c + i * cStride + j, cStride: cStride)
            }
        }
    }

    /// C = A B, or C += A B, with factors rounded to bfloat16.
    ///
    /// An element does not depend on the tile that it is in, so there are as many tiles as threads need; their sizes are
    /// multiples of what the kernels work on at a time.
    private static func multiplyHalves(
        m: Int, n: Int, k: Int, a: MatrixOperand, b: MatrixOperand, accumulates: Bool, c: UnsafeMutablePointer<Float>,
        cStride: Int, _ execution: Execution
    ) {
        let pool = execution.pool
        let usesTileRegisters = execution.instructionSet == .amx
        let multiply = usesTileRegisters ? tk_multiply_amx : tk_multiply_bf16
        let size = usesTileRegisters ? tk_amx_scratch_bytes() : tk_bf16_scratch_bytes()
        let pieces = pool.threadCount == 1 ? 1 : min(2 * pool.threadCount, max(1, max(m, n) / 96))
        let (rowStep, columnStep) = m >= n ? (halfStep(m, pieces, 32), n) : (m, halfStep(n, pieces, 96))
        let columnTiles = (n + columnStep - 1) / columnStep
        let tileCount = (m + rowStep - 1) / rowStep * columnTiles
        pool.forEachChunk(tileCount, grain: 1) { tiles in
            let scratch = BufferPool.shared.allocate(byteCount: size)
            defer { BufferPool.shared.deallocate(scratch, byteCount: size) }
            for tile in tiles {
                let (i, j) = (tile / columnTiles * rowStep, tile % columnTiles * columnStep)
                let (left, right) = (a.offset(rows: i, columns: 0), b.offset(rows: 0, columns: j))
                multiply(
                    min(rowStep, m - i), min(columnStep, n - j), k, left.base, left.stride, left.isTransposed ? 1 : 0,
                    right.base, right.stride, right.isTransposed ? 1 : 0, accumulates ? 1 : 0, c + i * cStride + j,
                    cStride, scratch)
            }
        }
    }

    private static func halfStep(_ count: Int, _ pieces: Int, _ multiple: Int) -> Int {
        let step = (count + pieces - 1) / pieces
        return (step + multiple - 1) / multiple * multiple
    }

    /// C = alpha A B + beta C on the calling thread; what a worker of the pool calls.
    static func multiplySerially(
        m: Int, n: Int, k: Int, alpha: Float = 1, a: MatrixOperand, b: MatrixOperand, beta: Float = 0,
        c: UnsafeMutablePointer<Float>, cStride: Int
    ) {
        _ = singleThreaded
        cblas_sgemm(
            CblasRowMajor, a.isTransposed ? CblasTrans : CblasNoTrans, b.isTransposed ? CblasTrans : CblasNoTrans,
            blasint(m), blasint(n), blasint(k), alpha, a.base, blasint(a.stride), b.base, blasint(b.stride), beta,
            c, blasint(cStride))
    }

    /// How many tiles C is cut into, down and across; a function of the shape only.
    static func tiles(m: Int, n: Int, k: Int) -> (rows: Int, columns: Int) {
        guard isLarge(m: m, n: n, k: max(k, 1)) else { return (1, 1) }
        let pieces = min(8, max(2, max(m, n) / tileTarget))
        // Each row of tiles packs B once more and each column of tiles A: k times this many numbers in all.
        func packing(_ rows: Int) -> Int { rows * n + pieces / rows * m }
        let rows = (1...pieces).filter { pieces % $0 == 0 }.min { packing($0) < packing($1) } ?? 1
        return (rows, pieces / rows)
    }

    /// The size of each of `pieces` tiles over `count`, a multiple of 16 so that no tile ends within a micro-kernel.
    private static func step(_ count: Int, _ pieces: Int) -> Int {
        guard pieces > 1 else { return count }
        return ((count + pieces - 1) / pieces + 15) & ~15
    }
}

extension MatrixOperand {
    /// The operand from this row and column of its untransposed-or-transposed view on.
    func offset(rows: Int, columns: Int) -> MatrixOperand {
        let elements = isTransposed ? columns * stride + rows : rows * stride + columns
        return MatrixOperand(base: base + elements, stride: stride, isTransposed: isTransposed)
    }

    var transposed: MatrixOperand { MatrixOperand(base: base, stride: stride, isTransposed: !isTransposed) }
}
