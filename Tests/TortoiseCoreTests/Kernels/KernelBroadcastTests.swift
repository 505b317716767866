import CKernels
import Testing

extension tk_nest {
    /// Extents, innermost last, and the strides of both operands.
    init(_ extents: [Int], a: [Int], b: [Int]) {
        self.init()
        rank = Int32(extents.count)
        for (axis, extent) in extents.enumerated() {
            withUnsafeMutableBytes(of: &self.extent) { $0.storeBytes(of: extent, toByteOffset: 8 * axis, as: Int.self) }
            withUnsafeMutableBytes(of: &self.a) { $0.storeBytes(of: a[axis], toByteOffset: 8 * axis, as: Int.self) }
            withUnsafeMutableBytes(of: &self.b) { $0.storeBytes(of: b[axis], toByteOffset: 8 * axis, as: Int.self) }
        }
    }
}

@Suite struct KernelBroadcastTests {
    private struct Layout {
        var extents: [Int]
        var a: [Int]
        var b: [Int]

        /// The positions of an operand's elements, in the order of the result.
        func positions(_ strides: [Int]) -> [Int] {
            zip(extents, strides).reduce([0]) { positions, axis in
                positions.flatMap { position in (0..<axis.0).map { position + $0 * axis.1 } }
            }
        }
    }

    private static let layouts: [Layout] =
        oddSizes.map { Layout(extents: [$0], a: [1], b: [1]) }
        + oddSizes.filter { $0 < 1000 }.flatMap { n in
            [
                Layout(extents: [3, n], a: [n, 1], b: [0, 1]),  // a row for every row
                Layout(extents: [3, n], a: [n, 1], b: [1, 0]),  // a number for every row
                Layout(extents: [3, n], a: [1, 0], b: [n, 1]),
                Layout(extents: [2, 3, n], a: [3 * n, 1, 3], b: [0, n, 1]),  // a transposed
                Layout(extents: [2, 3, n], a: [0, 1, 0], b: [1, 0, 0]),  // an outer sum
            ]
        } + [Layout(extents: [2, 1, 3, 2, 5], a: [30, 0, 10, 5, 1], b: [0, 0, 2, 1, 0])]

    private static let functions: [(String, tk_binary, @Sendable (Double, Double) -> Double)] = [
        ("add", TK_ADD, { $0 + $1 }), ("subtract", TK_SUBTRACT, { $0 - $1 }), ("multiply", TK_MULTIPLY, { $0 * $1 }),
        ("divide", TK_DIVIDE, { $0 / $1 }), ("maximum", TK_MAXIMUM, { max($0, $1) }),
        ("minimum", TK_MINIMUM, { min($0, $1) }),
    ]

    @Test("Binary functions follow the strides of both operands") func broadcasting() {
        for (name, op, function) in Self.functions {
            for layout in Self.layouts {
                let first = layout.positions(layout.a), second = layout.positions(layout.b)
                var random = KernelRandom(first.count)
                let a = random.floats((first.max() ?? 0) + 1, in: 0.5...2),
                    b = random.floats((second.max() ?? 0) + 1, in: 0.5...2)
                var nest = tk_nest(layout.extents, a: layout.a, b: layout.b)
                let rows = layout.extents.dropLast().reduce(1, *)
                let dense = a.count == first.count && first == Array(first.indices)
                KernelCheck(
                    label: "\(name) \(layout)", inputs: [a, b],
                    outputs: [[Float](repeating: .nan, count: first.count)], inPlace: dense ? 0 : nil
                ).run { table, inputs, outputs in
                    // In two parts, of which neither may need the other.
                    table.binary(op, outputs[0], inputs[0], inputs[1], &nest, rows / 2, rows)
                    table.binary(op, outputs[0], inputs[0], inputs[1], &nest, 0, rows / 2)
                } expected: { values in
                    [zip(first, second).map { function(values[0][$0], values[1][$1]) }]
                }
            }
        }
    }

    @Test("The larger and the smaller of a number and NaN is NaN", arguments: KernelSet.present)
    func notANumber(instructionSet: KernelSet) throws {
        let table = try #require(instructionSet.table)
        let a = [Float.nan, 1, .nan] + [Float](repeating: .nan, count: 16)
        let b = [2, Float.nan, .nan] + [Float](repeating: 0, count: 16)
        var y = a
        var nest = tk_nest([a.count], a: [1], b: [1])
        for op in [TK_MAXIMUM, TK_MINIMUM] {
            table.binary(op, &y, a, b, &nest, 0, 1)
            #expect(y.allSatisfy { $0.isNaN })
            table.binary(op, &y, b, a, &nest, 0, 1)
            #expect(y.allSatisfy { $0.isNaN })
        }
    }
}
