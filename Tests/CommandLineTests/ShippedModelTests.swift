import Foundation
import Testing
import TortoiseCore

/// What a newcomer hears: the models and voices that come with the package.
@Suite struct ShippedModelTests {
    private static let sentences = [
        "Read verse out loud for pleasure.", "How many chairs are in the room?",
        "We walked home in the rain, and nobody said a word.",
    ]

    private func speak(_ text: String, _ voice: String, to path: String, _ more: [String] = []) throws -> ProgramResult
    {
        try run("tortoise-infer", [text, "--voice", voice, "--seed", "1", "-o", path, "--json"] + more)
    }

    /// The longest stretch in seconds whose level stays 40 dB below the loudest.
    private func longestSilence(_ samples: [Float]) -> Double {
        let frame = SpokenUtterance.sampleRate / 100
        let levels = stride(from: 0, to: samples.count - frame, by: frame).map { start in
            samples[start..<start + frame].reduce(0) { $0 + $1 * $1 }
        }
        let limit = (levels.max() ?? 0) * 1e-4
        var (longest, current) = (0, 0)
        for level in levels {
            current = level < limit ? current + 1 : 0
            longest = max(longest, current)
        }
        return Double(longest) / 100
    }

    @Test(arguments: ["heart", "michael"], sentences)
    func sentencesSoundLikeSpeech(voice: String, text: String) throws {
        try withTemporaryFolder { folder in
            let path = folder.path + "/speech.wav"
            let result = try speak(text, voice, to: path)
            #expect(result.status == 0, "\(result.errors)")
            #expect(result.output.contains("\"ended\":true"), "\(result.output)")
            let clip = try AudioFile.read(path)
            let samples = clip.mono(), words = Double(text.split(separator: " ").count)
            #expect(clip.sampleRate == 24_000 && (words * 0.15...words * 0.8 + 1).contains(clip.duration))
            let peak = samples.reduce(0) { max($0, abs($1)) }
            #expect((0.05..<1).contains(peak))
            let check = ClipCheck(samples, sampleRate: clip.sampleRate)
            #expect((-40 ... -12).contains(check.loudness ?? -100), "\(check.loudness ?? -100) LUFS")
            #expect(longestSilence(samples) < 1)
        }
    }

    @Test func longSentencesAreSpokenToTheirEnd() throws {
        let text =
            "Although the weather report had promised sunshine for the rest of the week, dark clouds gathered over the hills before "
            + "noon, and by evening the rain was falling hard on the roof."
        try withTemporaryFolder { folder in
            let seconds = try [[], ["--stream"]].map { more in
                let path = folder.path + "/speech.wav"
                let result = try speak(text, "emma", to: path, more)
                #expect(result.status == 0, "\(result.errors)")
                return try AudioFile.read(path).duration
            }
            // A stream has one candidate, which need not be the one that is chosen among four.
            #expect((8.0...14).contains(seconds[0]) && abs(seconds[0] - seconds[1]) < 1, "\(seconds)")
        }
    }

    @Test func theSameCommandGivesTheSameBytes() throws {
        try withTemporaryFolder { folder in
            let spoken = try ["1", "2"].map { threads in
                let path = "\(folder.path)/\(threads).wav"
                let result = try run(
                    "tortoise-infer", ["Yes.", "-o", path], environment: ["TORTOISE_THREADS": threads])
                #expect(result.status == 0, "\(result.errors)")
                return try Data(contentsOf: URL(filePath: path))
            }
            #expect(spoken[0] == spoken[1])
        }
    }

