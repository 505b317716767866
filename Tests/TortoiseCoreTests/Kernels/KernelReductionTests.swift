import CKernels
import Testing

@Suite struct KernelReductionTests {
    private static let reductions: [(name: String, op: tk_reduction, value: @Sendable ([Double]) -> Double)] = [
        ("sum", TK_SUM, { $0.reduce(0, +) }), ("max", TK_MAX, { $0.max() ?? -.infinity }),
        ("min", TK_MIN, { $0.min() ?? .infinity }),
        ("sum of squares", TK_SUM_SQUARES, { $0.reduce(0) { $0 + $1 * $1 } }),
    ]

    @Test("Reductions of rows agree with double precision") func rows() {
        for (name, op, value) in Self.reductions {
            for size in oddSizes {
                var random = KernelRandom(size)
                KernelCheck(
                    label: "\(name) of rows of \(size)", inputs: [random.floats(3 * size)],
                    outputs: [[Float](repeating: .nan, count: 3)],
                    tolerance: Tolerance(absolute: 1e-6 * Double(1 + size).squareRoot(), relative: 1e-6)
                ).run { table, inputs, outputs in
                    table.reduce_rows(op, outputs[0], inputs[0], 3, size)
                } expected: { values in
                    [(0..<3).map { value(Array(values[0][$0 * size..<($0 + 1) * size])) }]
                }
            }
        }
    }

    @Test("Reductions of columns agree with double precision") func columns() {
        for (name, op, value) in Self.reductions {
            for (n, columns) in [(0, 5), (1, 17), (7, 1), (8, 33), (63, 9), (65, 31), (200, 1100), (1000, 3)] {
                let stride = columns + 3
                var random = KernelRandom(n + columns)
                KernelCheck(
                    label: "\(name) of \(columns) columns of \(n)", inputs: [random.floats(n * stride)],
                    outputs: [[Float](repeating: .nan, count: columns)],
                    tolerance: Tolerance(absolute: 2e-5, relative: 1e-6)
                ).run { table, inputs, outputs in
                    table.reduce_columns(op, outputs[0], inputs[0], n, columns, stride)
                } expected: { values in
                    [(0..<columns).map { column in value((0..<n).map { values[0][$0 * stride + column] }) }]
                }
            }
        }
    }

    @Test("A column's bits do not depend on its neighbours", arguments: KernelSet.present)
    func splitting(instructionSet: KernelSet) throws {
        let table = try #require(instructionSet.table)
        var random = KernelRandom(9)
        let x = random.floats(300 * 77)
        for (_, op, _) in Self.reductions {
            var whole = [Float](repeating: 0, count: 77), parts = whole
            table.reduce_columns(op, &whole, x, 300, 77, 77)
            for column in 0..<77 {
                x.withUnsafeBufferPointer { x in
                    guard let base = x.baseAddress else { return }
                    table.reduce_columns(op, &parts[column], base + column, 300, 1, 77)
                }
            }
            #expect(whole == parts)
        }
    }

    @Test("A million terms lose no precision", arguments: KernelSet.present)
    func longSums(instructionSet: KernelSet) throws {
        let table = try #require(instructionSet.table)
        var random = KernelRandom(3)
        let x = random.floats(1_000_003, in: 0...1)
        let sum = x.reduce(0.0) { $0 + Double($1) }, squares = x.reduce(0.0) { $0 + Double($1) * Double($1) }
        let tight = Tolerance(absolute: 0, relative: 5e-7)
        var y: Float = 0
        table.reduce_rows(TK_SUM, &y, x, 1, x.count)
        #expect(tight.accepts(Double(y), sum))
        table.reduce_columns(TK_SUM, &y, x, x.count, 1, 1)
        #expect(tight.accepts(Double(y), sum))
        table.reduce_rows(TK_SUM_SQUARES, &y, x, 1, x.count)
        #expect(tight.accepts(Double(y), squares))
        #expect(abs(table.sum_squares(x, x.count) - squares) < 1e-12 * squares)
        let reversed = Array(x.reversed())
        let product = zip(x, reversed).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
        #expect(abs(table.dot(x, reversed, x.count) - product) < 1e-12 * product)
    }

    @Test("dot and sum_squares take every length", arguments: KernelSet.present)
    func dotSizes(instructionSet: KernelSet) throws {
        let table = try #require(instructionSet.table)
        for size in oddSizes {
            var random = KernelRandom(size)
            let a = GuardedFloats(random.floats(size)), b = GuardedFloats(random.floats(size))
            let product = zip(a.values, b.values).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
            #expect(abs(table.dot(a.pointer, b.pointer, size) - product) <= 1e-9)
            let squares = a.values.reduce(0.0) { $0 + Double($1) * Double($1) }
            #expect(abs(table.sum_squares(a.pointer, size) - squares) <= 1e-9)
        }
    }

    @Test("NaN survives the search for extremes", arguments: KernelSet.present)
    func notANumber(instructionSet: KernelSet) throws {
        let table = try #require(instructionSet.table)
        for size in oddSizes where size > 0 {
            for place in [0, size / 2, size - 1] {
                var x = [Float](repeating: 1, count: size)
                x[place] = .nan
                var y = [Float](repeating: 0, count: size)
                for op in [TK_MAX, TK_MIN] {
                    table.reduce_rows(op, &y, x, 1, size)
                    #expect(y[0].isNaN, "\(place) of \(size)")
                    table.reduce_columns(op, &y, x, 1, size, size)
                    #expect(y[place].isNaN && y.filter { $0.isNaN }.count == 1, "column \(place) of \(size)")
                    y[0] = 0
                }
            }
        }
    }

    @Test("argmax finds the first of equals, and NaN before all", arguments: KernelSet.present)
    func argmax(instructionSet: KernelSet) throws {
        let table = try #require(instructionSet.table)
        for size in oddSizes where size > 0 {
            for place in Set([0, 1, size / 2, size - 2, size - 1]).filter({ 0..<size ~= $0 }) {
                // The row that follows would win if it were read.
                var x = [Float](repeating: -3, count: size) + [Float](repeating: 100, count: size)
                x[place] = -1
                x[size - 1] = -1
                var y: [Int32] = [-1, -1, -7]
                table.argmax_rows(&y, x, 2, size)
                #expect(y == [Int32(place), 0, -7], "\(place) of \(size)")
                x[place] = .nan
                x[size - 1] = place == size - 1 ? .nan : .infinity
                table.argmax_rows(&y, x, 1, size)
                #expect(y[0] == Int32(place), "NaN at \(place) of \(size)")
            }
        }
        var y: Int32 = -1
        table.argmax_rows(&y, [Float](repeating: -.infinity, count: 20), 1, 20)
        #expect(y == 0)
    }
}
