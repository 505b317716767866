import CKernels
import Testing

@testable import TortoiseCore

@Suite struct LoopNestTests {
    /// The pairs of offsets that a nest walks, in order.
    private func walked(_ nest: LoopNest) -> [[Int]] {
        nest.extents.indices.reduce([[0, 0]]) { offsets, axis in
            offsets.flatMap { from in
                (0..<nest.extents[axis]).map { [from[0] + $0 * nest.a[axis], from[1] + $0 * nest.b[axis]] }
            }
        }
    }

    @Test func axesThatLieTogetherAreOne() {
        let dense = LoopNest(shape: [2, 3, 4], a: [12, 4, 1], b: [12, 4, 1])
        #expect(dense.extents == [24] && dense.a == [1] && dense.b == [1])
        let rows = LoopNest(shape: [2, 3, 4], a: [12, 4, 1], b: [0, 0, 1])
        #expect(rows.extents == [6, 4] && rows.a == [4, 1] && rows.b == [0, 1])
        let scalar = LoopNest(shape: [2, 3], a: [3, 1], b: [0, 0])
        #expect(scalar.extents == [6] && scalar.b == [0])
        let ones = LoopNest(shape: [1, 5, 1], a: [99, 2, 77], b: [0, 1, 0])
        #expect(ones.extents == [5] && ones.a == [2] && ones.b == [1])
        let empty = LoopNest(shape: [], a: [], b: [])
        #expect(empty.count == 1 && empty.rows == 1 && empty.rowLength == 1)
    }

    /// Merged or not, the same places are visited in the same order.
    @Test func mergingKeepsTheOrder() {
        let shapes = [[2, 3, 4], [4, 1, 3], [1, 1], [3, 2, 2, 2], [5]]
        for shape in shapes {
            let dense = shape.denseStrides
            let reversed = Array(shape.reversed().denseStrides.reversed())
            for a in [dense, reversed, dense.map { $0 * 2 }, shape.map { _ in 0 }] {
                for b in [dense, reversed, shape.map { _ in 0 }] {
                    let plain = shape.indices.reduce([[0, 0]]) { offsets, axis in
                        offsets.flatMap { from in
                            (0..<shape[axis]).map { [from[0] + $0 * a[axis], from[1] + $0 * b[axis]] }
                        }
                    }
                    #expect(walked(LoopNest(shape: shape, a: a, b: b)) == plain)
                }
            }
        }
    }

    @Test func slicesAreParts() {
        let nest = LoopNest(shape: [5, 3], a: [1, 5], b: [3, 1])
        let part = nest.slice(outermost: 2..<4)
        let moved = walked(part.nest).map { [$0[0] + part.aOffset, $0[1] + part.bOffset] }
        #expect(moved == Array(walked(nest)[6..<12]))
    }

    @Test func kernelForm() {
        let form = LoopNest(shape: [5, 3], a: [1, 5], b: [3, 2]).kernelForm
        #expect(form.rank == 2 && form.extent.0 == 5 && form.extent.1 == 3)
        #expect(form.a.0 == 1 && form.a.1 == 5 && form.b.0 == 3 && form.b.1 == 2)
    }

    @Test func tooManyAxesStop() async {
        await #expect(processExitsWith: .failure) {
            let shape = [Int](repeating: 2, count: 9)
            _ = LoopNest(shape: shape, a: Array(1...9), b: Array(1...9))
        }
    }
}
