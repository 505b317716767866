import CKernels
import Foundation
import Testing

/// Normalisation in double precision; the mean counts as 0 where the values are not centered.
private struct Moments {
    var mean: Double
    var rstd: Double

    init(_ x: [Double], epsilon: Double, centered: Bool = true) {
        let n = Double(x.count)
        let mean = centered ? x.reduce(0, +) / n : 0
        self.mean = mean
        rstd = 1 / (x.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / n + epsilon).squareRoot()
    }
}

private let epsilon: Float = 1e-5

/// Layer norm (centered) or RMS norm of rows of n.
private func norm(_ x: [Double], _ gamma: [Double]?, _ beta: [Double]?, n: Int, centered: Bool) -> [Double] {
    stride(from: 0, to: x.count, by: max(n, 1)).flatMap { begin in
        let row = Array(x[begin..<begin + n])
        let moments = Moments(row, epsilon: Double(epsilon), centered: centered)
        return row.enumerated().map { index, value in
            (value - moments.mean) * moments.rstd * (gamma?[index] ?? 1) + (beta?[index] ?? 0)
        }
    }
}

/// Group norm of one group of channels, and SiLU after it if asked for.
private func groupNorm(_ x: [Double], _ gamma: [Double]?, _ beta: [Double]?, length: Int, silu: Bool) -> [Double] {
    let moments = Moments(x, epsilon: Double(epsilon))
    return x.enumerated().map { index, value in
        let channel = index / length
        let z = (value - moments.mean) * moments.rstd * (gamma?[channel] ?? 1) + (beta?[channel] ?? 0)
        return silu ? z / (1 + exp(-z)) : z
    }
}

@Suite struct KernelNormTests {
    private let rows = 3

    @Test("Layer norm and RMS norm agree with double precision", arguments: [true, false], [true, false])
    func values(centered: Bool, affine: Bool) {
        for n in oddSizes {
            var random = KernelRandom(n)
            // Far from zero, where the difference of mean square and squared mean would lose everything.
            let x = random.floats(rows * n, in: centered ? 99...101 : -2...2)
            let gamma = random.floats(n), beta = random.floats(n)
            let blank = [Float](repeating: .nan, count: rows)
            KernelCheck(
                label: "\(centered ? "layer" : "RMS") norm \(n)", inputs: [x, gamma, beta],
                outputs: [[Float](repeating: .nan, count: rows * n), blank] + (centered ? [blank] : []), inPlace: 0,
                tolerance: Tolerance(absolute: centered ? 1e-4 : 1e-6, relative: 3e-6)
            ).run { table, inputs, outputs in
                let gamma = affine ? inputs[1] : nil, beta = affine ? inputs[2] : nil
                if centered {
                    table.layer_norm_rows(outputs[0], outputs[2], outputs[1], inputs[0], gamma, beta, rows, n, epsilon)
                } else {
                    table.rms_norm_rows(outputs[0], outputs[1], inputs[0], gamma, rows, n, epsilon)
                }
            } expected: { values in
                let gamma = affine ? values[1] : nil, beta = affine && centered ? values[2] : nil
                let moments = (0..<rows).map {
                    Moments(Array(values[0][$0 * n..<($0 + 1) * n]), epsilon: Double(epsilon), centered: centered)
                }
                let y = norm(values[0], gamma, beta, n: n, centered: centered)
                return [y, moments.map(\.rstd)] + (centered ? [moments.map(\.mean)] : [])
            }
        }
    }

    @Test(
        "Gradients of layer norm and RMS norm agree with central differences", arguments: [true, false], [true, false])
    func gradients(centered: Bool, affine: Bool) {
        for n in oddSizes where (3...100).contains(n) {
            var random = KernelRandom(n)
            let x = random.floats(rows * n), dy = random.floats(rows * n), gamma = random.floats(n)
            let moments = (0..<rows).map {
                Moments(x[$0 * n..<($0 + 1) * n].map(Double.init), epsilon: Double(epsilon), centered: centered)
            }
            let ones = [Float](repeating: 1, count: n)  // what the sums over rows are added to
            KernelCheck(
                label: "gradient of \(centered ? "layer" : "RMS") norm \(n)",
                inputs: [dy, x, gamma, moments.map { Float($0.mean) }, moments.map { Float($0.rstd) }],
                outputs: [[Float](repeating: .nan, count: rows * n), ones, ones],
                tolerance: Tolerance(absolute: 2e-5, relative: 1e-5)
            ).run { table, inputs, outputs in
                let gamma = affine ? inputs[2] : nil
                let dgamma = affine ? outputs[1] : nil, dbeta = affine ? outputs[2] : nil
                if centered {
                    table.layer_norm_gradient_rows(
                        outputs[0], dgamma, dbeta, inputs[0], inputs[1], inputs[3], inputs[4], gamma, rows, n)
                } else {
                    table.rms_norm_gradient_rows(outputs[0], dgamma, inputs[0], inputs[1], inputs[4], gamma, rows, n)
                }
            } expected: { values in
                let (dy, x, gamma) = (values[0], values[1], affine ? values[2] : nil)
                let none = ones.map(Double.init)
                let dx = numericalGradient(at: x, weights: dy) { norm($0, gamma, nil, n: n, centered: centered) }
                guard affine, let gamma else { return [dx, none, none] }
                let dgamma = numericalGradient(at: gamma, weights: dy) { norm(x, $0, nil, n: n, centered: centered) }
                let dbeta = numericalGradient(at: gamma, weights: dy) { norm(x, gamma, $0, n: n, centered: centered) }
                return [dx, dgamma.map { $0 + 1 }, centered ? dbeta.map { $0 + 1 } : none]
            }
        }
    }

