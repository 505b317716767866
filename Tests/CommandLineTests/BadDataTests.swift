import Foundation
import Testing
import TortoiseCore

/// Recordings and datasets with faults: what is good is trained on, what is bad is named.
@Suite struct BadDataTests {
    private static let rate = 24_000

    private func tone(_ seconds: Double, _ pitch: Double = 150) -> [Float] {
        (0..<Int(seconds * Double(Self.rate))).map { n in
            let t = Double(n) / Double(Self.rate)
            return Float(0.3 * sin(2 * Double.pi * pitch * t) * (0.4 + 0.6 * abs(sin(9 * t))))
        }
    }

    /// A float WAV: the only kind in which a sample can be no number.
    private func floatWAV(_ samples: [Float]) -> Data {
        func number(_ value: Int, _ bytes: Int) -> [UInt8] { (0..<bytes).map { UInt8(value >> (8 * $0) & 0xFF) } }
        let data = samples.flatMap { number(Int($0.bitPattern), 4) }
        let format = number(3, 2) + number(1, 2) + number(Self.rate, 4) + number(4 * Self.rate, 4) + number(4, 2)
        let chunks =
            Array("fmt ".utf8) + number(16, 4) + format + number(32, 2) + Array("data".utf8) + number(data.count, 4)
        return Data(Array("RIFF".utf8) + number(4 + chunks.count + data.count, 4) + Array("WAVE".utf8) + chunks + data)
    }

    /// Recordings of which six are good and each other has a fault of its own.
    private func writeRecordings(_ root: URL) throws {
        let folder = root.appending(path: "voices/g/s"), metadata = root.appending(path: "metadata/g/s")
        for place in [folder, metadata] {
            try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
        }
        var texts: [(String, String)] = []
        func add(_ file: String, _ text: String, _ samples: [Float]) throws {
            try AudioFile.write(
                AudioClip(mono: samples, sampleRate: Self.rate), to: folder.appending(path: file).path)
            texts.append((file, text))
        }
        for index in 0..<6 { try add("\(index).wav", "Number \(index) is here.", tone(1.5, 110 + 20 * Double(index))) }
        try add("empty.wav", "  ", tone(1.5))
        try add("long.wav", "A very long one.", tone(60))
        try add("emoji.wav", "😀", tone(1.5))
        try add("0.flac", "Twice.", tone(1.5))
        try add("silent.wav", "Silence.", [Float](repeating: 0, count: 36_000))
        var broken = tone(1.5)
        broken[100] = .nan
        try floatWAV(broken).write(to: folder.appending(path: "nan.wav"))
        try Data("this is text".utf8).write(to: folder.appending(path: "text.wav"))
        texts += [("nan.wav", "Not a number."), ("text.wav", "Text."), ("gone.wav", "Not there.")]
        let entries = texts.map { "\"\($0.0)\": {\"text\": \"\($0.1)\", \"language\": \"en\"}" }
        try Data("{\(entries.joined(separator: ",\n"))}".utf8).write(to: metadata.appending(path: "whisper.json"))
        try AudioFile.write(
            AudioClip(mono: tone(1.5), sampleRate: Self.rate), to: folder.appending(path: "untold.wav").path)
    }

    private func prepare(_ root: URL, _ more: [String] = []) throws -> ProgramResult {
        try run(
            "tortoise-train",
            ["prepare", "--for", "dvae", "--input", "voices", "--metadata", "metadata", "--output", "data.h5"] + more,
            folder: root)
    }

    private func train(_ root: URL, dataset: String = "data.h5", durations: String = "[1.0, 12.0]") throws
        -> ProgramResult
    {
        let text = """
            models:
            - name: dvae
              training: True
              kwargs: {channels: 80, num_tokens: 16, codebook_dim: 8, num_layers: 2, num_resnet_blocks: 1, hidden_dim: 8}
            hyperparameters: {batch_size: 2, gradient_accumulation_steps: 1}
            trainer: {iterations: 3}
            evaluation: {frequency: 0}
            dataset: {hdf5_name: \(dataset), duration_range: \(durations), validation_fraction: 0}
            """
        try Data(text.utf8).write(to: root.appending(path: "config.yaml"))
        return try run("tortoise-train", ["--yaml", "config.yaml"], folder: root)
    }

