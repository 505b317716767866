import Foundation

/// Memory of this process and this machine, in bytes.
public enum ProcessMemory {
    /// What of this process is in memory now.
    public static var resident: Int { (field("VmRSS:", of: "/proc/self/status") ?? 0) * 1_024 }
    /// The most that was.
    public static var peak: Int { (field("VmHWM:", of: "/proc/self/status") ?? 0) * 1_024 }
    /// What the machine can still give.
    public static var available: Int { (field("MemAvailable:", of: "/proc/meminfo") ?? 0) * 1_024 }

    private static func field(_ name: String, of path: String) -> Int? {
        let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix(name) }
        return line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) }
    }
}
