/// Parts of paths.
public enum FilePath {
    /// The folder that a path lies in; "." for a name alone. Foundation's own traps on names of one letter.
    public static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}
