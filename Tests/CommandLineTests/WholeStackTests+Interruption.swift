import Foundation
import Testing

extension WholeStackTests {
    /// Control-C in any stage leaves within half a second, and no file, finished or not.
    func interruptions(_ set: URL, _ voice: String, _ root: URL) throws {
        let folder = root.appending(path: "interrupted")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let stages: [(name: String, arguments: [String])] = [
            ("codes", ["--candidates", "9000", "--max-ar-steps", "60"]),
            ("diffusion", ["--max-diffusion-steps", "4000", "--vocoder", "univnet", "--max-ar-steps", "60"]),
            ("reading", []),
        ]
        for (name, arguments) in stages {
            let output = folder.path + "/x.wav"
            let command =
                name == "reading"
                ? [
                    "read", try book(in: root), "--voice", voice, "--vocoder", "univnet", "--max-diffusion-steps",
                    "400",
                ]
                : ["speak", "Number five.", voice] + arguments
            let speaker = try RunningProgram("tortoise-infer", command + ["--models", set.path, "-o", output])
            #expect(speaker.wait(for: name), "\(speaker.said)")
            usleep(150_000)
            let start = ContinuousClock.now
            speaker.signal(SIGINT)
            #expect(speaker.finish() == 130, "\(name)")
            #expect(start.duration(to: .now) < .milliseconds(500), "\(name)")
            let left = try FileManager.default.contentsOfDirectory(atPath: folder.path)
            // A reading keeps the parts that it has, to go on from.
            #expect(left.allSatisfy { $0 == "x.wav.parts" }, "\(name): \(left)")
        }
    }

    private func book(in root: URL) throws -> String {
        let path = root.path + "/long.txt"
        let lines = (0..<400).map { "This is line \($0) of a long book." }
        try Data(lines.joined(separator: "\n\n").utf8).write(to: URL(filePath: path))
        return path
    }
}
