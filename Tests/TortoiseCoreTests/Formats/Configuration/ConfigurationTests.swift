import Foundation
import Testing

@testable import TortoiseCore

private func parse(_ text: String) throws -> (Configuration, [ConfigurationNote]) {
    try Configuration.parse(text, file: "test.yaml")
}

private func failure(_ text: String) -> InputError? {
    do {
        _ = try parse(text)
        return nil
    } catch {
        return error as? InputError
    }
}

@Suite struct ConfigurationTests {
    @Test func anEmptyFileGivesTheDefaults() throws {
        let (configuration, notes) = try parse("")
        #expect(notes.isEmpty)
        #expect(configuration.hyperparameters.learningRate == 3.25e-4)
        #expect(configuration.hyperparameters.optimizer == .adamw)
        #expect(configuration.dataset.minimumUtterances == 2)
        #expect(configuration.models.map(\.name) == [""])
        #expect(configuration.trainedModels.count == 1)
    }

    @Test func theReferencesSchemaIsKnownInFull() throws {
        let (configuration, notes) = try Configuration.parse(
            String(contentsOf: golden("Configuration/reference.yaml"), encoding: .utf8), file: "reference.yaml")
        #expect(notes.filter { $0.kind == .unknown } == [])
        #expect(configuration.vocoder == "hifigan")
        #expect(configuration.models == [ModelEntry(name: "autoregressive")])
        #expect(configuration.trainedModels.map(\.name) == ["autoregressive"])
        #expect(configuration.lora?.fullName == "lora-r128-a128")
        #expect(configuration.hyperparameters.optimizer == .prodigy)
        #expect(configuration.hyperparameters.gradientAccumulationSteps == 4)
        #expect(configuration.evaluation.frequency == 5000)
        #expect(configuration.trainer.exportOnSave)
        #expect(configuration.trainer.keepLastCheckpoints == 4)
        #expect(configuration.trainer.weightDType == .float16)
        #expect(configuration.inference.weightDType == .float32)
        #expect(configuration.dataset.training == ["LJSpeech/LJ", "LibriTTS-R/*"])
        #expect(configuration.dataset.validation == configuration.dataset.training)
        #expect(configuration.dataset.durationRange == ConfigurationRange(3, 5))
        #expect(configuration.dataset.speakerName == SpeakerPattern.stockName)
        #expect(configuration.dataset.sampleOrder == .duration)
        // One line per section tells what has no effect, and names each key once.
        let vestigial = notes.filter { $0.kind == .vestigial }
        #expect(vestigial.count == 10)
        #expect(vestigial.filter { $0.message.contains("prompt_inject_noise_p") }.count == 1)
        #expect(configuration.dataset.similarPrompts.probability == 1)
    }

