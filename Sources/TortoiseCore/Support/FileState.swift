import Foundation

/// Which file lies at a path, as far as looking at it from outside tells: enough to notice that it was replaced or changed.
public struct FileState: CustomStringConvertible, Hashable, Sendable {
    public let description: String

    public init(of path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else {
            description = "\(path) (none)"
            return
        }
        let time = status.st_mtim
        description = "\(path) \(status.st_ino) \(status.st_size) \(time.tv_sec).\(time.tv_nsec)"
    }
}
