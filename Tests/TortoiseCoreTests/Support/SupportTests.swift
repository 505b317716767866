import Foundation
import Testing

@testable import TortoiseCore

@Suite struct NearestNameTests {
    @Test func typingErrorsFindTheirNames() {
        let known = ["learning_rate", "batch_size", "epochs", "warmup_steps", "weight_decay"]
        #expect(nearestNames(to: "learing_rate", among: known) == ["learning_rate"])
        #expect(nearestNames(to: "batchsize", among: known) == ["batch_size"])
        #expect(nearestNames(to: "epoch", among: known) == ["epochs"])
        #expect(nearestNames(to: "something else", among: known) == [])
        #expect(nearestNames(to: "", among: known) == [])
        #expect(nearestNames(to: "x", among: [] as [String]) == [])
    }

    @Test func bestFirstThenByName() {
        #expect(
            nearestNames(to: "abcdef", among: ["abcxyf", "abcdeg", "abcdea", "abcdef"]) == [
                "abcdef", "abcdea", "abcdeg",
            ])
        #expect(nearestNames(to: "abcdef", among: ["abcdeg", "abcdea"], limit: 1) == ["abcdea"])
    }

    @Test(arguments: [
        ("kitten", "sitting", 3), ("", "abc", 3), ("abc", "", 3), ("same", "same", 0), ("ab", "ba", 2),
        ("flaw", "lawn", 2),
    ])
    func editDistances(a: String, b: String, edits: Int) {
        #expect(editDistance(Array(a.utf8), Array(b.utf8)) == edits)
    }
}

@Suite struct InputErrorTests {
    @Test func messagesSayWhereWhatAndWhatToTry() {
        #expect(InputError.data("no sound").description == "no sound")
        #expect(InputError.usage("expected a number", at: "--seed").description == "--seed: expected a number")
        #expect(
            InputError.model("expected 3 axes, found 2", at: "a.pth", try: "export it again").description
                == "a.pth: expected 3 axes, found 2 (export it again)")
    }

    @Test func kindsAreExitCodes() {
        #expect(InputError.usage("").kind.rawValue == 2)
        #expect(InputError.data("").kind.rawValue == 3)
        #expect(InputError.model("").kind.rawValue == 4)
    }
}

@Suite struct MappedFileTests {
    private func withFile(_ bytes: [UInt8], _ body: (String) throws -> Void) throws {
        let url = FileManager.default.temporaryDirectory.appending(path: "mapped-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: url) }
        try Data(bytes).write(to: url)
        try body(url.path)
    }

    @Test func mapsTheBytes() throws {
        let content = (0..<10_000).map { UInt8(truncatingIfNeeded: $0 * 7) }
        try withFile(content) { path in
            let file = try MappedFile(path: path)
            #expect(file.path == path && Array(file.bytes) == content)
            file.releasePages()
            #expect(Array(file.bytes) == content)
        }
    }

    @Test func emptyFilesHaveNoBytes() throws {
        try withFile([]) { path in
            let file = try MappedFile(path: path)
            #expect(file.bytes.isEmpty)
            file.releasePages()
        }
    }

    /// A mapping outlives the name and the descriptor of its file.
    @Test func removedFilesStayMapped() throws {
        var file: MappedFile?
        try withFile([1, 2, 3]) { file = try MappedFile(path: $0) }
        #expect(file.map { Array($0.bytes) } == [1, 2, 3])
    }

    @Test func whatCannotBeMappedSaysWhy() throws {
        let missing = #expect(throws: InputError.self) { try MappedFile(path: "/nowhere/at/all") }
        #expect(missing?.kind == .model && missing?.place == "/nowhere/at/all")
        #expect(missing?.description.contains("No such file") == true)
        let folder = #expect(throws: InputError.self) { try MappedFile(path: "/", kind: .data) }
        #expect(folder?.kind == .data && folder?.description == "/: expected a regular file")
        #expect(throws: InputError.self) { try MappedFile(path: "/dev/null") }
    }
}

@Suite struct AtomicFileTests {
    /// As root, a rename would put a file in the place of /dev/null.
    @Test func aPipeGetsTheBytesAndStays() throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "pipe-\(UUID().uuidString)").path
        #expect(mkfifo(path, 0o600) == 0)
        defer { unlink(path) }
        let reader = open(path, O_RDONLY | O_NONBLOCK)
        defer { close(reader) }
        try AtomicFile.write(to: path) { try $0.write(Array("hello".utf8)) }
        var bytes = [UInt8](repeating: 0, count: 16)
        #expect(read(reader, &bytes, 16) == 5 && bytes.prefix(5).elementsEqual("hello".utf8))
        var status = stat()
        #expect(stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFIFO)
    }

    @Test(arguments: [("a", "."), ("/", "/"), ("/a", "/"), ("b/a", "b"), ("", ".")])
    func foldersOfPaths(path: String, folder: String) { #expect(FilePath.folder(of: path) == folder) }
}
