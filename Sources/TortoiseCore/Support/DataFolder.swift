import Foundation

/// Finds the files that come with the package: tokenizer, mel norms, voices, small models. The template of a configuration that lies
/// beside them is for copying: nothing opens it.
///
/// In this order: the folder that `TORTOISE_DATA` names, `data` in the working folder, and `data` in the folders above
/// the running program, which is where a build inside the package finds it.
public enum DataFolder {
    /// The path of a file that comes with the package.
    ///
    /// - Throws: `InputError.model` that names every place that was tried.
    public static func path(of name: String) throws -> String {
        let candidates = folders.map { $0 + "/" + name }
        if let found = candidates.first(where: { FileManager.default.fileExists(atPath: $0) }) { return found }
        throw InputError.model(
            "not found; looked for \(candidates.joined(separator: ", "))", at: name,
            try: "run from the package's folder, or set TORTOISE_DATA to its data folder")
    }

    private static var folders: [String] {
        var folders: [String] = []
        if let named = ProcessInfo.processInfo.environment["TORTOISE_DATA"], !named.isEmpty { folders.append(named) }
        folders.append("data")
        let program = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        var above = URL(filePath: program).deletingLastPathComponent()
        while above.path.count > 1 {
            above.deleteLastPathComponent()
            let data = above.appending(path: "data").path
            if FileManager.default.fileExists(atPath: above.appending(path: "Package.swift").path) {
                folders.append(data)
            }
        }
        return folders
    }
}
