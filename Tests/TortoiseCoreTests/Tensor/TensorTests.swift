import Testing

@testable import TortoiseCore

@Suite struct TensorTests {
    @Test func makingAndReading() {
        let x = Tensor([1, 2, 3, 4, 5, 6], shape: [2, 3])
        #expect(x.shape == [2, 3] && x.strides == [3, 1] && x.rank == 2 && x.count == 6)
        #expect(x.transposed().values == [1, 4, 2, 5, 3, 6] && !x.transposed().isContiguous)
        #expect(Tensor(7).item == 7 && Tensor(7).shape == [])
        #expect(Tensor.range(4).values == [0, 1, 2, 3])
        #expect(Tensor.full([2, 2], 3).values == [3, 3, 3, 3] && Tensor.zeros([0, 3]).values.isEmpty)
        #expect(Tensor(indices: [3, -1]).indexValues == [3, -1])
        #expect(x.size(-1) == 3 && x.size(0) == 2)
        #expect(x.description == "Tensor [2, 3] float32 [1, 2, 3, 4, 5, 6]")
    }

    @Test func tensorsOverForeignMemory() {
        final class Owner {
            let memory = UnsafeMutableBufferPointer<Float>.allocate(capacity: 4)
            init() { _ = memory.initialize(from: [1, 2, 3, 4]) }
            deinit { memory.deallocate() }
        }
        weak var watched: Owner?
        func make() -> Tensor {
            let owner = Owner()
            watched = owner
            return Tensor(viewing: UnsafeRawBufferPointer(owner.memory), owner: owner, shape: [2, 2], dtype: .float32)
        }
        do {
            let x = make()
            #expect(x.transposed().values == [1, 3, 2, 4] && watched != nil)
        }
        #expect(watched == nil)
    }

    @Test func conversions() {
        let x = Tensor([1, -2.5, 65_504, 1e-7, .infinity, 0.1])
        #expect(
            x.converted(to: .float16).converted(to: .float32).values.map { Float16($0) } == x.values.map { Float16($0) }
        )
        let back = x.converted(to: .bfloat16).converted(to: .float32).values
        for (found, wanted) in zip(back, x.values) {
            #expect(abs(found - wanted) <= abs(wanted) * 0x1p-8 || found == wanted)
        }
        let half = Tensor([1.5, -2, 0.25])
        for (first, second) in [(DType.float16, DType.bfloat16), (.bfloat16, .float16)] {
            #expect(half.converted(to: first).converted(to: second).converted(to: .float32).values == half.values)
        }
        #expect(Tensor(indices: [1, -3]).converted(to: .float32).values == [1, -3])
        let wide = Tensor(uninitialized: [3], dtype: .int64)
        withElements(wide, as: Int64.self) { ($0[0], $0[1], $0[2]) = (.max, .min, 7) }
        #expect(wide.converted(to: .int32).indexValues == [.max, .min, 7])
        #expect(transposedInMemory(randomTensor([3, 4])).converted(to: .bfloat16).shape == [3, 4])
    }

    @Test func wrongShapesStop() async {
        await #expect(processExitsWith: .failure) { _ = Tensor([1, 2, 3], shape: [2, 2]) }
        await #expect(processExitsWith: .failure) { _ = Tensor.zeros([-1]) }
        await #expect(processExitsWith: .failure) { _ = Tensor([1, 2]).item }
        await #expect(processExitsWith: .failure) { _ = Tensor([1, 2]).size(1) }
        await #expect(processExitsWith: .failure) { _ = Tensor(indices: [1]).values }
        await #expect(processExitsWith: .failure) { _ = Tensor([1]).indexValues }
    }
}
