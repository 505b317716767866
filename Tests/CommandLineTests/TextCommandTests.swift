import Foundation
import Testing

/// `tortoise-infer text` and `tortoise-train tokenizer`, as a user runs them.
@Suite struct TextCommandTests {
    @Test func showsSpokenFormAndTokens() throws {
        let result = try run("tortoise-infer", ["text", "--cleaners", "english", "Hello, world!"])
        #expect(result.status == 0)
        #expect(result.output == "hello, world!\n62 84 28 7 2 179 79 3\n")
    }

    @Test func explainsEveryRule() throws {
        let result = try run("tortoise-infer", ["text", "--explain", "Dr. Smith paid $3.50 in 1999."])
        #expect(result.status == 0)
        #expect(result.output.contains("doctor smith"))
        #expect(result.output.contains("nineteen ninety-nine") || result.output.contains("nineteen ninety nine"))
    }

    @Test func readsStandardInput() throws {
        let result = try run("tortoise-infer", ["text", "--cleaners", "english", "-"], input: "One.\nTwo.\n")
        #expect(result.output.split(separator: "\n").count == 4)
    }

    @Test(arguments: [
        (["text", "--cleaners", "englsh", "x"], "did you mean english"), (["text"], "Usage"),
        (["text", "x", "--tokenizer", "/nowhere.json"], "/nowhere.json"),
    ])
    func saysWhatIsWrong(_ arguments: [String], _ message: String) throws {
        let result = try run("tortoise-infer", arguments)
        #expect([2, 3, 4].contains(result.status))
        #expect(result.errors.contains(message), "\(result.errors)")
        #expect(result.output.isEmpty)
    }

    @Test func namesTheVariableThatIsWrong() throws {
        let result = try run("tortoise-infer", ["doctor"], environment: ["TORTOISE_THREADS": "many"])
        #expect(result.status == 2)
        #expect(result.errors.contains("TORTOISE_THREADS"))
    }

    @Test func doctorNamesLibraries() throws {
        let result = try run("tortoise-infer", ["doctor"])
        #expect(result.status == 0)
        for name in ["OpenBLAS", "libsndfile", "HDF5", "scalar"] { #expect(result.output.contains(name)) }
    }

    @Test func trainsAVocabularyThatLoads() throws {
        try withTemporaryFolder { folder in
            let (text, vocabulary) = (folder.appending(path: "text.txt"), folder.appending(path: "tokenizer.json"))
            try String(repeating: "der hund und die katze\n", count: 20).write(
                to: text, atomically: true, encoding: .utf8)
            let made = try run(
                "tortoise-train", ["tokenizer", "--input", text.path, "--size", "40", "--output", vocabulary.path])
            #expect(made.status == 0, "\(made.errors)")
            let used = try run(
                "tortoise-infer", ["text", "--cleaners", "basic", "--tokenizer", vocabulary.path, "der hund"])
            #expect(used.status == 0)
            #expect(!used.output.split(separator: "\n")[1].split(separator: " ").contains("1"))
            let missing = try run("tortoise-train", ["tokenizer", "--input", folder.appending(path: "none").path])
            #expect(missing.status == 3)
        }
    }

    @Test(arguments: ["tortoise-infer", "tortoise-train"], ["bash", "zsh", "fish"])
    func shellsCanComplete(program: String, shell: String) throws {
        let result = try run(program, ["--generate-completion-script", shell])
        #expect(result.status == 0 && result.output.contains(program == "tortoise-infer" ? "bench" : "prepare"))
    }
}
