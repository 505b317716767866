import Foundation
import Testing

@testable import TortoiseCore

/// Downloads from servers that cut, stall, lie and change their minds.
@Suite struct WeightFetcherTests {
    private let body = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 7) }

    private func digest(_ bytes: [UInt8]) -> String {
        var sum = SHA256()
        sum.add(bytes)
        return sum.hex()
    }

    private func fetch(
        _ mode: String, _ server: UnreliableServer, into folder: String, offline: Bool = false
    ) throws -> (path: String, sha256: String, wasThere: Bool) {
        try WeightFetcher(folder: folder, mirror: "http://127.0.0.1:\(server.port)/\(mode)", patience: 1)
            .fetch("vocoder.pth", isOffline: offline) { _, _ in }
    }

    @Test(arguments: ["plain", "cut", "stall", "whole"])
    func whatArrivesIsWhole(mode: String) throws {
        let server = UnreliableServer(serving: body)
        defer { server.stop() }
        try withTemporaryFolder { folder in
            // A beginning from an earlier time is kept where the server allows it.
            try Data(body.prefix(5_000)).write(to: URL(filePath: folder + "/vocoder.pth.part"))
            let result = try fetch(mode, server, into: folder)
            #expect(result.sha256 == digest(body) && !result.wasThere)
            #expect([UInt8](try Data(contentsOf: URL(filePath: result.path))) == body)
            #expect(!FileManager.default.fileExists(atPath: result.path + ".part"))
            #expect(server.requests[0].lowercased().contains("range: bytes=5000-"))
            let count = server.requests.count
            let again = try fetch(mode, server, into: folder, offline: true)
            #expect(again.wasThere && again.sha256 == result.sha256 && server.requests.count == count)
        }
    }

    @Test func liesAndMissingFilesAreErrors() throws {
        let server = UnreliableServer(serving: body)
        defer { server.stop() }
        try withTemporaryFolder { folder in
            for (mode, says) in [("lie", "the transfer fails"), ("missing", "404")] {
                let error = try #require(throws: InputError.self) { try fetch(mode, server, into: folder) }
                #expect(error.description.contains(says), "\(error)")
                #expect(!FileManager.default.fileExists(atPath: folder + "/vocoder.pth"))
            }
            #expect(throws: InputError.self) { try fetch("plain", server, into: folder, offline: true) }
            #expect(throws: InputError.self) { try PublishedWeights.address(of: "vocader.pth", mirror: nil) }
        }
    }

    @Test func changedContentIsRefused() throws {
        let server = UnreliableServer(serving: body)
        defer { server.stop() }
        try withTemporaryFolder { folder in
            let first = try fetch("plain", server, into: folder)
            // Somebody changed the file.
            try Data(body.reversed()).write(to: URL(filePath: first.path))
            let error = try #require(throws: InputError.self) { try fetch("plain", server, into: folder) }
            #expect(error.description.contains("is not the file that was fetched"))
            // The publisher did.
            try FileManager.default.removeItem(atPath: first.path)
            server.serve(body.reversed())
            let other = try #require(throws: InputError.self) { try fetch("plain", server, into: folder) }
            #expect(other.description.contains("not what was expected"))
            #expect(!FileManager.default.fileExists(atPath: first.path))
        }
    }

    @Test(arguments: [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
    ])
    func digestsAreTheStandards(text: String, expected: String) { #expect(digest(Array(text.utf8)) == expected) }

    @Test func digestsDoNotDependOnPieces() {
        for count in [55, 56, 63, 64, 65, 119, 120, 1_000] {
            let bytes = Array(body.prefix(count))
            var sum = SHA256()
            for byte in bytes { sum.add([byte]) }
            #expect(sum.hex() == digest(bytes))
        }
    }
}
