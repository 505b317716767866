import CHDF5
import CLZF
import Foundation

/// The LZF compression of h5py, which libhdf5 does not bring along: filter 32000.
///
/// Parameters of the filter, as h5py stores them: [0] the filter's revision, [1] liblzf's version, [2] bytes of a whole chunk.
enum LZFFilter {
    static let identifier: H5Z_filter_t = 32_000
    private static let revision: UInt32 = 4
    /// LZF encodes at best 264 bytes in three.
    private static let largestRatio = 88

    /// Makes the filter known to the library; call under the lock.
    static func register() {
        var filter = H5Z_class2_t()
        filter.version = 1
        filter.id = identifier
        filter.encoder_present = 1
        filter.decoder_present = 1
        // The library keeps this pointer for as long as the process lives.
        filter.name = UnsafePointer(strdup("lzf"))
        filter.set_local = { properties, type, _ in LZFFilter.storeChunkSize(properties, type) }
        filter.filter = { flags, parameterCount, parameters, byteCount, bufferSize, buffer in
            guard let bufferSize, let buffer, let input = buffer.pointee else { return 0 }
            let isReading = flags & UInt32(H5Z_FLAG_REVERSE) != 0
            let chunkBytes = parameterCount > 2 ? Int(parameters?[2] ?? 0) : 0
            let result =
                isReading
                ? LZFFilter.decompress(input, byteCount, expecting: chunkBytes) : LZFFilter.compress(input, byteCount)
            guard let (output, capacity, count) = result else { return 0 }
            H5free_memory(input)
            buffer.pointee = output
            bufferSize.pointee = capacity
            return count
        }
        H5Zregister(&filter)
    }

    private typealias Output = (buffer: UnsafeMutableRawPointer, capacity: Int, count: Int)

    /// nil when the chunk does not shrink; the library then stores it as it is.
    private static func compress(_ input: UnsafeMutableRawPointer, _ count: Int) -> Output? {
        guard count > 1, let size = UInt32(exactly: count), let output = H5allocate_memory(count, false) else {
            return nil
        }
        let written = lzf_compress(input, size, output, size - 1)
        guard written > 0 else {
            H5free_memory(output)
            return nil
        }
        return (output, count, Int(written))
    }

    /// nil when the bytes are not LZF.
    private static func decompress(_ input: UnsafeMutableRawPointer, _ count: Int, expecting chunkBytes: Int) -> Output?
    {
        guard count > 0, let size = UInt32(exactly: count) else { return nil }
        let most = min(count * largestRatio, Int(UInt32.max))
        // A file may say any chunk size: what the bytes cannot expand to is not believed.
        var capacity = chunkBytes > 0 ? min(chunkBytes, most) : min(4 * count, most)
        while true {
            guard let output = H5allocate_memory(max(1, capacity), false) else { return nil }
            let written = lzf_decompress(input, size, output, UInt32(capacity))
            let error = errno
            // The library would read on behind a chunk that is too short.
            if written > 0, chunkBytes == 0 || written == chunkBytes { return (output, capacity, Int(written)) }
            H5free_memory(output)
            guard written == 0, error == E2BIG, capacity < most else { return nil }
            capacity = min(2 * capacity, most)
        }
    }

    /// Called when a dataset is created: fills in the parameters.
    private static func storeChunkSize(_ properties: hid_t, _ type: hid_t) -> herr_t {
        var flags: UInt32 = 0
        var count = 8
        var values = [UInt32](repeating: 0, count: 8)
        guard H5Pget_filter_by_id2(properties, identifier, &flags, &count, &values, 0, nil, nil) >= 0 else { return -1 }
        var dimensions = [hsize_t](repeating: 0, count: 32)
        let rank = H5Pget_chunk(properties, 32, &dimensions)
        let elementBytes = H5Tget_size(type)
        guard rank > 0, elementBytes > 0 else { return -1 }
        var bytes = UInt32(clamping: elementBytes)
        for dimension in dimensions.prefix(Int(rank)) {
            let (product, overflow) = bytes.multipliedReportingOverflow(by: UInt32(clamping: dimension))
            guard !overflow else { return -1 }
            bytes = product
        }
        values[0] = revision
        values[1] = UInt32(LZF_VERSION)
        values[2] = bytes
        return H5Pmodify_filter(properties, identifier, flags, max(3, min(count, 8)), values)
    }
}
