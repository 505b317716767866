import Foundation
import Testing
import TortoiseCore

/// From recordings to speech with the real programs, every stage trained from nothing at a tiny size.
@Suite(.serialized) struct WholeStackTests {
    private func configure(_ root: URL, _ name: String, _ model: String, iterations: Int, extra: String = "") throws
        -> String
    {
        let folder = root.appending(path: name)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let text = """
            models:
            - {name: \(name), training: True, \(model)}
            hyperparameters: {batch_size: 4, gradient_accumulation_steps: 1, optimizer: AdamW, learning_rate: 2.0e-3}
            evaluation: {batch_size: 4, frequency: 0, size: 4}
            trainer: {iterations: \(iterations), save_frequency: 0, weight_dtype: float32, threads: 1}
            dataset: {hdf5_name: ../data.h5, duration_range: [1, 12], min_utterances: 1, validation_fraction: 0.2, sample_order: random}
            \(extra)
            """
        let path = folder.appending(path: "config.yaml").path
        try Data(text.utf8).write(to: URL(filePath: path))
        return path
    }

    private func train(_ arguments: [String], input: String = "") throws -> ProgramResult {
        let result = try run("tortoise-train", arguments, input: input)
        #expect(result.status == 0, "\(arguments.joined(separator: " ")): \(result.errors)")
        return result
    }