    @Test func theShippedConfigurationHasNothingToRemark() throws {
        // The file lies in data/, outside the test's resources: it is found from this source file.
        let root = URL(filePath: #filePath).pathComponents.dropLast(5).joined(separator: "/").dropFirst()
        let text = try? String(contentsOfFile: "\(root)/data/config.yaml", encoding: .utf8)
        let (configuration, notes) = try parse(#require(text))
        #expect(notes == [])
        #expect(configuration.trainedModels.map(\.name) == ["autoregressive"])
    }

    @Test func writingAndReadingGivesTheSameConfiguration() throws {
        var (configuration, _) = try Configuration.parse(
            String(contentsOf: golden("Configuration/reference.yaml"), encoding: .utf8))
        configuration.hyperparameters.learningRate = 1e-5
        configuration.hyperparameters.optimizerParameters = .init([
            .init("eps", .double(1e-8)), .init("on", .bool(true)),
        ])
        configuration.dataset.training = [
            "yes", "12", "a: b", "#x", "1:30", "", "naïve/日本", "- x", "*", "2024-01-01", "=", "\u{1F600}\n",
        ]
        configuration.prepare.loudness = -23
        configuration.prepare.slice = .never
        let text = try configuration.serialized()
        let (again, notes) = try parse(text)
        #expect(again == configuration)
        #expect(notes == [])
        #expect(text.contains("learning_rate: 1.0e-05"))
    }

    @Test func unknownKeysNameTheNearestKnownOne() throws {
        let (configuration, notes) = try parse(
            """
            hyperparameters:
              learning_rte: 1
            models:
            - name: dvae
              trainin: True
            zzz: 1
            """)
        #expect(configuration.hyperparameters.learningRate == 3.25e-4)
        #expect(
            notes.map(\.description) == [
                "test.yaml:2: hyperparameters.learning_rte: unknown key 'learning_rte' is ignored; did you mean 'learning_rate'?",
                "test.yaml:5: models[0].trainin: unknown key 'trainin' is ignored; did you mean 'training'?",
                "test.yaml:6: zzz: unknown key 'zzz' is ignored",
            ])
    }

    @Test(arguments: [
        (
            "trainer:\n  iterations: many",
            "test.yaml:2: trainer.iterations: expected a whole number, found the text 'many'"
        ),
        ("sample_rate: 1.5", "test.yaml:1: sample_rate: expected a whole number below 2^63, found 1.5"),
        (
            "sample_rate: 99999999999999999999",
            "test.yaml:1: sample_rate: expected a whole number below 2^63, found 1e+20"
        ),
        ("silent_errors: 1", "test.yaml:1: silent_errors: expected true or false, found 1"),
        (
            "hyperparameters: {learning_rate: .nan}",
            "test.yaml:1: hyperparameters.learning_rate: expected a finite number, found nan"
        ),
        ("hyperparameters: {batch_size: 0}", "test.yaml:1: hyperparameters.batch_size: expected 1 to 65536, found 0"),
        ("hyperparameters: 7", "test.yaml:1: hyperparameters: expected a section (key: value), found 7"),
        ("models: {name: x}", "test.yaml:1: models: expected a list, found a section"),
        ("models:\n- name: tacotron", "test.yaml:2: models[0].name: expected a name with one of autoregressive"),
        (
            "dataset:\n  duration_range: [5, 1]",
            "test.yaml:2: dataset.duration_range: expected two numbers [lowest, highest]"
        ),
        ("dataset:\n  duration_range: [0.05, 1]", "test.yaml:2: dataset.duration_range: expected at least 0.1 seconds"),
        ("dataset:\n  speaker_name_getter: \"lambda p: __import__('os')\"", "is no pattern of path parts"),
        ("hyperparameters:\n  optimizer: adamww", "did you mean 'adamw'?"),
        ("dataset: !!python/object/apply:os.system ['true']", "asks for more than plain data"),
        ("a: 1\na: 2", "the key 'a' stands twice"),
        ("a: [1", "test.yaml:2:1: malformed YAML"),
        ("- 1", "expected a section (key: value), found a list"),
        ("? [1, 2]\n: 3", "expected a name as key"),
        ("a: 1\n---\nb: 2", "test.yaml:2:1: malformed YAML: but found another document"),
    ])
    func wrongValuesNameLineAndKey(text: String, expected: String) throws {
        let error = try #require(failure(text))
        #expect(error.kind == .usage)
        #expect(error.description.contains(expected), "\(error.description)")
    }

    @Test func everyErrorIsReportedAtOnce() throws {
        let error = try #require(failure("sample_rate: x\nvocoder: y\nhyperparameters: {batch_size: z}"))
        #expect(error.problem.hasPrefix("3 settings cannot be used:"))
        for place in ["test.yaml:1: sample_rate", "test.yaml:2: vocoder", "test.yaml:3: hyperparameters.batch_size"] {
            #expect(error.problem.contains(place))
        }
    }

    @Test func scalarsResolveAsInPyYAML() throws {
        let data = try Data(contentsOf: golden("Configuration/scalars.json"))
        let rows = try JSONDecoder().decode([[String]].self, from: data)
        // Exponents without point or sign, and `-.5`, are numbers here; PyYAML reads them as text. `0o17` is YAML 1.2's octal.
        let kinder: Set<String> = ["0o17", "1.5e3", "-.5"]
        #expect(rows.count > 60)
        for row in rows where !kinder.contains(row[0]) {
            let value = YAMLValue(plainScalar: row[0])
            switch (row[1], value) {
            case ("bool", .bool(let flag)): #expect(flag == (row[2] == "True"), "\(row)")
            case ("int", .int(let number)): #expect(String(number) == row[2], "\(row)")
            case ("float", .double(let number)):
                let wanted = row[2] == "nan" ? Double.nan : Double(row[2])
                #expect(number == wanted || (number.isNaN && row[2] == "nan"), "\(row)")
            case ("str", .string(let text)): #expect(text == row[2], "\(row)")
            case ("NoneType", .null): break
            default: Issue.record("\(row) resolved to \(value)")
            }
        }
        #expect(YAMLValue(plainScalar: "1e-4") == .double(1e-4))
    }

    @Test func aliasesAndMergesWork() throws {
        let (configuration, notes) = try parse(
            """
            inference: &half {weight_dtype: bfloat16}
            trainer:
              <<: *half
              seed: 3
            evaluation: {size: 4, <<: {frequency: 7, size: 9}}
            """)
        #expect(notes == [])
        #expect(configuration.trainer.weightDType == .bfloat16)
        #expect(configuration.trainer.seed == 3)
        #expect(configuration.evaluation.size == 4)
        #expect(configuration.evaluation.frequency == 7)
    }

    @Test(.timeLimit(.minutes(1))) func bombsAreRefused() throws {
        var bomb = "a0: &a0 [x, x]\n"
        for level in 1...40 { bomb += "a\(level): &a\(level) [*a\(level - 1), *a\(level - 1)]\n" }
        #expect(try #require(failure(bomb)).description.contains("aliases"))
        #expect(try #require(failure(bomb + "? *a40\n: 1\n")).description.contains("aliases"))
        for nested in ["[", "{a: ", "- ", "? "] {
            #expect(failure(String(repeating: nested, count: 50_000)) != nil, "\(nested)")
            #expect(failure("models: " + String(repeating: nested, count: 900)) != nil)
        }
        #expect(try #require(failure(String(repeating: "a", count: 5 << 20))).description.contains("4 MiB"))
        let deep =
            "hyperparameters: {optimizer_params: {a: " + String(repeating: "[", count: 900)
            + String(repeating: "]", count: 900) + "}}"
        #expect(failure(deep) == nil)
    }

    @Test(.timeLimit(.minutes(1))) func mutatedFilesNeverTrap() throws {
        let seed = Array(try Data(contentsOf: golden("Configuration/reference.yaml")))
        var generator = SeededGenerator(seed: 7)
        let alphabet = Array("&*!?|>-:[]{}#%@`'\"\\ \n\t,<=~0x9eE.+_aN\u{0}\u{7F}".utf8) + [0xFF, 0xC3, 0xED]
        let deadline = ContinuousClock.now + .seconds(1.5)
        var runs = 0
        while ContinuousClock.now < deadline {
            let start = Int(generator.next() % UInt64(seed.count))
            var bytes = Array(seed[start..<min(seed.count, start + 400)])
            for _ in 0...(generator.next() % 8) {
                let place = Int(generator.next() % UInt64(bytes.count))
                bytes[place] = alphabet[Int(generator.next() % UInt64(alphabet.count))]
            }
            do {
                let (configuration, _) = try parse(String(decoding: bytes, as: UTF8.self))
                let (again, _) = try parse(configuration.serialized())
                #expect(again == configuration)
            } catch {
                #expect(error is InputError)
            }
            runs += 1
        }
        #expect(runs > 100)
    }
}
