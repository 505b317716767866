import CHDF5
import COpenBLAS
import CSndFile

/// The C libraries that the package uses.
public enum Libraries {
    /// Each library's name and what it says of itself.
    public static var versions: [(name: String, version: String)] {
        var major: UInt32 = 0
        var minor: UInt32 = 0
        var release: UInt32 = 0
        _ = H5get_libversion(&major, &minor, &release)
        return [
            ("OpenBLAS", String(cString: openblas_get_config())), ("libsndfile", String(cString: sf_version_string())),
            ("HDF5", "\(major).\(minor).\(release)"),
        ]
    }
}
