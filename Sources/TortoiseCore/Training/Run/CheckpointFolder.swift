import Foundation

/// Checkpoints of one model: folders named by tag, each complete or absent, and `latest` with the newest one's tag.
///
/// A checkpoint is written under a temporary name, flushed, and renamed. A kill at any instant leaves the newest complete
/// one loadable: `latest` is believed when it names one, else the newest folder is taken.
public struct CheckpointFolder: Sendable {
    /// `ckpt/NAME`.
    public let path: String

    public init(path: String) { self.path = path }

    private static let marker = ".unfinished-"
    /// Behind a checkpoint's name while another takes its place.
    private static let oldMarker = "-old"

    static func isLeftover(_ name: String) -> Bool { name.hasPrefix(marker) }

    /// Writes a checkpoint's files into a new folder and makes it the latest.
    ///
    /// - Parameters:
    ///   - tag: Its name; one of that name is replaced.
    ///   - body: Writes files into the folder it is given.
    /// - Returns: The folder and its size in bytes.
    /// - Throws: `InputError`; the checkpoints before are as they were.
    func write(tag: String, _ body: (_ folder: String) throws -> Void) throws -> (path: String, bytes: Int) {
        let files = FileManager.default
        let temporary = "\(path)/\(Self.marker)\(tag)-\(UInt32.random(in: .min ... .max))"
        let replaced = "\(path)/\(Self.marker)\(tag)\(Self.oldMarker)"
        let target = "\(path)/\(tag)"
        // Left by a kill; what it holds has been replaced since.
        if files.fileExists(atPath: target) { try? files.removeItem(atPath: replaced) }
        guard mkdir(temporary, 0o777) == 0 else { throw Self.failure("the folder cannot be made", temporary) }
        do {
            try body(temporary)
            Self.flush(folder: temporary)
            let bytes = Self.size(of: temporary)
            if files.fileExists(atPath: target), rename(target, replaced) != 0 {
                throw Self.failure("the checkpoint of the same name cannot be replaced", target)
            }
            guard rename(temporary, target) == 0 else {
                let error = Self.failure("the checkpoint cannot be given its name", target)
                rename(replaced, target)
                throw error
            }
            Self.flush(folder: path)
            try RunFolder.write(tag, to: path + "/latest")
            try? files.removeItem(atPath: replaced)
            return (target, bytes)
        } catch {
            try? files.removeItem(atPath: temporary)
            throw error
        }
    }

    /// Gives checkpoints their names back that a kill found without: on their way to be replaced by one of the same name.
    func recover() {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        for name in names where name.hasPrefix(Self.marker) && name.hasSuffix(Self.oldMarker) {
            let tag = name.dropFirst(Self.marker.count).dropLast(Self.oldMarker.count)
            if !FileManager.default.fileExists(atPath: "\(path)/\(tag)") { rename("\(path)/\(name)", "\(path)/\(tag)") }
        }
    }

    /// The tags of complete checkpoints, oldest first.
    public var tags: [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        let complete = names.filter {
            !$0.hasPrefix(".") && FileManager.default.fileExists(atPath: "\(path)/\($0)/state.sft")
        }
        func time(_ tag: String) -> Double {
            var status = stat()
            guard stat("\(path)/\(tag)/state.sft", &status) == 0 else { return 0 }
            return Double(status.st_mtim.tv_sec) + Double(status.st_mtim.tv_nsec) / 1e9
        }
        return names.isEmpty
            ? []
            : complete.map { ($0, time($0), Int($0) ?? 0) }
                .sorted { ($0.1, $0.2) < ($1.1, $1.2) }.map(\.0)
    }

    /// The folders to try when a run continues, best first: the one that `latest` names, then the others from the newest on.
    public var candidates: [String] {
        let all = Array(tags.reversed())
        let latest = (try? String(contentsOfFile: path + "/latest", encoding: .utf8))?
            .split(whereSeparator: \.isWhitespace).first.map(String.init)
        guard let latest, all.contains(latest) else { return all.map { "\(path)/\($0)" } }
        return ([latest] + all.filter { $0 != latest }).map { "\(path)/\($0)" }
    }

    /// Removes all but the newest checkpoints.
    ///
    /// - Parameters:
    ///   - count: How many are kept; 0 keeps all.
    ///   - kept: A folder that stays in any case: what `latest` names.
    /// - Returns: The tags that were removed.
    @discardableResult
    func prune(keeping count: Int, andAlways kept: String) -> [String] {
        guard count > 0 else { return [] }
        return tags.dropLast(count).filter { tag in
            let folder = "\(path)/\(tag)"
            guard folder != kept else { return false }
            // Renamed first: a kill in the middle leaves a leftover, never half a checkpoint.
            let doomed = "\(path)/\(Self.marker)\(tag)-pruned"
            guard rename(folder, doomed) == 0 else { return false }
            try? FileManager.default.removeItem(atPath: doomed)
            return true
        }
    }

    private static func flush(folder: String) {
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        fsync(descriptor)
        close(descriptor)
    }

    private static func size(of folder: String) -> Int {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.reduce(0) { total, name in
            var status = stat()
            return stat("\(folder)/\(name)", &status) == 0 ? total + Int(status.st_size) : total
        }
    }

    private static func failure(_ what: String, _ path: String) -> InputError {
        let code = errno
        return InputError.data(
            "\(what): \(String(cString: strerror(code)))", at: path,
            try: code == ENOSPC ? "free some disk space; nothing was changed" : nil)
    }
}
