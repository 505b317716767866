import Foundation

extension MappedFile {
    /// Tells the kernel that a closure reads single pages here and there, so that it does not read ahead around each.
    func withScatteredReads<Result>(_ body: () throws -> Result) rethrows -> Result {
        guard let base = bytes.baseAddress else { return try body() }
        madvise(UnsafeMutableRawPointer(mutating: base), bytes.count, MADV_RANDOM)
        defer { madvise(UnsafeMutableRawPointer(mutating: base), bytes.count, MADV_NORMAL) }
        return try body()
    }

    /// Asks the kernel to start reading the pages at some bytes, all at once and in the background.
    func prefetch(at offsets: some Sequence<Int>) {
        guard let base = bytes.baseAddress else { return }
        let page = Int(getpagesize())
        for offset in offsets where offset >= 0 && offset < bytes.count {
            let start = offset / page * page
            madvise(UnsafeMutableRawPointer(mutating: base + start), min(page, bytes.count - start), MADV_WILLNEED)
        }
    }
}
