import CHDF5
import Foundation

/// The HDF5 library as a whole: its lock, its start and its errors.
///
/// The serial build need not be thread-safe and keeps its state in globals, so every call in the process takes one lock.
enum HDF5Library {
    // Recursive, because objects close themselves (and so call the library) when they are let go inside another call.
    private static let lock = NSRecursiveLock()

    /// Opens the library once and makes the LZF filter known.
    private static let isStarted: Bool = {
        H5open()
        LZFFilter.register()
        return true
    }()

    /// Runs calls of the library, one thread at a time.
    static func locked<Result>(_ body: () throws -> Result) rethrows -> Result {
        lock.lock()
        defer { lock.unlock() }
        _ = isStarted
        // Where the library is thread-safe, each thread has its own switch for printing errors.
        H5Eset_auto2(tortoise_h5_error_stack(), nil, nil)
        return try body()
    }

    /// Takes the library's error stack and makes one message of it; call under the lock.
    static func takeError(_ doing: String, at place: String, try remedy: String? = nil) -> InputError {
        var reasons: [String] = []
        withUnsafeMutablePointer(to: &reasons) { pointer in
            _ = H5Ewalk2(
                tortoise_h5_error_stack(), H5E_WALK_UPWARD,
                { _, entry, context in
                    if let text = entry?.pointee.desc, let context {
                        context.assumingMemoryBound(to: [String].self).pointee.append(String(cString: text))
                    }
                    return 0
                }, pointer)
        }
        H5Eclear2(tortoise_h5_error_stack())
        // The innermost entry is the cause; the outermost only repeats what was asked for.
        let cause = reasons.first.map { ": \($0)" } ?? ""
        return .data("cannot \(doing)\(cause)", at: place, try: remedy)
    }
}

/// An open object of the HDF5 library, closed when the last reference goes.
final class HDF5Identifier {
    enum Kind {
        case file, group, dataset, dataspace, datatype, attribute, propertyList
    }

    let id: hid_t
    private let kind: Kind

    /// Takes over an identifier; nil when the library returned an error.
    init?(_ id: hid_t, _ kind: Kind) {
        guard id >= 0 else { return nil }
        self.id = id
        self.kind = kind
    }

    deinit {
        HDF5Library.locked {
            switch kind {
            case .file: H5Fclose(id)
            case .group: H5Gclose(id)
            case .dataset: H5Dclose(id)
            case .dataspace: H5Sclose(id)
            case .datatype: H5Tclose(id)
            case .attribute: H5Aclose(id)
            case .propertyList: H5Pclose(id)
            }
            H5Eclear2(tortoise_h5_error_stack())
        }
    }
}

/// A Swift number type that a dataset or attribute can hold.
protocol HDF5Element: BitwiseCopyable {
    /// The library's identifier of the type in memory; call under the lock.
    static var nativeType: hid_t { get }
}

extension UInt8: HDF5Element { static var nativeType: hid_t { tortoise_h5_uint8() } }
extension UInt16: HDF5Element { static var nativeType: hid_t { tortoise_h5_uint16() } }
extension UInt32: HDF5Element { static var nativeType: hid_t { tortoise_h5_uint32() } }
extension Int16: HDF5Element { static var nativeType: hid_t { tortoise_h5_int16() } }
extension Int32: HDF5Element { static var nativeType: hid_t { tortoise_h5_int32() } }
extension Int64: HDF5Element { static var nativeType: hid_t { tortoise_h5_int64() } }
extension Float: HDF5Element { static var nativeType: hid_t { tortoise_h5_float() } }
extension Double: HDF5Element { static var nativeType: hid_t { tortoise_h5_double() } }
