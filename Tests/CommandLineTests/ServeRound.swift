#if Server
    import Foundation
    import Testing
    import TortoiseCore

    /// The server with tiny models: the same bytes as the command line, voices, adapters, trainings, and its end.
    struct ServeRound {
        let set: URL
        let root: URL

        func run() throws {
            let folder = root.appending(path: "served")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            let server = try RunningProgram(
                "tortoise-infer",
                ["serve", "--listen", "127.0.0.1:0", "--models", set.path, "--training", root.path, "--grace", "5"],
                folder: folder)
            let address = try server.address()
            try makeVoices(address)
            try speak(address, folder)
            try adapt(address)
            try look(address)
            server.signal(SIGTERM)
            #expect(server.finish() == 0, "\(server.said.suffix(500))")
        }

        private func post(_ address: String, _ json: String) throws -> Answer {
            try ask("POST", address, Data(json.utf8))
        }

        private func makeVoices(_ address: String) throws {
            var form = Data("--xyzzy\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\nlow\r\n".utf8)
            for clip in ["1", "2"] {
                form += Data(
                    "--xyzzy\r\nContent-Disposition: form-data; name=\"files\"; filename=\"\(clip).wav\"\r\n\r\n".utf8)
                form += try Data(contentsOf: root.appending(path: "voices/made/low/\(clip).wav")) + Data("\r\n".utf8)
            }
            form += Data("--xyzzy--\r\n".utf8)
            let type = "multipart/form-data; boundary=xyzzy"
            let check = try ask("POST", address + "/v1/voices/check", form, type: type)
            #expect(check.status == 200 && check.text.contains("\"similarity\":0."), "\(check.text)")
            let saved = try ask("POST", address + "/v1/voices", form, type: type)
            #expect(saved.status == 201, "\(saved.text)")
            #expect(try post(address + "/v1/voices", "{\"name\":\"lower\",\"mix\":\"low:0.5+low\"}").status == 201)
            #expect(try post(address + "/v1/voices", "{\"name\":\"nobody\",\"random\":1}").status == 201)
            #expect(try ask("DELETE", address + "/v1/voices/nobody").status == 200)
            let list = try ask("GET", address + "/v1/voices").text
            #expect(list.contains("\"low\",\"lower\"") && !list.contains("nobody"), "\(list)")
        }

        private let fields =
            "\"input\":\"Number five.\",\"voice\":\"low\",\"seed\":3,\"max_ar_steps\":30,\"max_diffusion_steps\":4"

        private func speak(_ address: String, _ folder: URL) throws {
            func commandLine(_ more: [String]) throws -> Data {
                let result = try CommandLineTests.run(
                    "tortoise-infer",
                    [
                        "Number five.", "low", "--models", set.path, "--seed", "3", "--max-ar-steps", "30",
                        "--max-diffusion-steps", "4", "-o", "x.wav",
                    ] + more, folder: folder)
                #expect(result.status == 0, "\(result.errors)")
                return try Data(contentsOf: folder.appending(path: "x.wav"))
            }
            let one = try post(address + "/v1/audio/speech", "{\(fields),\"response_format\":\"wav\",\"candidates\":2}")
            let expected = try commandLine(["--candidates", "2"])
            #expect(one.status == 200 && one.body == expected, "\(one.status)")
            let streamed = try post(
                address + "/v1/audio/speech",
                "{\(fields),\"response_format\":\"pcm\",\"vocoder\":\"hifigan\",\"stream\":true}")
            let whole = try AudioFile.decode(Array(try commandLine(["--vocoder", "hifigan", "--stream"]))).mono()
            #expect(streamed.body.count == 2 * whole.count && whole.count > 2_400)
            let slow = try post(address + "/v1/audio/speech", "{\(fields),\"response_format\":\"wav\",\"speed\":0.5}")
            let (long, usual) = (try AudioFile.decode(Array(slow.body)), try AudioFile.decode(Array(one.body)))
            #expect(long.duration > usual.duration)
            // More than the model reads at once.
            let text = String(repeating: "number five is here, ", count: 12)
            let much = try post(
                address + "/v1/audio/speech",
                "{\"input\":\"\(text)\",\"voice\":\"low\",\"max_ar_steps\":5,\"vocoder\":\"hifigan\",\"response_format\":\"wav\"}"
            )
            #expect(much.status == 200, "\(much.text.prefix(300))")
        }

        private func adapt(_ address: String) throws {
            let models = try ask("GET", address + "/v1/models").text
            #expect(
                models.contains("\"id\":\"adapter/lora-r2-a4/lora.sft\"")
                    && models.contains("autoregressive/autoregressive/fp32.sft"))
            func speak(_ more: String) throws -> Data {
                let body = "{\(fields),\"response_format\":\"pcm\",\"vocoder\":\"hifigan\",\"ar_temp\":0\(more)}"
                let answer = try post(address + "/v1/audio/speech", body)
                #expect(answer.status == 200, "\(answer.text.prefix(300))")
                return answer.body
            }
            let plain = try speak("")
            let adapter = "{\"id\":\"adapter/lora-r2-a4/lora.sft\",\"strength\":"
            #expect(try speak(",\"loras\":[\(adapter)1}]") != plain)
            #expect(try speak(",\"loras\":[\(adapter)0}]") == plain)
            #expect(try speak(",\"model\":\"autoregressive/autoregressive/fp32.sft\"") == plain)
            let verify = try post(address + "/v1/models/verify", "{\"id\":\"autoregressive/autoregressive/fp32.sft\"}")
            #expect(verify.status == 202)
        }

        private func look(_ address: String) throws {
            let runs = try ask("GET", address + "/v1/training").text
            #expect(runs.contains("\"id\":\"autoregressive\",\"is_running\":false"))
            let state = try ask("GET", address + "/v1/training/state?run=autoregressive").text
            #expect(state.contains("\"step\":60") && state.contains("\"loss.mel\":[[1.0,"), "\(state.prefix(500))")
            let samples = try ask("GET", address + "/v1/training/samples?run=adapter").text
            let id = try #require(samples.firstMatch(of: /"id":"([^"]+)"/)).1
            for end in ["", "&reference=true"] {
                let audio = try ask("GET", address + "/v1/training/audio?run=adapter&sample=\(id)\(end)")
                #expect(audio.status == 200 && audio.body.starts(with: Data("RIFF".utf8)))
            }
            #expect(try ask("GET", address + "/v1/training/audio?run=adapter&sample=../../x").status == 400)
            let yaml = try ask("GET", address + "/v1/training/config?run=adapter").text
            #expect(yaml.contains("loras"))
            let faulty = try post(address + "/v1/training/validate", "{\"yaml\":\"trainer: {iterationz: 3}\"}").text
            #expect(faulty.contains("iterationz"), "\(faulty)")
            #expect(try post(address + "/v1/training/start", "{\"run\":\"../x\",\"yaml\":\"a: 1\"}").status == 400)
            #expect(try post(address + "/v1/training/start", "{\"run\":\"adapter\"}").status == 200)
            #expect(try post(address + "/v1/training/tell", "{\"run\":\"clvp\",\"line\":\"save\"}").status == 400)
        }
    }

    @Suite struct TrainingPageTests {
        @Test func aRunShowsItself() throws {
            try withTemporaryFolder { root in
                let tiny = try TinyRun(root, iterations: 100_000)
                let trainer = try RunningProgram(
                    "tortoise-train", ["--yaml", tiny.yaml, "--serve", "127.0.0.1:0"], folder: root)
                let address = try trainer.address()
                func state() throws -> String { try ask("GET", address + "/v1/training/state?run=run").text }
                func step() throws -> Int {
                    Int(try #require(try state().firstMatch(of: /"step":([0-9]+)/)).1) ?? -1
                }
                let limit = Date(timeIntervalSinceNow: 20)
                while try step() < 3, Date() < limit { usleep(50_000) }
                let before = try step()
                let shown = try state()
                #expect(before >= 3 && shown.contains("\"is_running\":true"))
                func tell(_ line: String) throws -> Int {
                    try ask("POST", address + "/v1/training/tell", Data("{\"run\":\"run\",\"line\":\"\(line)\"}".utf8))
                        .status
                }
                #expect(try tell("sav") == 400)
                #expect(try tell("lr 1e-5") == 200)
                while try !state().contains("learning rate is"), Date() < limit { usleep(50_000) }
                #expect(try step() > before)
                #expect(try ask("GET", address + "/v1/voices").status == 404)
                #expect(try tell("quit") == 200)
                #expect(trainer.finish() == 0)
                #expect(tiny.latest ?? 0 > before)
            }
        }

        @Test func strangersAreNotLetIn() throws {
            try withTemporaryFolder { root in
                let result = try run("tortoise-infer", ["serve", "--listen", "0.0.0.0:0"], folder: root)
                #expect(result.status == 2 && result.errors.contains("token"), "\(result.errors)")
            }
        }
    }
#endif
