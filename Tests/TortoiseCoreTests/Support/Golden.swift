import Foundation
import Testing

/// The location of a golden file, written by a script in `Tools/goldens`.
func golden(_ path: String) throws -> URL {
    let url = try #require(Bundle.module.resourceURL).appending(path: "Goldens/\(path)")
    try #require(FileManager.default.fileExists(atPath: url.path), "no golden at \(path): run Tools/goldens")
    return url
}