    @Test func goodRecordingsAreKeptAndBadOnesNamed() throws {
        try withTemporaryFolder { root in
            try writeRecordings(root)
            let prepared = try prepare(root)
            #expect(prepared.status == 0, "\(prepared.errors)")
            #expect(prepared.output.contains("kept 7 utterances"), "\(prepared.output)")
            for (reason, name) in [
                ("no transcript", "untold.wav"), ("no such recording", "gone.wav"), ("empty text", "empty"),
                ("unreadable audio", "text"), ("silent", "silent"), ("NaN or infinity in the audio", "nan"),
                ("no character of the vocabulary", "emoji"), ("a name that is there already", "0"),
            ] {
                #expect(
                    prepared.output.contains("\(reason): 1\n    g/s/\(name)"), "\(reason): \(prepared.output)")
            }
            let trained = try train(root)
            #expect(trained.status == 0 && trained.errors.contains("finished at step 3"), "\(trained.errors)")
            #expect(trained.errors.contains("g/s/long: longer than 12.0 s"), "\(trained.errors)")
        }
    }

    @Test func vocodersOfOtherMelsAreRefused() throws {
        try withTemporaryFolder { root in
            try writeRecordings(root)
            #expect(try prepare(root, ["--for", "vocoder"]).status == 0)
            let vocoders = [
                "vocos, kwargs: {dim: 8, intermediate_dim: 8, num_layers: 1, hop_length: 128}",
                "vocos, kwargs: {dim: 8, intermediate_dim: 8, num_layers: 1, input_channels: 80}",
                "univnet, kwargs: {channel_size: 4, strides: [4, 4, 4]}",
            ]
            for vocoder in vocoders {
                let text = """
                    models: [{name: \(vocoder), training: True, task: {adversarial: False}}]
                    trainer: {iterations: 1}
                    dataset: {hdf5_name: data.h5, validation_fraction: 0}
                    """
                try Data(text.utf8).write(to: root.appending(path: "config.yaml"))
                let result = try run("tortoise-train", ["--yaml", "config.yaml"], folder: root)
                #expect(result.status == 4 && result.errors.contains("256 samples a frame"), "\(result.errors)")
            }
        }
    }

    @Test func nothingLeftIsAnErrorOfItsOwn() throws {
        try withTemporaryFolder { root in
            try writeRecordings(root)
            #expect(try prepare(root).status == 0)
            let short = try train(root, durations: "[100.0, 200.0]")
            #expect(short.status == 3 && short.errors.contains("no utterance is left"), "\(short.errors)")
            let transcript = "{\"nan.wav\": {\"text\": \"Not a number.\"}, \"gone.wav\": {\"text\": \"Not there.\"}}"
            try Data(transcript.utf8).write(to: root.appending(path: "metadata/g/s/whisper.json"))
            let none = try prepare(root, ["--output", "none.h5"])
            #expect(none.status == 3 && none.errors.contains("no utterance was kept"), "\(none.errors)")
        }
    }

    @Test func damagedDatasetsAreRefused() throws {
        try withTemporaryFolder { root in
            try writeRecordings(root)
            #expect(try prepare(root).status == 0)
            let whole = try Data(contentsOf: root.appending(path: "data.h5"))
            try whole.prefix(20_000).write(to: root.appending(path: "cut.h5"))
            try Data("no dataset".utf8).write(to: root.appending(path: "text.h5"))
            for (name, words) in [("cut.h5", "truncated"), ("text.h5", "text.h5"), ("gone.h5", "gone.h5")] {
                let result = try train(root, dataset: name)
                #expect(result.status == 3 && result.errors.contains(words), "\(name): \(result.errors)")
            }
        }
    }

    @Test(arguments: [
        (
            "python.h5", Int32(3),
            ["is the Python trainer's", "training: 3 utterances by 2 speakers", "vocabulary of 2"]
        ),
        ("dataset.h5", 0, ["utterances"]),
    ])
    func aDatasetAloneIsDescribed(name: String, status: Int32, says: [String]) throws {
        let goldens = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "TortoiseCoreTests/Goldens/HDF5")
        let result = try run("tortoise-train", ["check", goldens.appending(path: name).path])
        #expect(result.status == status, "\(result.errors)")
        for text in says { #expect(result.output.contains(text), "\(result.output)") }
        #expect(status == 0 || result.errors.contains("no conditioning latents"))
    }

    @Test func aCheckOfTwoThingsIsRefused() throws {
        #expect(try run("tortoise-train", ["check", "a.h5", "--yaml", "b.yaml"]).status == 2)
        #expect(try run("tortoise-train", ["check", "a.h5", "--limit=-1"]).status == 2)
        #expect(try run("tortoise-train", ["check", "/none/a.h5"]).status == 3)
    }
}
