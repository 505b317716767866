import CKernels
import Foundation
import Testing

@Suite struct KernelOptimizerTests {
    private func adamSettings(step: Double, decoupled: Bool) -> tk_adam {
        tk_adam(
            learning_rate: 0.01, beta1: 0.9, beta2: 0.99, epsilon: 1e-6, weight_decay: 0.1,
            correction1: 1 - pow(0.9, step), correction2: 1 - pow(0.99, step), gradient_scale: 0.5,
            decoupled: decoupled ? 1 : 0)
    }

    /// One step in double precision: the new weight and moments.
    private func adam(_ w: Double, _ g: Double, _ m: Double, _ v: Double, _ s: tk_adam) -> (
        w: Double, m: Double, v: Double
    ) {
        let (rate, decay) = (s.learning_rate, s.weight_decay)
        let g = g * Double(s.gradient_scale) + (s.decoupled == 0 ? decay * w : 0)
        let m = s.beta1 * m + (1 - s.beta1) * g
        let v = s.beta2 * v + (1 - s.beta2) * g * g
        let direction = (m / s.correction1) / ((v / s.correction2).squareRoot() + s.epsilon)
        return ((s.decoupled == 0 ? w : w * (1 - rate * decay)) - rate * direction, m, v)
    }

    @Test("Adam and AdamW agree with double precision", arguments: [true, false])
    func adam(decoupled: Bool) {
        var settings = adamSettings(step: 3, decoupled: decoupled)
        for size in oddSizes {
            var random = KernelRandom(size)
            let w = random.floats(size), m = random.floats(size, in: -0.1...0.1), v = random.floats(size, in: 0...0.1)
            KernelCheck(
                label: "Adam \(size)", inputs: [random.floats(size)], outputs: [w, m, v],
                tolerance: Tolerance(absolute: 2e-7, relative: 2e-6)
            ).run { table, inputs, outputs in
                table.adam_step(outputs[0], inputs[0], outputs[1], outputs[2], size, &settings)
            } expected: { values in
                let new = values[0].indices.map {
                    adam(Double(w[$0]), values[0][$0], Double(m[$0]), Double(v[$0]), settings)
                }
                return [new.map(\.w), new.map(\.m), new.map(\.v)]
            }
        }
    }

    @Test("SGD agrees with double precision", arguments: [true, false], [true, false])
    func sgd(nesterov: Bool, isFirst: Bool) {
        for size in oddSizes {
            var random = KernelRandom(size)
            let w = random.floats(size)
            let velocity = isFirst ? [Float](repeating: .nan, count: size) : random.floats(size)
            func step(_ w: Double, _ g: Double, _ velocity: Double) -> (w: Double, velocity: Double) {
                let g = 0.5 * g + 0.125 * w
                let velocity = isFirst ? g : 0.75 * velocity + 0.75 * g
                return (w - 0.0625 * (nesterov ? g + 0.75 * velocity : velocity), velocity)
            }
            KernelCheck(label: "SGD \(size)", inputs: [random.floats(size)], outputs: [w, velocity])
                .run { table, inputs, outputs in
                    table.sgd_step(
                        outputs[0], inputs[0], outputs[1], size, 0.0625, 0.75, 0.25, 0.125, 0.5, nesterov ? 1 : 0,
                        isFirst ? 1 : 0)
                } expected: { values in
                    let new = w.indices.map { step(Double(w[$0]), values[0][$0], Double(velocity[$0])) }
                    return [new.map(\.w), new.map(\.velocity)]
                }
            KernelCheck(label: "SGD without momentum \(size)", inputs: [random.floats(size)], outputs: [w])
                .run { table, inputs, outputs in
                    table.sgd_step(outputs[0], inputs[0], nil, size, 0.0625, 0, 0, 0.125, 0.5, 0, 0)
                } expected: { values in
                    [w.indices.map { Double(w[$0]) - 0.0625 * (0.5 * values[0][$0] + 0.125 * Double(w[$0])) }]
                }
        }
    }

    @Test("Prodigy's kernels agree with double precision", arguments: [1, 3])
    func prodigy(stride: Int) {
        var settings = tk_prodigy(
            gradient_scale: 0.5, decay: 0.125, keep1: 0.75, take1: 0.25, keep2: 0.875, take2: 0.0625, keep3: 0.5,
            take3: 0.75)
        for size in oddSizes {
            var random = KernelRandom(size)
            let w = random.floats(size), g = random.floats(size), m = random.floats(size),
                v = random.floats(size, in: 0...1)
            let slice = Array(Swift.stride(from: 0, to: size, by: stride))
            let s = random.floats(slice.count), start = random.floats(slice.count)
            let gradient = w.indices.map { 0.5 * Double(g[$0]) + 0.125 * Double(w[$0]) }
            KernelCheck(label: "Prodigy's moments \(size)", inputs: [w, g], outputs: [m, v]).run {
                table, inputs, outputs in
                table.prodigy_moments(outputs[0], outputs[1], inputs[0], inputs[1], size, &settings)
            } expected: { _ in
                [
                    w.indices.map { 0.75 * Double(m[$0]) + 0.25 * gradient[$0] },
                    w.indices.map { 0.875 * Double(v[$0]) + 0.0625 * gradient[$0] * gradient[$0] },
                ]
            }
            let sums = slice.indices.map { 0.5 * Double(s[$0]) + 0.75 * gradient[slice[$0]] }
            let travelled = slice.indices.reduce(0) { $0 + gradient[slice[$1]] * Double(start[$1] - w[slice[$1]]) }
            KernelCheck(label: "Prodigy's distance \(size)", inputs: [start, w, g], outputs: [s]).run {
                table, inputs, outputs in
                var found = [0.0, 0.0]
                table.prodigy_distance(
                    &found, outputs[0], inputs[0], inputs[1], inputs[2], slice.count, stride, &settings)
                let tolerance = Tolerance(absolute: 1e-6 * Double(slice.count + 1))
                #expect(tolerance.accepts(found[0], travelled))
                #expect(tolerance.accepts(found[1], sums.reduce(0) { $0 + abs($1) }))
            } expected: { _ in
                [sums]
            }
            KernelCheck(label: "Prodigy's step \(size)", inputs: [m, v], outputs: [w]).run { table, inputs, outputs in
                table.prodigy_step(outputs[0], inputs[0], inputs[1], size, 0.875, 0.25, 0.5)
            } expected: { values in
                [w.indices.map { 0.875 * Double(w[$0]) - 0.25 * values[0][$0] / (values[1][$0].squareRoot() + 0.5) }]
            }
        }
    }

