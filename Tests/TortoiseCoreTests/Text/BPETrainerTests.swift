import Foundation
import Testing

@testable import TortoiseCore

struct BPETrainerTests {
    /// Byte for byte the file that `tokenizers` learns from the same text (Tools/goldens/text_trainer.py).
    @Test(arguments: [
        ("story", 120), ("story", 255), ("mixed", 40), ("mixed", 90), ("mixed", 400), ("repeats", 12), ("repeats", 60),
    ])
    func equalsHuggingFace(corpus: String, size: Int) throws {
        let text = try String(contentsOf: golden("Text/trained/\(corpus).txt"), encoding: .utf8)
        let expected = try Data(contentsOf: golden("Text/trained/\(corpus).\(size).json"))
        var trainer = try BPETrainer(size: size)
        for line in text.split(separator: "\n") { trainer.add(String(line)) }
        let vocabulary = try trainer.train()
        #expect(vocabulary.json.utf8.elementsEqual(expected))

        let tokenizer = try vocabulary.tokenizer()
        let line = try #require(text.split(separator: "\n").first)
        expectSameScalars(tokenizer.decode(tokenizer.encode(String(line))), String(line), corpus)
    }

    @Test func publishedFileIsWrittenBackByteForByte() throws {
        let bytes = try Data(contentsOf: URL(filePath: repositoryFile("data/tokenizer.json")))
        let document = try JSONValue(parsing: bytes, at: "tokenizer.json")
        guard case .object(let vocabulary)? = document["model"]?["vocab"],
            case .array(let merges)? = document["model"]?["merges"]
        else { throw InputError.model("no vocabulary", at: "tokenizer.json") }
        let pairs = try merges.map { merge in
            let parts = try merge.text.split(separator: " ")
            return (String(parts[0]), String(parts[1]))
        }
        let written = BPEVocabulary(
            tokens: vocabulary.map(\.key), specialTokens: BPETrainer.specialTokens, merges: pairs)
        #expect(written.json.utf8.elementsEqual(bytes))
    }

    @Test func writesAFileThatLoads() throws {
        var trainer = try BPETrainer(size: 20)
        trainer.add("ab \"ab\" \\ab é")
        let path = FileManager.default.temporaryDirectory.appending(path: "bpe-\(UUID().uuidString).json").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        try trainer.train().write(to: path)
        let tokenizer = try BPETokenizer(path: path)
        #expect(tokenizer.decode(tokenizer.encode("\"ab\" \\ é")) == "\"ab\" \\ é")
    }

    @Test func refusesWhatCannotBeLearnt() throws {
        #expect(throws: InputError.self) { try BPETrainer(size: 3) }
        #expect(throws: InputError.self) { try BPETrainer(size: 10).train() }
        var trainer = try BPETrainer(size: 8)
        trainer.add("abcdef")
        let error = #expect(throws: InputError.self) { try trainer.train() }
        #expect(error?.description.contains("at least 9") == true)
    }
}