    /// The first and last value of a loss in a run's log.
    private func losses(_ root: URL, _ name: String, _ part: String) throws -> (first: Double, last: Double) {
        let logs = root.appending(path: "\(name)/logs")
        let runs = try FileManager.default.contentsOfDirectory(atPath: logs.path).sorted()
        let text = try String(contentsOf: logs.appending(path: "\(runs[0])/metrics.jsonl"), encoding: .utf8)
        let values = text.split(separator: "\n").compactMap { line -> Double? in
            guard let range = line.range(of: "\"loss.\(part)\":") else { return nil }
            return Double(line[range.upperBound...].prefix { !",}".contains($0) })
        }
        return (try #require(values.first), try #require(values.last))
    }

    @Test func recordingsBecomeSpeech() throws {
        try withTemporaryFolder { root in
            try MadeUpRecordings.write(to: root)
            let sources = ["--input", root.path + "/voices", "--metadata", root.path + "/metadata"]
            let set = root.appending(path: "set")
            try FileManager.default.createDirectory(at: set, withIntermediateDirectories: true)

            func stage(_ name: String, _ model: String, _ iterations: Int, falls part: String, by factor: Double) throws
            {
                let yaml = try configure(root, name, model, iterations: iterations)
                _ = try train(["--yaml", yaml])
                let (first, last) = try losses(root, name, part)
                #expect(last < first * factor, "\(name): \(part) went from \(first) to \(last)")
                _ = try train(["export", "--yaml", yaml])
                try FileManager.default.copyItem(
                    at: root.appending(path: "\(name)/ckpt/\(name)/fp32.sft"), to: set.appending(path: "\(name).sft"))
            }

            func data(_ purpose: String, _ models: [String]) throws {
                try? FileManager.default.removeItem(atPath: root.path + "/data.h5")
                let result = try train(
                    ["prepare"] + sources + ["--whole-clips", "--output", root.path + "/data.h5", "--for", purpose]
                        + models.flatMap { ["--\($0)", set.path + "/\($0).sft"] })
                #expect(result.output.contains("kept 12 utterances"))
            }

            try data("dvae", [])
            try stage(
                "dvae",
                "kwargs: {num_tokens: 16, codebook_dim: 8, num_resnet_blocks: 1, hidden_dim: 8}, task: {crop_frames: 64, unquantized_steps: 20}",
                60, falls: "mel", by: 0.9)
            try data("conditioning", ["dvae"])
            let sizes = "number_mel_codes: 18, start_mel_token: 16, stop_mel_token: 17, calm_token: 0, tail_tokens: [0]"
            try stage(
                "autoregressive",
                "kwargs: {layers: 1, model_dim: 32, heads: 2, max_text_tokens: 60, max_mel_tokens: 90, conditioning_layers: 1, dropout: 0, \(sizes)}, "
                    + "task: {train_conditioning: True, prompt_seconds: [0.5, 1.0], codes_first: 0.3}",
                60, falls: "mel", by: 0.8)
            try data("diffusion,vocoder", ["dvae", "autoregressive"])
            let latents = "autoregressive: ../set/autoregressive.sft"
            try stage(
                "clvp",
                "kwargs: {dim_text: 16, dim_speech: 16, dim_latent: 16, text_enc_depth: 1, text_heads: 1, speech_enc_depth: 1, speech_heads: 1, "
                    + "dim_head: 16, num_speech_tokens: 16, dropout: 0}", 60, falls: "contrast", by: 0.95)
            try stage(
                "diffusion",
                "kwargs: {model_channels: 16, num_layers: 1, num_heads: 2, in_latent_channels: 32, unconditioned_percentage: 0.1}, "
                    + "task: {\(latents), crop_codes: 12, prompt_seconds: 0.5}", 60, falls: "noise", by: 0.95)
            try stage(
                "univnet",
                "kwargs: {channel_size: 4, kpnet_hidden_channels: 8}, task: {crop_frames: 16, adversarial: False, mel_weight: 1}",
                20,
                falls: "mel", by: 1.0)
            try stage(
                "vocos",
                "kwargs: {dim: 16, intermediate_dim: 16, num_layers: 1}, task: {crop_frames: 16, adversarial: False, mel_weight: 1}",
                20,
                falls: "mel", by: 1.0)
            try stage(
                "hifigan",
                "kwargs: {in_channels: 32, cond_channels: 32, upsample_initial_channel: 16, resblock_kernel_sizes: [3], "
                    + "resblock_dilation_sizes: [[1, 3]]}, task: {\(latents), crop_frames: 16, "
                    + "discriminators: {mpd_reshapes: [2], resolutions: [[512, 128, 512]], mpd_channels: [4, 4], mrd_channels: 4}}",
                20, falls: "mel", by: 1.0)
            try tuneVocoder(set, root, sources)
            try speak(with: set, root)
            try adapt(set, root)
            #if Server
                try ServeRound(set: set, root: root).run()
            #endif
            // For what needs models that are quick rather than good: the browser's round, the soak.
            if let keep = ProcessInfo.processInfo.environment["TORTOISE_KEEP_TINY"] {
                try FileManager.default.copyItem(atPath: root.path, toPath: keep)
            }
        }
    }

    /// An adapter: trained with speech in its evaluations, stopped and taken up again, exported, and heard.
    private func adapt(_ set: URL, _ root: URL) throws {
        let folder = root.appending(path: "adapter")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let yaml = folder.path + "/config.yaml"
        func write(_ iterations: Int, rank: Int = 2, vocoder: String = "hifigan") throws {
            let text = """
                models:
                - {name: autoregressive, training: True, path: ../set/autoregressive.sft}
                - {name: \(vocoder), path: ../set/\(vocoder).sft}
                loras:
                - {name: lora, rank: \(rank), alpha: 4, training: True}
                vocoder: \(vocoder)
                hyperparameters: {batch_size: 4, gradient_accumulation_steps: 2, optimizer: AdamW, learning_rate: 1.0e-2}
                evaluation: {batch_size: 4, frequency: 0, size: 4}
                trainer: {iterations: \(iterations), save_frequency: 0, weight_dtype: float32, threads: 1}
                dataset: {hdf5_name: ../data.h5, min_utterances: 1, validation_fraction: 0.2, sample_order: random}
                """
            try Data(text.utf8).write(to: URL(filePath: yaml))
        }
        let checkpoint = folder.path + "/ckpt/lora-r2-a4/8/state.sft"
        try write(8)
        _ = try train(["--yaml", yaml])
        let whole = try Data(contentsOf: URL(filePath: checkpoint))
        try FileManager.default.removeItem(atPath: folder.path + "/ckpt")
        try write(3)
        _ = try train(["--yaml", yaml])
        try write(8)
        let result = try train(["--yaml", yaml], input: "eval\n")
        #expect(result.errors.contains("val.mel_stft"), "\(result.errors)")
        #expect(try Data(contentsOf: URL(filePath: checkpoint)) == whole)
        let files = try #require(FileManager.default.enumerator(atPath: folder.path + "/logs")).compactMap {
            $0 as? String
        }
        #expect(files.contains { $0.contains("/ref/") && $0.hasSuffix(".wav") })
        #expect(files.contains { $0.contains("/lora-r2-a4/val/") && $0.hasSuffix(".wav") })
        _ = try train(["export", "--yaml", yaml])
        func speak(_ more: [String]) throws -> Data {
            let arguments = [
                "Two.", root.path + "/voices/made/low/1.wav", "--models", set.path, "--vocoder", "hifigan",
            ]
            let output = root.path + "/adapted.wav"
            let spoken = try run(
                "tortoise-infer",
                arguments + ["--seed", "3", "--max-ar-steps", "12", "--ar-temp", "0", "-o", output] + more)
            #expect(spoken.status == 0, "\(spoken.errors)")
            return try AudioFile.encode(AudioFile.read(output), as: AudioFormat(named: "pcm")).withUnsafeBytes {
                Data($0)
            }
        }
        let adapter = folder.path + "/ckpt/lora-r2-a4/lora.sft"
        #expect(try speak([]) != speak(["--lora", adapter]))
        #expect(try speak([]) == speak(["--lora", adapter + ":0"]))
        #expect(try speak(["--yaml", yaml]) == speak(["--lora", adapter]))
        // Another rank is another adapter, which is said, and so is what evaluations lack to speak through diffusion.
        try write(1, rank: 3, vocoder: "vocos")
        let other = try train(["--yaml", yaml])
        #expect(other.errors.contains("lora-r3-a4 is a new adapter") && other.errors.contains("ckpt/lora-r2-a4"))
        let said = other.output + other.errors
        #expect(said.contains("none of diffusion's conditioning latents; prepare makes them"), "\(said)")
        try FileManager.default.removeItem(atPath: folder.path + "/ckpt/lora-r3-a4")
        try write(8)
    }

