import Foundation
import Testing

/// What a program printed and how it left.
struct ProgramResult {
    let status: Int32
    let output: String
    let errors: String
}

/// Where a program of the package is, built beside the tests.
func programURL(_ program: String) -> URL {
    let beside = Bundle.main.bundleURL.appending(path: program)
    guard !FileManager.default.isExecutableFile(atPath: beside.path) else { return beside }
    return URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent().appending(path: program)
}

/// Runs one of the package's programs, built beside the tests.
func run(
    _ program: String, _ arguments: [String], input: String = "", environment: [String: String] = [:],
    folder: URL? = nil
) throws -> ProgramResult {
    let process = Process()
    process.executableURL = programURL(program)
    process.arguments = arguments
    if let folder { process.currentDirectoryURL = folder }
    // Nothing is taken from, or left in, the cache of whoever runs the tests.
    process.environment = ProcessInfo.processInfo.environment.merging(["TORTOISE_CACHE": ""]) { _, new in new }
        .merging(environment) { _, new in new }
    let (stdin, stdout, stderr) = (Pipe(), Pipe(), Pipe())
    (process.standardInput, process.standardOutput, process.standardError) = (stdin, stdout, stderr)
    try process.run()
    try stdin.fileHandleForWriting.write(contentsOf: Data(input.utf8))
    try stdin.fileHandleForWriting.close()
    let output = stdout.fileHandleForReading.readDataToEndOfFile()
    let errors = stderr.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return ProgramResult(
        status: process.terminationStatus, output: String(decoding: output, as: UTF8.self),
        errors: String(decoding: errors, as: UTF8.self))
}

/// A new empty folder, removed after the closure.
func withTemporaryFolder<Result>(_ body: (URL) throws -> Result) throws -> Result {
    let folder = FileManager.default.temporaryDirectory.appending(path: "tortoise-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    return try body(folder)
}