    @Test("Group norm agrees with double precision", arguments: [true, false], [true, false])
    func groups(silu: Bool, affine: Bool) {
        for length in oddSizes where length > 0 {
            var random = KernelRandom(length)
            let channels = 3
            KernelCheck(
                label: "group norm of \(channels) x \(length)",
                inputs: [
                    random.floats(channels * length, in: 3...9), random.floats(channels), random.floats(channels),
                ],
                outputs: [[Float](repeating: .nan, count: channels * length), [.nan], [.nan]], inPlace: 0,
                tolerance: Tolerance(absolute: 5e-6, relative: 5e-6)
            ).run { table, inputs, outputs in
                table.group_norm(
                    outputs[0], outputs[1], outputs[2], inputs[0], affine ? inputs[1] : nil, affine ? inputs[2] : nil,
                    channels, length, epsilon, silu ? 1 : 0)
            } expected: { values in
                let moments = Moments(values[0], epsilon: Double(epsilon))
                let y = groupNorm(
                    values[0], affine ? values[1] : nil, affine ? values[2] : nil, length: length, silu: silu)
                return [y, [moments.mean], [moments.rstd]]
            }
        }
    }

    @Test("Gradients of group norm agree with central differences", arguments: [true, false], [true, false])
    func groupGradients(silu: Bool, affine: Bool) {
        for length in oddSizes where (1...63).contains(length) {
            var random = KernelRandom(length)
            let channels = 3, count = channels * length
            let x = random.floats(count)
            let moments = Moments(x.map(Double.init), epsilon: Double(epsilon))
            KernelCheck(
                label: "gradient of group norm of \(channels) x \(length)",
                inputs: [random.floats(count), x, random.floats(channels), random.floats(channels)],
                outputs: [[Float](repeating: .nan, count: count), [1, 1, 1], [1, 1, 1]],
                tolerance: Tolerance(absolute: 2e-5, relative: 1e-5)
            ).run { table, inputs, outputs in
                table.group_norm_gradient(
                    outputs[0], affine ? outputs[1] : nil, affine ? outputs[2] : nil, inputs[0], inputs[1],
                    Float(moments.mean), Float(moments.rstd), affine ? inputs[2] : nil, affine ? inputs[3] : nil,
                    channels, length, silu ? 1 : 0)
            } expected: { values in
                let (dy, x) = (values[0], values[1])
                let gamma = affine ? values[2] : [1, 1, 1], beta = affine ? values[3] : [0, 0, 0]
                let dx = numericalGradient(at: x, weights: dy) {
                    groupNorm($0, gamma, beta, length: length, silu: silu)
                }
                guard affine else { return [dx, [1, 1, 1], [1, 1, 1]] }
                let dgamma = numericalGradient(at: gamma, weights: dy) {
                    groupNorm(x, $0, beta, length: length, silu: silu)
                }
                let dbeta = numericalGradient(at: beta, weights: dy) {
                    groupNorm(x, gamma, $0, length: length, silu: silu)
                }
                return [dx, dgamma.map { $0 + 1 }, dbeta.map { $0 + 1 }]
            }
        }
    }

    @Test("Statistics may be left out", arguments: KernelSet.present)
    func withoutStatistics(instructionSet: KernelSet) throws {
        let table = try #require(instructionSet.table)
        let x: [Float] = [1, 3]
        var y = x
        table.layer_norm_rows(&y, nil, nil, x, nil, nil, 1, 2, 0)
        #expect(y == [-1, 1])
        table.rms_norm_rows(&y, nil, [3, 3], nil, 1, 2, 0)
        #expect(y == [1, 1])
        table.group_norm(&y, nil, nil, x, nil, nil, 2, 1, 0, 0)
        #expect(y == [-1, 1])
    }
}