    /// A vocoder goes on with the mels that diffusion makes of the recordings' own codes.
    private func tuneVocoder(_ set: URL, _ root: URL, _ sources: [String]) throws {
        let models = ["dvae", "autoregressive", "diffusion"].flatMap { ["--\($0)", set.path + "/\($0).sft"] }
        let data = root.path + "/data.h5"
        try FileManager.default.moveItem(atPath: data, toPath: data + ".kept")
        let prepare = ["prepare"] + sources + ["--whole-clips", "--output", data, "--for", "vocoder-tuning"]
        let refused = try run("tortoise-train", prepare + models.dropLast(2))
        #expect(refused.status == 2 && refused.errors.contains("--diffusion is missing"), "\(refused.errors)")
        let prepared = try train(prepare + models)
        #expect(prepared.output.contains("kept 12 utterances"))
        let yaml = try configure(
            root, "tuned",
            "path: ../set/vocos.sft, task: {diffused_mels: True, crop_frames: 16, adversarial: False, mel_weight: 1}",
            iterations: 20)
        let text = try String(contentsOfFile: yaml, encoding: .utf8)
        try Data(text.replacing("name: tuned", with: "name: vocos").utf8).write(to: URL(filePath: yaml))
        _ = try train(["--yaml", yaml])
        let (first, last) = try losses(root, "tuned", "mel")
        #expect(last < first, "mel went from \(first) to \(last)")
        try FileManager.default.removeItem(atPath: data)
        try FileManager.default.moveItem(atPath: data + ".kept", toPath: data)
        // Mels that were not stored are missed before anything is computed.
        let missing = try run("tortoise-train", ["--yaml", yaml])
        #expect(missing.status != 0 && missing.errors.contains("diffused mels"), "\(missing.errors)")
    }

