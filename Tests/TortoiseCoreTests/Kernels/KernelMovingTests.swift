import CKernels
import Testing

/// A move over a loop nest: extents, the strides of y and of x, and where their first elements are.
private struct Move: CustomTestStringConvertible {
    var extents: [Int]
    var y: [Int]
    var x: [Int]

    var testDescription: String { "\(extents) to \(y) from \(x)" }

    /// The positions of an operand's elements; the least of them is 0.
    func positions(_ strides: [Int]) -> [Int] {
        var origin = 0
        for (extent, stride) in zip(extents, strides) where extent > 0 { origin -= min(0, stride * (extent - 1)) }
        return zip(extents, strides).reduce([origin]) { positions, axis in
            positions.flatMap { position in (0..<axis.0).map { position + $0 * axis.1 } }
        }
    }

    /// The permutation of a dense x into a dense y.
    static func permuting(_ shape: [Int], _ order: [Int]) -> Move {
        func dense(_ shape: [Int]) -> [Int] {
            shape.indices.map { axis -> Int in shape[(axis + 1)...].reduce(1, *) }
        }
        let extents = order.map { shape[$0] }, strides = dense(shape)
        return Move(extents: extents, y: dense(extents), x: order.map { strides[$0] })
    }
}

@Suite struct KernelMovingTests {
    private static let moves: [Move] = [0, 1, 3, 8, 17, 300].flatMap(rows) + permutations + others

    /// Rows of a length, dense, strided, broadcast and reversed.
    private static func rows(_ n: Int) -> [Move] {
        [
            Move(extents: [n], y: [1], x: [1]), Move(extents: [n], y: [3], x: [2]), Move(extents: [n], y: [1], x: [0]),
            Move(extents: [n], y: [1], x: [-1]), Move(extents: [2, n], y: [n + 5, 1], x: [1, 0]),
            Move(extents: [3, n], y: [n + 2, 1], x: [n + 1, 1]),
        ]
    }

    private static let permutations: [Move] = [
        .permuting([2, 3, 5, 7], [0, 2, 1, 3]), .permuting([2, 37, 3, 16], [0, 2, 1, 3]),
        .permuting([2, 37, 3, 16], [0, 2, 3, 1]), .permuting([2, 33, 50], [0, 2, 1]), .permuting([16, 16], [1, 0]),
        .permuting([64, 48], [1, 0]), .permuting([5, 40, 3], [2, 1, 0]), .permuting([1, 4, 1, 6], [3, 0, 1, 2]),
        .permuting([2, 3, 2, 2, 3, 2, 2, 3], [7, 6, 5, 4, 3, 2, 1, 0]),
    ]

    private static let others: [Move] = [
        Move(extents: [20, 35], y: [50, 1], x: [1, 40]),  // a transpose with gaps on both sides
        Move(extents: [20, 35], y: [1, 31], x: [37, 1]),  // written by columns
        Move(extents: [20, 35], y: [70, 2], x: [1, 40]), Move(extents: [18, 19], y: [19, 1], x: [-1, 18]),
        Move(extents: [18, 19], y: [19, -1], x: [1, 18]), Move(extents: [4, 5, 6], y: [30, 6, 1], x: [0, 1, 0]),
        Move(extents: [2, 0, 3], y: [0, 3, 1], x: [0, 3, 1]), Move(extents: [1, 1], y: [1, 1], x: [1, 1]),
    ]

    private func expectCopies<Element: FixedWidthInteger>(
        _ move: Move, of type: Element.Type, _ instructionSet: KernelSet
    ) throws {
        let table = try #require(instructionSet.table)
        let to = move.positions(move.y), from = move.positions(move.x)
        var random = KernelRandom(to.count)
        let x = GuardedIntegers((0...(from.max() ?? 0)).map { _ in Element(truncatingIfNeeded: random.bits()) })
        let before = (0...(to.max() ?? 0)).map { _ in Element(truncatingIfNeeded: random.bits()) }
        let y = GuardedIntegers(before)
        var expected = before
        for (to, from) in zip(to, from) { expected[to] = x.values[from] }
        var nest = tk_nest(move.extents, a: move.y, b: move.x)
        table.copy(y.pointer + (to.first ?? 0), x.pointer + (from.first ?? 0), MemoryLayout<Element>.size, &nest)
        #expect(y.values == expected, "\(move.testDescription) of \(type)")
        #expect(y.isIntact && x.isIntact)
    }

    @Test("Copies follow the strides of both operands", arguments: KernelSet.present, moves)
    private func copies(instructionSet: KernelSet, move: Move) throws {
        try expectCopies(move, of: UInt8.self, instructionSet)
        try expectCopies(move, of: UInt16.self, instructionSet)
        try expectCopies(move, of: UInt32.self, instructionSet)
        try expectCopies(move, of: UInt64.self, instructionSet)
    }

    @Test("Rows are gathered by index") func gather() {
        let index: [Int32] = [3, 0, 3, 1]
        for n in oddSizes {
            var random = KernelRandom(n)
            KernelCheck(
                label: "gather \(n)", inputs: [random.floats(4 * n)], outputs: [[Float](repeating: .nan, count: 4 * n)],
                tolerance: Tolerance(absolute: 0, relative: 0)
            ).run { table, inputs, outputs in
                table.gather_rows(outputs[0], inputs[0], index, 4, n)
            } expected: { inputs in
                [index.flatMap { inputs[0][Int($0) * n..<(Int($0) + 1) * n] }]
            }
        }
    }

    @Test("Rows are added by index, equal ones in order") func scatterAdd() {
        let index: [Int32] = [2, 0, 2, 2, 1]
        for n in oddSizes {
            var random = KernelRandom(n)
            let before = random.floats(3 * (n + 3))
            KernelCheck(label: "scatter \(n)", inputs: [random.floats(5 * (n + 2))], outputs: [before]).run {
                table, inputs, outputs in
                table.scatter_add_rows(outputs[0], n + 3, inputs[0], n + 2, index, 5, n)
            } expected: { inputs in
                var sums = before.map(Double.init)
                for (row, to) in index.enumerated() {
                    for column in 0..<n { sums[Int(to) * (n + 3) + column] += inputs[0][row * (n + 2) + column] }
                }
                return [sums]
            }
        }
        // In this order the small addend is lost twice; in another it would not be.
        for instructionSet in KernelSet.present {
            var table: [Float] = [1]
            instructionSet.table?.scatter_add_rows(&table, 1, [0x1p-24, 0x1p-24, 0x1p-23], 1, [0, 0, 0], 3, 1)
            #expect(table == [1 + 0x1p-23])
        }
    }
}
