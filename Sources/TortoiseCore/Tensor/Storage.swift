import Foundation

/// A block of memory that tensors view: pooled, or a slice of something else that is kept alive.
final class Storage {
    let base: UnsafeMutableRawPointer
    let byteCount: Int
    /// The mapped file or other owner; `nil` for a block of the pool.
    private let owner: AnyObject?

    /// A block of the pool; its contents are undefined.
    init(byteCount: Int) {
        base = BufferPool.shared.allocate(byteCount: byteCount)
        self.byteCount = byteCount
        owner = nil
    }

    /// Read-only bytes that `owner` keeps alive, a weight in a mapped file for example.
    ///
    /// Nothing writes through `base`: operations write only to storage that they have just made.
    init(viewing bytes: UnsafeRawBufferPointer, owner: AnyObject) {
        base =
            bytes.baseAddress.map { UnsafeMutableRawPointer(mutating: $0) } ?? BufferPool.shared.allocate(byteCount: 0)
        byteCount = bytes.count
        self.owner = owner
    }

    /// Lets go of the pages of a mapped file that lie wholly in these bytes; they are read again when they are touched.
    func releasePages() {
        guard owner is MappedFile else { return }
        let page = UInt(getpagesize())
        let start = (UInt(bitPattern: base) + page - 1) / page * page
        let end = (UInt(bitPattern: base) + UInt(byteCount)) / page * page
        guard end > start else { return }
        madvise(UnsafeMutableRawPointer(bitPattern: start), Int(end - start), MADV_DONTNEED)
    }

    deinit {
        if owner == nil { BufferPool.shared.deallocate(base, byteCount: byteCount) }
    }
}
