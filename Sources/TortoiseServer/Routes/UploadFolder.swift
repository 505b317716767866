import Foundation
import Synchronization
import TortoiseCore

/// Where recordings that somebody sent lie while they are read: a folder that only this user can look into.
final class UploadFolder: Sendable {
    let path: String
    private let state = Mutex((next: 0, open: 0))

    /// Requests with recordings at a time: each may hold its whole body in memory.
    private static let mostAtOnce = 4

    /// - Throws: `InputError.usage` when the folder cannot be made.
    init() throws {
        let folder = FileManager.default.temporaryDirectory.path
        var template = Array("\(folder)/tortoise-uploads-XXXXXX".utf8CString)
        // Readable by this user only.
        guard mkdtemp(&template) != nil else {
            throw InputError.usage(
                "the folder for uploads cannot be made: \(String(cString: strerror(errno)))", at: folder)
        }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Takes one of the places for requests with recordings; `leave` gives it back.
    ///
    /// - Throws: 429 when all are taken.
    func enter() throws {
        let isRoom = state.withLock { state in
            guard state.open < Self.mostAtOnce else { return false }
            state.open += 1
            return true
        }
        guard isRoom else {
            throw ServerError(429, "others are sending recordings now", code: "uploads_busy", retryAfter: 2)
        }
    }

    func leave() { state.withLock { $0.open -= 1 } }

    /// Writes the recordings of a form into a folder of their own, under numbers.
    ///
    /// - Throws: `ServerError` for none, or too many.
    func store(_ files: [MultipartForm.Part], most: Int) throws -> Batch {
        guard !files.isEmpty else {
            throw ServerError(400, "expected at least one file", parameter: "files", code: "missing_field")
        }
        guard files.count <= most else {
            throw ServerError(413, "expected at most \(most) files, found \(files.count)", parameter: "files")
        }
        let number = state.withLock { state in
            state.next += 1
            return state.next
        }
        let folder = "\(path)/\(number)"
        guard mkdir(folder, 0o700) == 0 else {
            throw ServerError(507, "the recordings cannot be stored: \(String(cString: strerror(errno)))")
        }
        let batch = Batch(folder: folder, names: files.map { $0.fileName ?? "" })
        for (index, file) in files.enumerated() {
            guard
                FileManager.default.createFile(
                    atPath: batch.clips[index].path, contents: Data(file.content),
                    attributes: [.posixPermissions: 0o600])
            else { throw ServerError(507, "the recordings cannot be stored") }
        }
        return batch
    }

    /// The recordings of one request; they go when nobody needs them any more.
    final class Batch: Sendable {
        let clips: [ReferenceUpload]
        private let folder: String

        init(folder: String, names: [String]) {
            self.folder = folder
            clips = names.enumerated().map { ReferenceUpload(path: "\(folder)/\($0.offset)", name: $0.element) }
        }

        deinit { try? FileManager.default.removeItem(atPath: folder) }
    }
}