    /// 8-bit maps of several kinds: even steps, and steps that shrink towards zero over many octaves.
    private static let maps: [(signed: [Float], unsigned: [Float])] = [
        ((0..<256).map { Float($0) / 127.5 - 1 }, (0..<256).map { Float($0) / 255 }),
        (
            (0..<256).map { index in
                let side = Float(index) - 127.5
                return (side < 0 ? -1 : 1) * exp2(Float(abs(side) - 127.5) / 8)
            }, (0..<256).map { $0 == 0 ? 0 : exp2(Float($0 - 255) / 12) }
        ),
    ]

    @Test(
        "8-bit Adam steps from its decoded state and stores the nearest codes", arguments: KernelSet.present,
        [0, 1])
    func adam8(instructionSet: KernelSet, map: Int) throws {
        let table = try #require(instructionSet.table)
        let (signed, unsigned) = Self.maps[map]
        let block = Int(TK_ADAM8_BLOCK)
        for size in oddSizes + [255, 256, 257] {
            var random = KernelRandom(size), settings = adamSettings(step: 9, decoupled: true)
            let blocks = (size + block - 1) / block
            let w = random.floats(size), g = random.floats(size)
            var m = (0..<size + 9).map { _ in UInt8(truncatingIfNeeded: random.bits()) }, v = m.reversed() as [UInt8]
            var mScale = random.floats(blocks, in: 0.1...1), vScale = random.floats(blocks, in: 0.1...1)
            let (oldM, oldV, oldMScale, oldVScale) = (m, v, mScale, vScale)
            let weights = GuardedFloats(w)
            table.adam8_step(weights.pointer, g, &m, &mScale, &v, &vScale, signed, unsigned, size, &settings)
            #expect(weights.isIntact && m[size...] == oldM[size...] && v[size...] == oldV[size...])

            let new = (0..<size).map { i in
                adam(
                    Double(w[i]), Double(g[i]), Double(signed[Int(oldM[i])] * oldMScale[i / block]),
                    Double(unsigned[Int(oldV[i])] * oldVScale[i / block]), settings)
            }
            expectClose(weights.values, new.map(\.w), Tolerance(), "8-bit Adam \(size)")
            expectNearest(m, mScale, signed, new.map(\.m))
            expectNearest(v, vScale, unsigned, new.map(\.v))
        }
    }

    /// Expects the largest magnitude of each block as its scale, and of every value the nearest entry of the map.
    private func expectNearest(_ codes: [UInt8], _ scales: [Float], _ map: [Float], _ values: [Double]) {
        for (index, value) in values.enumerated() {
            let begin = index / 256 * 256
            let scale = values[begin..<min(begin + 256, values.count)].reduce(0) { max($0, abs($1)) }
            #expect(abs(Double(scales[index / 256]) - scale) <= 1e-6 * scale)
            let distances = map.map { abs(Double($0) - value / scale) }
            let chosen = distances[Int(codes[index])], nearest = distances.min() ?? 0
            #expect(chosen <= nearest + 1e-6 * abs(value / scale) + 1e-12, "code \(codes[index]) for \(value / scale)")
        }
    }

    @Test("A block of zeros keeps zeros", arguments: KernelSet.present)
    func zeros(instructionSet: KernelSet) throws {
        let table = try #require(instructionSet.table)
        var settings = adamSettings(step: 1, decoupled: true)
        // Zero is an entry of these maps, as of the dynamic ones.
        let signed = (0..<256).map { Float($0 - 127) / 128 }, unsigned = Self.maps[0].unsigned
        var w: [Float] = [1, 2, 3], m: [UInt8] = [127, 127, 127], v: [UInt8] = [0, 0, 0]
        var mScale: [Float] = [0], vScale: [Float] = [0]
        table.adam8_step(&w, [0, 0, 0], &m, &mScale, &v, &vScale, signed, unsigned, 3, &settings)
        #expect(m == [127, 127, 127] && v == [0, 0, 0] && mScale == [0] && vScale == [0])
        #expect(w.allSatisfy { $0.isFinite })
    }
}