    /// The codes are the same, and so is the length; the threads do not matter here either.
    @Test(.enabled(if: ProductPrecision.mixed(true) == .bfloat16, "bfloat16 products are not faster here"))
    func mixedPrecisionSpeaksAlmostTheSame() throws {
        try withTemporaryFolder { folder in
            let spoken = try [([], "2"), (["--amp"], "1"), (["--amp"], "2")].map { flags, threads in
                let path = folder.path + "/speech.wav"
                let result = try run(
                    "tortoise-infer", ["Yes.", "--voice", "heart", "-o", path] + flags,
                    environment: ["TORTOISE_THREADS": threads])
                #expect(result.status == 0, "\(result.errors)")
                return try AudioFile.read(path).mono()
            }
            let (plain, mixed) = (spoken[0], spoken[1])
            #expect(mixed == spoken[2] && mixed != plain && mixed.count == plain.count)
            let energies = spoken.map { $0.reduce(0) { $0 + $1 * $1 } }
            #expect((0.8...1.25).contains(energies[1] / energies[0]), "\(energies)")
        }
    }

    /// The codes of a recording, spoken in its own voice and in another one, last as long as it did.
    @Test func recordingsAreConverted() throws {
        try withTemporaryFolder { folder in
            let recording = try DataFolder.path(of: "voices/heart/1.flac")
            for voice in [[], ["--voice", "michael"]] {
                let path = folder.path + "/converted.wav"
                let result = try run(
                    "tortoise-infer", ["voice", "convert", recording, "Something that was said.", "-o", path] + voice)
                #expect(result.status == 0, "\(result.errors)")
                let (given, made) = (try AudioFile.read(recording), try AudioFile.read(path))
                #expect(abs(given.duration - made.duration) < 0.2 && made.mono().contains { abs($0) > 0.05 })
            }
            for (name, samples, words) in [
                ("short", [Float](repeating: 0.1, count: 240), "10 ms"),
                ("silent", [Float](repeating: 0, count: 48_000), "silent"),
            ] {
                let path = "\(folder.path)/\(name).wav"
                try AudioFile.write(AudioClip(mono: samples, sampleRate: 24_000), to: path)
                let result = try run("tortoise-infer", ["voice", "convert", path, "Hello.", "--voice", "heart"])
                #expect(result.status == 3 && result.errors.contains(words), "\(name): \(result.errors)")
            }
            let text = String(repeating: "a long story ", count: 200)
            let tooLong = try run("tortoise-infer", ["voice", "convert", recording, text, "--voice", "heart"])
            #expect(tooLong.status == 3 && tooLong.errors.contains("reads"), "\(tooLong.errors)")
            let long = folder.path + "/long.wav"
            try AudioFile.write(
                AudioClip(mono: [Float](repeating: 0.1, count: 24_000 * 60), sampleRate: 24_000), to: long)
            let result = try run("tortoise-infer", ["voice", "convert", long, "Too long.", "--voice", "heart"])
            #expect(result.status == 3 && result.errors.contains("the model speaks at most"), "\(result.errors)")
        }
    }

    /// CLVP finds the codes of a text nearer to it than to another text.
    @Test func codesFitTheirOwnText() throws {
        let models = SpeechModels(try ModelFiles())
        let frontEnd = TextFrontEnd(tokenizer: try BPETokenizer(path: DataFolder.path(of: "tokenizer.json")))
        let pipeline = SpeechPipeline(models, frontEnd)
        let ranker = try #require(try models.clvp())
        for voiceName in ["heart", "emma"] {
            let voice = try VoiceLibrary(models).voice(voiceName)
            for (index, text) in Self.sentences.enumerated() {
                let codes = try pipeline.speak(text, voice: voice, SpeechSettings())[0].codes
                let scores = [text, Self.sentences[(index + 1) % Self.sentences.count]].map { text -> Float in
                    let tokens = frontEnd.encode(text)
                    return ranker.similarity(
                        text: Tensor(indices: tokens, shape: [1, tokens.count]),
                        codes: Tensor(indices: codes, shape: [1, codes.count])
                    ).values[0]
                }
                #expect(scores[0] > scores[1], "\(voiceName), '\(text)': \(scores)")
            }
        }
    }
}