    private func speak(with set: URL, _ root: URL) throws {
        let voice = root.path + "/voices/made/low/1.wav"
        func speak(_ file: String, _ more: [String]) throws -> Data {
            let path = root.path + "/" + file
            let result = try run(
                "tortoise-infer",
                [
                    "Number five.", voice, "--models", set.path, "--max-ar-steps", "30", "--max-diffusion-steps", "4",
                    "-o", path,
                ] + more)
            #expect(result.status == 0, "\(more): \(result.errors)")
            #expect(result.errors.contains("real-time factor") && result.output.isEmpty)
            return try Data(contentsOf: URL(filePath: path))
        }
        for vocoder in ["univnet", "vocos", "hifigan"] {
            let one = try speak("a.wav", ["--vocoder", vocoder, "--seed", "0", "--candidates", "3"])
            #expect(
                one
                    == (try speak(
                        "b.wav", ["--vocoder", vocoder, "--seed", "0", "--candidates", "3", "--batch-size", "1"])))
            #expect(one != (try speak("c.wav", ["--vocoder", vocoder, "--seed", "1", "--candidates", "3"])))
            let clip = try AudioFile.read(root.path + "/a.wav")
            #expect(clip.sampleRate == 24_000 && clip.duration > 0.2 && clip.mono().allSatisfy(\.isFinite))
        }
        // HiFi-GAN gives sound in pieces, others by the line.
        for vocoder in [[], ["--vocoder", "vocos", "--max-diffusion-steps", "4"]] {
            let streamed = try run(
                "tortoise-infer",
                [
                    "Number five.", voice, "--models", set.path, "--max-ar-steps", "60", "--seed", "0", "--stream",
                    "-o", root.path + "/s.wav",
                ] + vocoder)
            #expect(streamed.status == 0 && streamed.errors.contains("first sound"), "\(streamed.errors)")
            #expect(try AudioFile.read(root.path + "/s.wav").duration > 0.1)
        }
        let saved = root.path + "/low.voice"
        #expect(try run("tortoise-infer", ["voice", "encode", voice, "-o", saved, "--models", set.path]).status == 0)
        let fromSaved = try run(
            "tortoise-infer",
            [
                "Number five.", saved, "--models", set.path, "--max-ar-steps", "10", "--vocoder", "hifigan", "-o", "-",
                "--quiet",
            ])
        #expect(fromSaved.status == 0)
        try rank(set, voice, saved: saved, root)
        try read(set, voice, root)
        try badInputs(set, voice, root)
    }

    /// CVVP, the autoregressive model and likeness to the voice put candidates into other orders; a saved voice has nothing that CVVP could hear.
    private func rank(_ set: URL, _ voice: String, saved: String, _ root: URL) throws {
        var config = CVVPConfig()
        (config.width, config.heads, config.headWidth) = (32, 1, 32)
        (config.conditioningDepth, config.speechDepth) = (1, 1)
        let (_, store) = ParameterStore.initialize(seed: 3) { CVVPModel(config, at: $0) }
        try SafetensorsWriter.write(
            store.parameters.map {
                (name: $0.name, tensor: TensorSource($0.value.values, dtype: .float32, shape: $0.shape))
            },
            metadata: [
                "config": """
                {"kwargs": {"model_dim": 32, "transformer_heads": 1, "dim_head": 32, "cond_enc_depth": 1, "speech_enc_depth": 1}}
                """
            ], to: set.path + "/cvvp.safetensors")
        func versions(_ voice: String, _ more: [String]) throws -> ProgramResult {
            try run(
                "tortoise-infer",
                [
                    "Number five.", voice, "--models", set.path, "--max-ar-steps", "12", "--vocoder", "hifigan",
                    "--seed",
                    "0", "--candidates", "4", "--keep", "4", "--json", "-o", root.path + "/ranked.wav",
                    "--rank-by", "clvp",
                ] + more)
        }
        func marks(_ name: String, _ more: [String]) throws -> [Double] {
            let result = try versions(voice, more)
            #expect(result.status == 0, "\(result.errors)")
            let report = try JSONDecoder().decode(RankedReport.self, from: Data(result.output.utf8))
            return report.utterances.compactMap { name == "score" ? $0.score : $0.similarity }
        }
        let byText = try marks("score", []), byVoice = try marks("score", ["--cvvp-amount", "1"])
        #expect(byText.count == 4 && byVoice.count == 4 && byText != byVoice)
        let half = try marks("score", ["--cvvp-amount", "0.5"])
        let mean = (byText.reduce(0, +) + byVoice.reduce(0, +)) / 2
        #expect(abs(half.reduce(0, +) - mean) < 1e-3)
        let byEar = try marks("score", ["--rank-by", "autoregressive"])
        #expect(byEar.count == 4 && byEar == byEar.sorted(by: >) && byEar.allSatisfy { $0 < 0 } && byEar != byText)
        let near = try marks("similarity", ["--sort-by-similarity"])
        #expect(near.count == 4 && near == near.sorted(by: >))
        let refused = try versions(saved, ["--cvvp-amount", "1"])
        #expect(refused.status == 2 && refused.errors.contains("--cvvp-amount"), "\(refused.errors)")
        let unknown = try versions(saved, ["--rank-by", "ear"])
        #expect(unknown.status == 2 && unknown.errors.contains("--rank-by"), "\(unknown.errors)")
    }

    private struct RankedReport: Decodable {
        struct Utterance: Decodable { let score, similarity: Double? }
        let utterances: [Utterance]
    }

    private func read(_ set: URL, _ voice: String, _ root: URL) throws {
        let book = root.path + "/book.txt", output = root.path + "/book.wav", cues = root.path + "/book.srt"
        try Data("The first one. A second line of text.\n\nIs this the third?\n".utf8).write(to: URL(filePath: book))
        let arguments = [
            "read", book, "--voice", voice, "--models", set.path, "--max-ar-steps", "10", "--vocoder", "hifigan", "-o",
            output,
            "--subtitles", cues, "--part-length", "20",
        ]
        let result = try run("tortoise-infer", arguments + ["--keep-parts"])
        #expect(result.status == 0, "\(result.errors)")
        let first = try Data(contentsOf: URL(filePath: output))
        let parts = try FileManager.default.contentsOfDirectory(atPath: output + ".parts").sorted()
        #expect(parts.count == 3)
        // As after a stop: what is missing is made again, and the whole is the same.
        try FileManager.default.removeItem(atPath: output + ".parts/" + parts[1])
        #expect(try run("tortoise-infer", arguments).status == 0)
        #expect(try Data(contentsOf: URL(filePath: output)) == first)
        #expect(!FileManager.default.fileExists(atPath: output + ".parts"))
        let text = try String(contentsOfFile: cues, encoding: .utf8)
        #expect(text.hasPrefix("1\n00:00:00,000 --> ") && text.contains("Is this the third?"))
    }

    /// Each has an error of its kind that says what was wrong.
    private func badInputs(_ set: URL, _ voice: String, _ root: URL) throws {
        let text = root.path + "/text.wav"
        try Data("this is no sound".utf8).write(to: URL(filePath: text))
        let short = root.path + "/short.wav", silent = root.path + "/silent.wav"
        try AudioFile.write(AudioClip(mono: [Float](repeating: 0.1, count: 2_400), sampleRate: 24_000), to: short)
        try AudioFile.write(AudioClip(mono: [Float](repeating: 0, count: 48_000), sampleRate: 24_000), to: silent)
        let cases: [(arguments: [String], status: Int32, says: String)] = [
            (["", voice], 3, "empty"), (["😀😀", voice], 3, "nothing in the text"), (["Hi.", text], 3, "text.wav"),
            (["Hi.", short], 3, "100 ms"), (["Hi.", silent], 3, "silent"), (["Hi.", "nobody"], 3, "nobody"),
            (["Hi.", voice, "--max-phrase", "-3"], 2, "--max-phrase"),
            (["Hi.", voice, "--ar-temp", "-1"], 2, "--ar-temp"),
            (["Hi.", voice, "--vocoder", "gramophone"], 2, "gramophone"),
            (["Hi.", voice, "--models", "/nowhere"], 4, "/nowhere"),
        ]
        for (arguments, status, says) in cases {
            let models = arguments.contains("--models") ? [] : ["--models", set.path]
            let result = try run("tortoise-infer", ["speak", "-o", root.path + "/x.wav"] + models + arguments)
            #expect(
                result.status == status && result.errors.contains(says),
                "\(arguments): \(result.status) \(result.errors)")
        }
        #expect(!FileManager.default.fileExists(atPath: root.path + "/x.wav"))
        try unusualInputs(set, voice, root)
        try interruptions(set, voice, root)
    }

    /// What is odd and still has a right result.
    private func unusualInputs(_ set: URL, _ voice: String, _ root: URL) throws {
        let wide = root.path + "/wide.wav", sound = try AudioFile.read(voice).mono()
        // Stereo at 96 kHz: every sample four times, in both channels.
        let samples = sound.flatMap { [Float](repeating: $0, count: 4) }
        try AudioFile.write(AudioClip(channels: [samples, samples], sampleRate: 96_000), to: wide)
        for arguments in [["Hi.", wide], ["First line.\n\n  \nSecond line.", voice], ["Hi.", voice, "--seed", "0"]] {
            let path = root.path + "/odd.wav"
            let result = try run(
                "tortoise-infer",
                ["speak", "-o", path, "--models", set.path, "--max-ar-steps", "8", "--vocoder", "hifigan"] + arguments)
            #expect(result.status == 0, "\(arguments): \(result.errors)")
            #expect(try AudioFile.read(path).duration > 0.05)
        }
    }
}
