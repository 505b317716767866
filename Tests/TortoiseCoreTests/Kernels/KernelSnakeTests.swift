import CKernels
import Foundation
import Testing

private func snake(_ x: [Double], _ alpha: Double, _ inverseBeta: Double) -> [Double] {
    x.map { $0 + inverseBeta * sin(alpha * $0) * sin(alpha * $0) }
}

@Suite struct KernelSnakeTests {
    private let alpha: Float = 1.75, inverseBeta: Float = 0.625

    @Test("Snake agrees with double precision", arguments: [3, 400, 1e6] as [Float])
    func values(range: Float) {
        for size in oddSizes {
            var random = KernelRandom(size)
            // The angle is rounded before its sine is taken, which the oracle must do too.
            let x = random.floats(size, in: -range...range)
            KernelCheck(
                label: "snake \(size) within \(range)", inputs: [x], outputs: [[Float](repeating: .nan, count: size)],
                inPlace: 0,
                tolerance: Tolerance(absolute: 5e-7, relative: 1e-7)
            ).run { table, inputs, outputs in
                table.snake(outputs[0], inputs[0], size, alpha, inverseBeta)
            } expected: { _ in
                [x.map { Double($0) + Double(inverseBeta) * pow(sin(Double(alpha * $0)), 2) }]
            }
        }
    }

    @Test("Its gradients agree with central differences") func gradients() {
        for size in oddSizes where size <= 100 {
            var random = KernelRandom(size)
            KernelCheck(
                label: "gradient of snake \(size)", inputs: [random.floats(size), random.floats(size, in: -5...5)],
                outputs: [[Float](repeating: .nan, count: size), [.nan], [.nan]],
                tolerance: Tolerance(absolute: 1e-5, relative: 5e-6)
            ).run { table, inputs, outputs in
                table.snake_gradient(outputs[0], outputs[1], outputs[2], inputs[0], inputs[1], size, alpha, inverseBeta)
            } expected: { values in
                let (dy, x, a, b) = (values[0], values[1], Double(alpha), Double(inverseBeta))
                return [
                    numericalGradient(at: x, weights: dy) { snake($0, a, b) },
                    numericalGradient(at: [a], weights: dy) { snake(x, $0[0], b) },
                    numericalGradient(at: [b], weights: dy) { snake(x, a, $0[0]) },
                ]
            }
        }
    }
}
