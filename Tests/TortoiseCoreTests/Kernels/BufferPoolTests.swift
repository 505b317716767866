import Testing

@testable import TortoiseCore

@Suite struct BufferPoolTests {
    /// Size classes hold what is asked for, waste at most an eighth, grow with the request and are classes of their own.
    @Test func sizeClasses() {
        var last = 0
        for bits in 0..<40 {
            for offset in [-1, 0, 1, 77] where (1 << bits) + offset >= 0 {
                let wanted = (1 << bits) + offset
                let size = BufferPool.sizeClass(wanted)
                #expect(size >= wanted && size % BufferPool.alignment == 0)
                #expect(size <= max(wanted + wanted / 8 + 1, wanted + BufferPool.alignment), "\(wanted) became \(size)")
                #expect(BufferPool.sizeClass(size) == size)
            }
        }
        for wanted in 0..<100_000 {
            let size = BufferPool.sizeClass(wanted)
            #expect(size >= last)
            last = size
        }
    }

    @Test func blocksAreAlignedAndWritable() {
        let pool = BufferPool()
        for size in [0, 1, 64, 100, 4_096, 1 << 20, (1 << 20) + 1, (4 << 20) + 12_345, 9 << 20] {
            let block = pool.allocate(byteCount: size)
            #expect(UInt(bitPattern: block) % UInt(BufferPool.alignment) == 0)
            let bytes = UnsafeMutableRawBufferPointer(start: block, count: size)
            for i in stride(from: 0, to: size, by: 1_001) { bytes[i] = 7 }
            if size > 0 { bytes[size - 1] = 9 }
            pool.deallocate(block, byteCount: size)
        }
        pool.trim()
        #expect(pool.usage.reserve == 0 && pool.usage.live == 0)
    }

    @Test func blocksAreUsedAgain() {
        let pool = BufferPool()
        let first = pool.allocate(byteCount: 5_000)
        #expect(pool.usage.live == BufferPool.sizeClass(5_000) && pool.usage.reserve == 0)
        pool.deallocate(first, byteCount: 5_000)
        #expect(pool.usage.live == 0 && pool.usage.reserve == BufferPool.sizeClass(5_000))
        let second = pool.allocate(byteCount: 5_010)
        #expect(second == first)
        let third = pool.allocate(byteCount: 5_000)
        #expect(third != second)
        pool.deallocate(second, byteCount: 5_010)
        pool.deallocate(third, byteCount: 5_000)
        #expect(pool.usage.peak == 2 * BufferPool.sizeClass(5_000))
    }

    /// Sizes that no longer occur leave the reserve, which is bounded by the peak.
    @Test func reserveIsBounded() {
        let pool = BufferPool()
        for size in stride(from: 8 << 20, through: 200 << 20, by: 8 << 20) {
            pool.deallocate(pool.allocate(byteCount: size), byteCount: size)
            let usage = pool.usage
            #expect(usage.reserve <= usage.peak + usage.peak / 8 + (64 << 20))
        }
        pool.trim()
        #expect(pool.usage.reserve == 0 && pool.usage.peak == 0)
    }

    @Test func concurrentUse() async {
        let pool = BufferPool()
        await withTaskGroup(of: Bool.self) { group in
            for task in 0..<4 {
                group.addTask {
                    (0..<2_000).allSatisfy { round in
                        let size = 64 + (round * 37 + task) % 3_000
                        let block = pool.allocate(byteCount: size)
                        defer { pool.deallocate(block, byteCount: size) }
                        let bytes = UnsafeMutableRawBufferPointer(start: block, count: size)
                        bytes.initializeMemory(as: UInt8.self, repeating: UInt8(task))
                        return bytes.allSatisfy { $0 == UInt8(task) }
                    }
                }
            }
            for await isOwnMemory in group { #expect(isOwnMemory) }
        }
        #expect(pool.usage.live == 0)
    }
}
