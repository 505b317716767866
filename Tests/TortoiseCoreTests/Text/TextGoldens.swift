import Foundation
import Testing

@testable import TortoiseCore

/// The rows of a JSON-lines golden in Goldens/Text.
func textGoldenRows(_ name: String) throws -> [[JSONValue]] {
    let bytes = Array(try Data(contentsOf: golden("Text/\(name)")))
    return try bytes.split(separator: UInt8(ascii: "\n")).map { line in
        guard case .array(let row) = try JSONValue(parsing: line, at: name) else {
            throw InputError.data("expected a list", at: name)
        }
        return row
    }
}

extension JSONValue {
    /// A string field of a golden row.
    var text: String {
        get throws { try #require(stringValue) }
    }

    /// Ids written as two hexadecimal digits each.
    var ids: [Int32] {
        get throws {
            let digits = Array(try text)
            return try stride(from: 0, to: digits.count, by: 2).map {
                try #require(Int32(String(digits[$0..<$0 + 2]), radix: 16))
            }
        }
    }
}

/// Texts as scalars, since `String` equality looks past differences of normalisation.
func expectSameScalars(_ actual: String, _ expected: String, _ input: String) {
    #expect(
        actual.unicodeScalars.elementsEqual(expected.unicodeScalars),
        "\(input.debugDescription): \(actual) ≠ \(expected)")
}

/// The published vocabulary.
func publishedTokenizer() throws -> BPETokenizer {
    try BPETokenizer(path: repositoryFile("data/tokenizer.json"))
}

/// A file of the repository, found from this file's place in it.
func repositoryFile(_ path: String, from file: String = #filePath) -> String {
    URL(filePath: file).deletingLastPathComponent().resolvingSymlinksInPath().appending(path: "../../../\(path)")
        .standardized.path
}
