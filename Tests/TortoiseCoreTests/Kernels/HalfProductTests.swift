import Testing

@testable import TortoiseCore

/// Products of factors that are rounded to bfloat16 on the way.
@Suite(.enabled(if: ProductPrecision.bfloat16.isAvailable, "this processor has no bfloat16 products"))
struct HalfProductTests {
    private static let sizes = [
        (64, 96, 64), (257, 97, 129), (9, 769, 300), (130, 49, 1_025), (700, 1_026, 33), (33, 1_536, 257),
        (1_000, 5, 513),
    ]

    private func operand(_ rows: Int, _ columns: Int, _ seed: UInt64, transposed: Bool) -> Tensor {
        let random = RandomSource(seed: seed).stream
        return transposed
            ? Tensor(random.normals(rows * columns), shape: [columns, rows]).transposed()
            : Tensor(random.normals(rows * columns), shape: [rows, columns])
    }

    /// One for each kernel: AVX-512's stays to be checked where AMX is there, too.
    private static let sets = [TortoiseCore.InstructionSet.avx512, .amx].filter(\.isAvailable)

    @Test("They are the float32 products of rounded factors, whatever is transposed", arguments: sizes, sets)
    func values(size: (m: Int, n: Int, k: Int), set: TortoiseCore.InstructionSet) {
        for forms in 0...3 { check(size, forms: forms, set) }
    }

    private func check(_ size: (m: Int, n: Int, k: Int), forms: Int, _ set: TortoiseCore.InstructionSet) {
        let a = operand(size.m, size.k, 1, transposed: forms & 1 != 0)
        let b = operand(size.k, size.n, 2, transposed: forms & 2 != 0)
        let rounded = { (x: Tensor) in x.converted(to: .bfloat16).converted(to: .float32) }
        let expected = rounded(a).matmul(rounded(b)).values
        let found = Execution.with(instructionSet: set, products: .bfloat16) { a.matmul(b).values }
        let tolerance = 2e-6 * Float(size.k).squareRoot() * 4
        #expect(zip(found, expected).allSatisfy { abs($0 - $1) <= tolerance * max(1, abs($1)) })
        let plain = a.matmul(b).values
        #expect(found != plain)
        // Rounding is there to be seen, and small.
        let error = zip(found, plain).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
        let power = plain.reduce(0) { $0 + $1 * $1 }
        #expect(error < 1e-4 * power && error > 1e-8 * power)
    }

    @Test("The bits do not depend on the number of threads", arguments: sizes, sets)
    func threads(size: (m: Int, n: Int, k: Int), set: TortoiseCore.InstructionSet) {
        let a = operand(size.m, size.k, 3, transposed: false), b = operand(size.k, size.n, 4, transposed: true)
        let results = [1, 2, 3, 7].map { count in
            Execution.with(instructionSet: set, threads: count, products: .bfloat16) { a.matmul(b).values }
        }
        #expect(results.allSatisfy { $0 == results[0] })
    }

    @Test("Gradients of a linear layer pass through them")
    func gradients() {
        let x = operand(300, 128, 5, transposed: false).tracked(), w = operand(200, 128, 6, transposed: false).tracked()
        func gradients() -> [[Float]] {
            let found = linear(x, weight: w).squared.mean.gradients()
            return [found[x]?.values ?? [], found[w]?.values ?? []]
        }
        let exact = gradients(), halves = Execution.with(products: .bfloat16) { gradients() }
        for (found, expected) in zip(halves, exact) {
            let error = zip(found, expected).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
            let power = expected.reduce(0) { $0 + $1 * $1 }
            #expect(found != expected && error < 1e-4 * power && power > 0)
        }
    }

    /// Convolutions are products only where there is AMX; elsewhere they stay float32 and are the same bits.
    @Test("A convolution and its gradients are near those in float32", arguments: [(3, 1, 1), (5, 2, 4), (2, 1, 0)])
    func convolutions(taps: Int, dilation: Int, padding: Int) {
        let random = RandomSource(seed: 7).stream
        let x = Tensor(random.normals(2 * 64 * 150), shape: [2, 64, 150]).tracked()
        let w = Tensor(random.normals(96 * 64 * taps), shape: [96, 64, taps]).tracked()
        let up = Tensor(random.normals(64 * 96 * taps), shape: [64, 96, taps]).tracked()
        let bias = Tensor(random.normals(96), shape: [96])
        func results(_ set: TortoiseCore.InstructionSet, _ products: ProductPrecision, threads: Int = 2) -> [[Float]] {
            Execution.with(instructionSet: set, threads: threads, products: products) {
                let down = conv1d(x, weight: w, bias: bias, dilation: dilation, padding: padding)
                let back = convTranspose1d(x, weight: up, bias: bias, dilation: dilation, padding: padding)
                let found = (down.squared.mean + back.squared.mean).gradients()
                return [down.values, back.values] + [x, w, up].map { found[$0]?.values ?? [] }
            }
        }
        for set in Self.sets {
            let (exact, halves) = (results(set, .float32), results(set, .bfloat16))
            for (found, expected) in zip(halves, exact) {
                let error = zip(found, expected).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
                let power = expected.reduce(0) { $0 + $1 * $1 }
                #expect(error < 1e-4 * power && power > 0 && (set != .amx || found != expected))
            }
            #expect(results(set, .bfloat16, threads: 1) == halves)
        }
    }
}
