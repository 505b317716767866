import Foundation
import Synchronization

/// Blocks of memory that are used again instead of going back to the system.
///
/// A fresh 4 MB block costs a millisecond of page faults, a used one microseconds, and every step of training or
/// diffusion asks for the same sizes. Sizes are rounded up to eight classes per power of two; what is kept in reserve
/// is bounded by what was in use at the peak, so sizes that no longer occur are given back.
final class BufferPool: Sendable {
    static let shared = BufferPool()

    /// How much memory the pool holds, in bytes.
    struct Usage: Sendable {
        /// Handed out now.
        var live = 0
        /// The most that was ever handed out at once.
        var peak = 0
        /// Kept for the next request.
        var reserve = 0
    }

    /// The free blocks of one size, as addresses.
    private struct Shelf {
        var blocks: [UInt] = []
        /// When a block last came or went; the size that was unused for longest is given back first.
        var lastUse: UInt64 = 0
    }

    private struct State {
        var shelves: [Int: Shelf] = [:]
        var clock: UInt64 = 0
        var usage = Usage()
        /// Addresses that were mapped and not yet handed out.
        var region: Range<UInt> = 0..<0

        /// Cuts a block from the region; nil when it is too small.
        mutating func cut(_ size: Int) -> UInt? {
            guard region.count >= size else { return nil }
            defer { region = region.lowerBound + UInt(size)..<region.upperBound }
            return region.lowerBound
        }

        mutating func take(_ size: Int) -> UInt? {
            usage.live += size
            usage.peak = max(usage.peak, usage.live)
            clock += 1
            shelves[size, default: Shelf()].lastUse = clock
            guard let address = shelves[size]?.blocks.popLast() else { return nil }
            usage.reserve -= size
            return address
        }

        mutating func putBack(_ address: UInt, _ size: Int) {
            usage.live -= size
            usage.reserve += size
            clock += 1
            shelves[size, default: Shelf()].lastUse = clock
            shelves[size]?.blocks.append(address)
        }

        /// Removes blocks until the reserve is within `limit`; returns their addresses and sizes.
        mutating func evict(until limit: Int) -> [(address: UInt, size: Int)] {
            var evicted: [(address: UInt, size: Int)] = []
            while usage.reserve > limit {
                let oldest = shelves.lazy.filter { !$0.value.blocks.isEmpty }.min {
                    $0.value.lastUse < $1.value.lastUse
                }
                guard let size = oldest?.key, let address = shelves[size]?.blocks.popLast() else { break }
                usage.reserve -= size
                evicted.append((address, size))
            }
            return evicted
        }
    }

    private let state = Mutex(State())

    static let alignment = 64
    /// Blocks from here up are mapped, in pages of 2 MB where the system has them: a processor knows the places of so few small pages
    /// that reading weights from them takes up to twice as long.
    private static let mappedSize = 128 << 10
    private static let hugePage = 2 << 20
    /// Blocks below a quarter of this are cut from a region, so that they share pages; larger ones are mapped on their own.
    private static let regionSize = 32 << 20
    /// Reserve that is kept whatever the peak was.
    private static let smallReserve = 64 << 20

    var usage: Usage { state.withLock { $0.usage } }

    /// A block of at least `byteCount` bytes at a 64-byte boundary; its contents are undefined.
    func allocate(byteCount: Int) -> UnsafeMutableRawPointer {
        let size = Self.sizeClass(byteCount)
        let reused = state.withLock { $0.take(size) }
        if let reused, let block = UnsafeMutableRawPointer(bitPattern: reused) { return block }
        if let block = obtain(size) { return block }
        trim()
        guard let block = obtain(size) else {
            preconditionFailure("out of memory: \(byteCount) bytes were asked for, \(usage.live) are in use")
        }
        return block
    }

    /// Takes back a block that `allocate` gave for this byte count.
    func deallocate(_ block: UnsafeMutableRawPointer, byteCount: Int) {
        let size = Self.sizeClass(byteCount)
        let evicted = state.withLock { state -> [(address: UInt, size: Int)] in
            state.putBack(UInt(bitPattern: block), size)
            let usage = state.usage
            let limit = usage.peak - usage.live + usage.peak / 8 + Self.smallReserve
            return usage.reserve > limit ? state.evict(until: limit) : []
        }
        for block in evicted { Self.giveBack(block.address, block.size) }
    }

    /// Gives the whole reserve back to the system and forgets the peak; called between requests.
    func trim() {
        let evicted = state.withLock { state in
            state.usage.peak = state.usage.live
            return state.evict(until: 0)
        }
        for block in evicted { Self.giveBack(block.address, block.size) }
    }

    // MARK: - Size classes and the system

    /// The size that is really allocated: a multiple of 64 bytes, at most an eighth more than asked for.
    static func sizeClass(_ byteCount: Int) -> Int {
        guard byteCount > 512 else { return max(alignment, (byteCount + alignment - 1) & ~(alignment - 1)) }
        let octave = Int.bitWidth - (byteCount - 1).leadingZeroBitCount
        let step = 1 << (octave - 4)
        return (byteCount + step - 1) & ~(step - 1)
    }

    private func obtain(_ size: Int) -> UnsafeMutableRawPointer? {
        guard size >= Self.mappedSize else { return aligned_alloc(Self.alignment, size) }
        let bytes = Self.pageRounded(size)
        guard bytes < Self.regionSize / 4 else { return Self.map(bytes) }
        return state.withLock { state in
            if state.region.count < bytes {
                guard let start = Self.map(Self.regionSize) else { return nil }
                munmap(UnsafeMutableRawPointer(bitPattern: state.region.lowerBound), state.region.count)
                state.region = UInt(bitPattern: start)..<UInt(bitPattern: start + Self.regionSize)
            }
            return state.cut(bytes).flatMap { UnsafeMutableRawPointer(bitPattern: $0) }
        }
    }

    /// Whole pages from a huge page's boundary on: one page fault then brings 2 MB.
    private static func map(_ size: Int) -> UnsafeMutableRawPointer? {
        let protection = PROT_READ | PROT_WRITE
        guard let start = mmap(nil, size + hugePage, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
            start != MAP_FAILED
        else { return nil }
        let head = (hugePage - Int(bitPattern: start) % hugePage) % hugePage
        if head > 0 { munmap(start, head) }
        if hugePage > head { munmap(start + head + size, hugePage - head) }
        madvise(start + head, size, MADV_HUGEPAGE)
        return start + head
    }

    private static func pageRounded(_ size: Int) -> Int { (size + 4095) & ~4095 }

    private static func giveBack(_ address: UInt, _ size: Int) {
        let block = UnsafeMutableRawPointer(bitPattern: address)
        if size >= mappedSize { munmap(block, pageRounded(size)) } else { free(block) }
    }
}

/// Room for floats within one call of a kernel.
final class Scratch {
    let base: UnsafeMutablePointer<Float>
    private let byteCount: Int

    init(count: Int) {
        byteCount = count * MemoryLayout<Float>.stride
        base = BufferPool.shared.allocate(byteCount: byteCount).assumingMemoryBound(to: Float.self)
    }

    deinit { BufferPool.shared.deallocate(UnsafeMutableRawPointer(base), byteCount: byteCount) }
}
