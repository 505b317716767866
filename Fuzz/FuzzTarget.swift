import Foundation
import TortoiseCore

#if Server
    import TortoiseServer
#endif

/// A parser and what its inputs are made from.
struct FuzzTarget: Sendable {
    let name: String
    /// Files below the folder of goldens.
    let files: [String]
    var texts: [String] = []
    /// Parses an input, touching all that it promises to be there; the path may be written to.
    let parse: @Sendable (_ bytes: [UInt8], _ path: String) throws -> Void

    func originals(in folder: String) throws -> [[UInt8]] {
        let fromFiles = try files.map { file in
            guard let data = FileManager.default.contents(atPath: "\(folder)/\(file)") else {
                throw InputError.usage(
                    "cannot be read", at: "\(folder)/\(file)", try: "run from the package's folder or give --seeds")
            }
            return [UInt8](data)
        }
        return fromFiles + texts.map { Array($0.utf8) }
    }

    static let all: [FuzzTarget] = weights + arrays + [audio] + texts + requests

    private static func written(_ bytes: [UInt8], to path: String) throws {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        guard descriptor >= 0 else { throw InputError.data("cannot be written", at: path) }
        defer { close(descriptor) }
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes {
                write(descriptor, $0.baseAddress.map { $0 + done }, bytes.count - done)
            }
            guard count > 0 else { throw InputError.data("cannot be written", at: path) }
            done += count
        }
    }

    // MARK: - Files

    private static var weights: [FuzzTarget] {
        let readAll: @Sendable ([UInt8], String) throws -> Void = { bytes, path in
            try written(bytes, to: path)
            let reader = try openCheckpoint(path: path)
            for name in reader.names { _ = try Tensor(of: name, in: reader).shape }
        }
        return [
            FuzzTarget(
                name: "safetensors", files: ["Models/lora.safetensors", "Models/random_latents.safetensors"],
                parse: readAll),
            FuzzTarget(name: "torch", files: goldens("Weights", [".pth", ".pt"]), parse: readAll),
        ]
    }

    private static var arrays: [FuzzTarget] {
        [
            FuzzTarget(
                name: "numpy", files: goldens("Weights/NumPy", [".npy", ".npz", ".mel"]) + goldens("Weights", [".mel"])
            ) { bytes, path in
                try written(bytes, to: path)
                _ = try? MelArtifact(path: path)
                _ = try NumPyFile.read(path: path)
            },
            FuzzTarget(name: "hdf5", files: ["HDF5/dataset.h5"]) { bytes, path in
                try written(bytes, to: path)
                let file = try DatasetFile(path: path)
                for index in 0..<min(file.count, 3) { _ = try file.utterance(at: index) }
            },
            FuzzTarget(name: "hdf5-python", files: ["HDF5/python.h5", "HDF5/packed.h5"]) { bytes, path in
                try written(bytes, to: path)
                try PythonDatasetFile.read(path) { _ in }
            },
        ]
    }

    private static let audio = FuzzTarget(
        name: "audio",
        files: [
            "Audio/signal-int16.wav", "Audio/signal-float.wav", "Audio/signal-int24.flac", "Audio/signal-vorbis.ogg",
            "Audio/signal-layer3.mp3",
            "Audio/signal-int16.aiff", "Audio/signal-int16.caf", "Audio/signal-opus.opus",
            "Audio/signal-extensible.wav",
        ]
    ) { bytes, _ in _ = try AudioFile.decode(bytes).mono() }

    // MARK: - Text

    private static var texts: [FuzzTarget] {
        [
            FuzzTarget(name: "yaml", files: ["Configuration/reference.yaml"]) { bytes, _ in
                _ = try Configuration.parse(String(decoding: bytes, as: UTF8.self))
            },
            FuzzTarget(name: "tokenizer", files: ["../../../data/tokenizer.json"]) { bytes, _ in
                _ = try BPETokenizer(json: bytes, at: "input").encode("the quick brown fox")
            },
            FuzzTarget(name: "cleaners", files: [], texts: sentences) { bytes, _ in
                _ = try frontEnd(.english).encode(String(decoding: bytes.prefix(4_000), as: UTF8.self))
            },
            FuzzTarget(name: "normalizer", files: [], texts: sentences) { bytes, _ in
                let text = String(decoding: bytes.prefix(4_000), as: UTF8.self)
                _ = try frontEnd(.extended).encode(text)
                _ = try frontEnd(.extended).split(text)
            },
            FuzzTarget(name: "dictionary", files: [], texts: ["GIF\tjif\nSQL\tsequel\n# a comment\nnaïve\tnigh eve\n"])
            { bytes, _ in
                _ = try PronunciationDictionary(text: String(decoding: bytes, as: UTF8.self), at: "input")
            },
            FuzzTarget(name: "transcript", files: [], texts: transcripts) { bytes, _ in
                _ = try Transcript.read(json: JSONValue(parsing: bytes, at: "input"), at: "input")
            },
            FuzzTarget(
                name: "console", files: [],
                texts: ConsoleCommand.words.map(\.usage) + ["lr 1e-4 @ 500", "save@1000", "time to 99"]
            ) { bytes, _ in
                _ = try ConsoleCommand(line: String(decoding: bytes, as: UTF8.self))
            },
        ]
    }

    // MARK: - Requests

    #if Server
        private static let requests = [
            FuzzTarget(name: "speech-request", files: [], texts: speechRequests) { bytes, _ in
                try UntrustedBodies.readSpeech(bytes)
            },
            FuzzTarget(name: "form", files: [], texts: forms) { bytes, _ in try UntrustedBodies.readForm(bytes) },
        ]

        private static let speechRequests = [
            #"{"model": "tts-1", "input": "Hello \u00e9 \ud83d\udc22.", "voice": "alloy", "response_format": "mp3", "speed": 1.25}"#,
            #"{"input": "a", "voice": "anna:0.7+heart:0.3", "stream": true, "stream_format": "sse", "seed": 18446744073709551615}"#,
            #"{"input": "b", "preset": "ultra_fast", "candidates": 4, "rank_by": "clvp", "keep": 2, "top_k": 50, "top_p": 0.8, "min_p": 0}"#,
            #"{"input": "c", "mirostat": 2, "mirostat_tau": 3e0, "dry_multiplier": 0.8, "dry_range": -1, "min_ar_temp": 0.1, "max_ar_temp": 1}"#,
            #"{"input": "d", "cond_free": true, "cond_free_k": 2, "cond_free_every": 2, "diffusion_sampler": "p", "vocoder": null}"#,
        ]

        private static let forms = [
            [
                "--limit", #"Content-Disposition: form-data; name="name""#, "", "anna", "--limit",
                #"Content-Disposition: form-data; name="files"; filename="a/b.wav""#, "Content-Type: audio/wav", "",
                "RIFF", "--limit--", "",
            ].joined(separator: "\r\n")
        ]
    #else
        private static let requests: [FuzzTarget] = []
    #endif

    // MARK: - Seeds

    private static func frontEnd(_ cleaners: TextCleaners) throws -> TextFrontEnd {
        TextFrontEnd(cleaners: cleaners, tokenizer: try tokenizer.get())
    }

    private static let tokenizer = Result { try BPETokenizer(path: DataFolder.path(of: "tokenizer.json")) }

    private static let sentences = [
        "Dr. Smith paid $3.50 for 2 lb. of tea at 5:30 on May 3rd, 1999.",
        "Call 555-0199 or mail a.b@example.com; it's 20°C, i.e. 68°F!",
        "Ünïcödé “quotes” — dashes… £1,234.56 ½ №7 XIV. 10⁻³ km/h", "emoji 🐢🚀 and عربى and 日本語 text",
        "H.G. Wells' Ch. IV, pp. 12–34 (1895)",
    ]

    private static let transcripts = [
        #"{"a.wav": {"text": "hello", "language": "en", "segments": [{"start": 0.0, "end": 1.5, "text": "hello"}]}}"#,
        #"{"result": {"language": "en"}, "transcription": [{"offsets": {"from": 0, "to": 1500}, "text": " hello"}]}"#,
        #"{"segments": [{"start": 0, "end": 1, "text": "x", "words": []}], "language": "german"}"#,
    ]

    /// The files of a golden folder with some endings, sorted.
    private static func goldens(_ folder: String, _ endings: [String]) -> [String] {
        let root = "Tests/TortoiseCoreTests/Goldens/\(folder)"
        let names = (try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []
        return names.filter { name in endings.contains { name.hasSuffix($0) } }.sorted().map { "\(folder)/\($0)" }
    }
}
