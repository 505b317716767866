import Foundation

/// The files of one model's training: `ckpt/NAME/TAG/…` with `latest`, and `logs/TIME/…`.
public struct RunFolder: Sendable {
    /// The folder of the configuration.
    public let root: String
    /// `ckpt/NAME`.
    public let checkpoints: String
    /// `logs/TIME`.
    public let logs: String

    /// - Parameter name: The model's, or the adapter's full name.
    public init(_ paths: RunPaths, name: String) {
        root = paths.root
        checkpoints = paths.checkpoints + "/" + name
        logs = paths.logs
    }

    /// Makes the folders, removes what a killed run left behind, and writes down how this run was started.
    ///
    /// - Parameters:
    ///   - configuration: The resolved configuration as YAML.
    ///   - commandLine: As given.
    /// - Returns: The names of leftovers that were removed.
    /// - Throws: `InputError` when the folders cannot be written to.
    public func prepare(configuration: String, commandLine: [String], version: String) throws -> [String] {
        for folder in [checkpoints, logs] {
            do {
                try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            } catch {
                throw InputError.usage("the folder cannot be made: \(error.localizedDescription)", at: folder)
            }
        }
        try Self.write(configuration, to: logs + "/config.yaml")
        let command = commandLine.map { $0.contains(where: \.isWhitespace) ? "'\($0)'" : $0 }.joined(separator: " ")
        try Self.write("\(command)\n\(version)\n", to: logs + "/command.txt")
        return removeLeftovers()
    }

    /// The folders of this name's adapters of other sizes that have checkpoints.
    func adapters(named name: String) -> [String] {
        let parent = (checkpoints as NSString).deletingLastPathComponent
        let names = (try? FileManager.default.contentsOfDirectory(atPath: parent)) ?? []
        return names.filter { $0.hasPrefix(name + "-r") }.map { parent + "/" + $0 }.sorted()
            .filter { $0 != checkpoints && !CheckpointFolder(path: $0).tags.isEmpty }
    }

    /// Removes unfinished files and folders; nobody else writes here while the run's lock is held.
    private func removeLeftovers() -> [String] {
        CheckpointFolder(path: checkpoints).recover()
        var removed = AtomicFile.removeLeftovers(in: checkpoints)
        let names = (try? FileManager.default.contentsOfDirectory(atPath: checkpoints)) ?? []
        for name in names where CheckpointFolder.isLeftover(name) {
            if (try? FileManager.default.removeItem(atPath: checkpoints + "/" + name)) != nil { removed.append(name) }
        }
        return removed
    }

    static func write(_ text: String, to path: String) throws {
        try AtomicFile.write(to: path) { try $0.write(Array(text.utf8)) }
    }
}

/// Keeps a second trainer out of a run folder, and tells others that one is running.
public final class RunLock {
    private let descriptor: Int32

    /// - Throws: `InputError.usage` when another trainer holds the folder.
    public init(root: String) throws {
        let path = root + "/run.lock"
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else {
            throw InputError.usage("the folder cannot be written to: \(String(cString: strerror(errno)))", at: path)
        }
        guard Patience.succeeds({ flock(descriptor, LOCK_EX | LOCK_NB) == 0 }) else {
            throw InputError.usage(
                "another trainer is running in this folder", at: root,
                try: "stop it with 'tortoise-train tell \(root) quit', or train in a folder of its own")
        }
    }

    // Runs as well when `init` throws after the descriptor is set; closing there too would close what another thread opened since.
    deinit { if descriptor >= 0 { close(descriptor) } }

    /// Whether a trainer runs in a folder.
    public static func isHeld(root: String) -> Bool {
        let descriptor = open(root + "/run.lock", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        guard flock(descriptor, LOCK_SH | LOCK_NB) == 0 else { return true }
        return false
    }
}
