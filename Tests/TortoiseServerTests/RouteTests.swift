#if Server
    import Foundation
    import HTTPTypes
    import Hummingbird
    import HummingbirdTesting
    import NIOCore
    import Testing
    import TortoiseCore

    @testable import TortoiseServer

    extension TestClientProtocol {
        /// Posts JSON.
        func post(
            _ path: String, _ json: String, type: String = "application/json", headers: HTTPFields = [:]
        ) async throws -> TestResponse {
            try await send(path, .post, Array(json.utf8), type: type, headers: headers)
        }

        func send(
            _ path: String, _ method: HTTPRequest.Method = .get, _ body: [UInt8] = [], type: String? = nil,
            headers: HTTPFields = [:]
        ) async throws -> TestResponse {
            var headers = headers
            headers[.contentType] = type
            return try await execute(
                uri: path, method: method, headers: headers, body: body.isEmpty ? nil : ByteBuffer(bytes: body)
            ) { $0 }
        }
    }

    extension TestResponse {
        var bytes: [UInt8] { Array(body.readableBytesView) }
        var json: JSONValue { get throws { try JSONValue(parsing: bytes, at: "answer") } }
        /// The message, code and parameter of an error.
        var error: (message: String, code: String?, parameter: String?) {
            get throws {
                let error = try #require(try json["error"])
                return (
                    try #require(error["message"]?.stringValue), error["code"]?.stringValue, error["param"]?.stringValue
                )
            }
        }
        /// The data of server-sent events.
        var events: [JSONValue] {
            get throws {
                try String(decoding: bytes, as: UTF8.self).split(separator: "\n\n").map {
                    try JSONValue(parsing: Array($0.dropFirst(6).utf8), at: "event")
                }
            }
        }
    }

    @Suite struct SpeechRouteTests {
        @Test(arguments: ["wav", "flac", "ogg", "opus", "pcm", "mp3"])
        func textBecomesAudio(format: String) async throws {
            try #require(try AudioFormat(named: format).isAvailable)
            let fake = FakeSpeech()
            try await TortoiseServer.fake(fake).application().test(.router) { client async throws -> Void in
                let answer = try await client.post(
                    "/v1/audio/speech",
                    "{\"model\":\"tts-1\",\"input\":\"Hello.\",\"voice\":\"anna\",\"response_format\":\"\(format)\",\"seed\":7}"
                )
                #expect(answer.status == .ok)
                #expect(answer.headers[.contentType] == (try AudioFormat(named: format).mediaType))
                let seed = try #require(HTTPField.Name("X-Seed"))
                #expect(answer.headers[seed] == "7")
                guard format != "pcm" else {
                    #expect(answer.bytes.count == 4 * FakeSynthesizer.pieceLength * 2)
                    return
                }
                let clip = try AudioFile.decode(answer.bytes)
                #expect(abs(clip.duration - 0.4) < 0.1)
            }
            #expect(fake.seen.spoken.map(\.text) == ["Hello."])
        }

        @Test func fieldsReachTheSynthesizer() async throws {
            let fake = FakeSpeech()
            try await TortoiseServer.fake(fake).application().test(.router) { client async throws -> Void in
                let body = """
                    {"input":"a","voice":"anna:0.7+ben:0.3","preset":"fast","candidates":4,"keep":2,"seed":0,"top_k":5,
                     "ar_temp":0.5,"mirostat_tau":3,"mirostat":1,"diffusion_sampler":"ddim","cond_free":false,"vocoder":"hifigan",
                     "speed":1.5,"loras":[{"id":"run/lora","strength":0.5}],"max_ar_steps":100,"response_format":"wav"}
                    """
                #expect(try await client.post("/v1/audio/speech", body).status == .ok)
            }
            let request = try #require(fake.seen.spoken.first)
            let settings = request.settings
            #expect(request.voice == "anna:0.7+ben:0.3" && request.speed == 1.5)
            #expect(request.model.adapters == [.init(id: "run/lora", strength: 0.5)])
            #expect(settings.candidates == 4 && settings.kept == 2 && settings.seed == 0)
            #expect(settings.diffusionSteps == 80 && settings.diffusion.guidance == nil && settings.vocoder == .hifigan)
            #expect(settings.sampling.topK == 5 && settings.sampling.temperature == 0.5)
            #expect(settings.sampling.mirostat == Mirostat(.one, tau: 3) && settings.sampling.maximumSteps == 100)
        }

        /// What a field means does not depend on where it stands.
        @Test func guidanceIsTheSameInAnyOrder() async throws {
            let fake = FakeSpeech()
            try await TortoiseServer.fake(fake).application().test(.router) { client async throws -> Void in
                let fields = [
                    "\"preset\":\"fast\"", "\"cond_free\":true", "\"cond_free_k\":1", "\"cond_free_every\":3",
                ]
                for order in [fields, fields.reversed()] {
                    let body = "{\"input\":\"a\",\"voice\":\"anna\",\(order.joined(separator: ","))}"
                    #expect(try await client.post("/v1/audio/speech", body).status == .ok)
                }
            }
            let expected = DiffusionGuidance(strength: 1, interval: 3)
            #expect(fake.seen.spoken.map(\.settings.diffusion.guidance) == [expected, expected])
        }

        @Test(arguments: [
            "\"mirostat_tau\":3", "\"mirostat\":0,\"mirostat_tau\":3", "\"dry_base\":2", "\"min_ar_temp\":0.1",
            "\"cond_free_every\":2,\"cond_free\":false",
        ])
        func fieldsOfWhatIsOffAreRefused(fields: String) async throws {
            try await TortoiseServer.fake(FakeSpeech()).application().test(.router) { client async throws -> Void in
                let answer = try await client.post("/v1/audio/speech", "{\"input\":\"a\",\(fields)}")
                #expect(try answer.status == .badRequest && answer.error.message.contains("has no effect without"))
            }
        }

        @Test func withoutFieldsSettingsAreTheCommandLines() async throws {
            let fake = FakeSpeech()
            try await TortoiseServer.fake(fake).application().test(.router) { client async throws -> Void in
                #expect(
                    try await client.post("/v1/audio/speech", "{\"input\":\"a\",\"voice\":\"alloy\",\"seed\":1}").status
                        == .ok)
                #expect(
                    try await client.post("/v1/audio/speech", "{\"input\":\"a\",\"voice\":{\"id\":\"ash\"}}").status
                        == .ok)
            }
            var expected = try SpeechSettings.initial(preset: nil)
            expected.seed = 1
            #expect(fake.seen.spoken[0].settings == expected)
            // OpenAI's voices stand for those that are there.
            #expect(fake.seen.spoken.map(\.voice) == ["anna", "ben"])
        }

        /// A stream takes fewer steps of diffusion unless it is told otherwise.
        @Test func streamsAreQuick() async throws {
            let fake = FakeSpeech()
            try await TortoiseServer.fake(fake).application().test(.router) { client async throws -> Void in
                for more in [
                    "", ",\"stream\":true", ",\"stream_format\":\"sse\"", ",\"stream\":true,\"max_diffusion_steps\":30",
                    ",\"stream\":true,\"preset\":\"ultra_fast\"",
                ] {
                    let body = "{\"input\":\"a\",\"voice\":\"anna\",\"response_format\":\"wav\"\(more)}"
                    #expect(try await client.post("/v1/audio/speech", body).status == .ok)
                }
            }
            let usual = SpeechSettings().diffusionSteps
            #expect(usual > 12 && fake.seen.spoken.map(\.settings.diffusionSteps) == [usual, 12, 12, 30, 30])
        }

        static let faults: [(body: String, status: Int, parameter: String?, says: String)] = [
            ("", 400, nil, "JSON"), ("{", 400, nil, "JSON"), ("[]", 400, nil, "object"), ("nonsense", 400, nil, "JSON"),
            ("{\"input\":\"\u{0}\"}", 400, nil, "JSON"), (String(repeating: "[", count: 5_000), 400, nil, "JSON"),
            ("{\"voice\":\"anna\"}", 400, "input", "missing"),
            ("{\"input\":\"\",\"voice\":\"anna\"}", 400, "input", "empty"),
            ("{\"input\":\" \\n \",\"voice\":\"anna\"}", 400, "input", "empty"),
            ("{\"input\":5,\"voice\":\"anna\"}", 400, "input", "string"),
            ("{\"input\":\"a\",\"voice\":\"anna\",\"top_kk\":5}", 400, "top_kk", "top_k"),
            ("{\"input\":\"a\",\"voice\":\"anna\",\"top_k\":1.5}", 400, "top_k", "integer"),
            ("{\"input\":\"a\",\"voice\":\"anna\",\"top_p\":2}", 400, "top_p", "0.0 to 1.0"),
            ("{\"input\":\"a\",\"voice\":\"anna\",\"seed\":-1}", 400, "seed", "0"),
            ("{\"input\":\"a\",\"voice\":\"anna\",\"candidates\":100000}", 400, "candidates", "512"),
            ("{\"input\":\"a\",\"voice\":\"anna\",\"keep\":5}", 400, "keep", "candidates"),
            ("{\"input\":\"a\",\"voice\":\"anna\",\"cond_free_every\":0}", 400, "cond_free_every", "1 to 1000"),
            (
                "{\"input\":\"a\",\"voice\":\"anna\",\"cond_free_every\":2,\"cond_free\":false}", 400,
                "cond_free_every",
                "no effect"
            ),
            ("{\"input\":\"a\",\"voice\":\"anna\",\"speed\":9}", 400, "speed", "0.25"),
            ("{\"input\":\"a\",\"voice\":\"anna\",\"preset\":\"slow\"}", 400, "preset", "ultra_fast"),
            ("{\"input\":\"a\",\"voice\":\"anna\",\"response_format\":\"aac\"}", 400, "response_format", "flac"),
            (
                "{\"input\":\"a\",\"voice\":\"anna\",\"response_format\":\"flac\",\"stream\":true}", 400,
                "response_format", "FLAC"
            ),
            ("{\"input\":\"a\",\"voice\":\"anna\",\"input\":\"b\"}", 400, nil, "twice"),
            ("{\"input\":\"a\",\"voice\":\"../../etc/passwd\"}", 404, "voice", "no voice"),
            ("{\"input\":\"a\",\"voice\":\"/etc/passwd\"}", 404, "voice", "no voice"),
            ("{\"input\":\"a\",\"voice\":\"anna+nobody:0.5\"}", 404, "voice", "nobody"),
            ("{\"input\":\"a\",\"voice\":\"anna;ben\"}", 404, "voice", "no voice"),
            ("{\"input\":\"a\",\"voice\":\"anna\",\"model\":\"../x\"}", 404, "model", "model"),
            ("{\"input\":\"a\",\"voice\":\"anna\",\"model\":\"run/lora\"}", 404, "model", "model"),
            ("{\"input\":\"a\",\"voice\":\"anna\",\"loras\":[{\"id\":\"small\"}]}", 404, "loras", "model"),
            (
                "{\"input\":\"a\",\"voice\":\"anna\",\"loras\":[{\"id\":\"run/lora\",\"strength\":1e9}]}", 400, "loras",
                "strength"
            ),
            ("{\"input\":\"\(String(repeating: "x", count: 300))\",\"voice\":\"anna\"}", 413, "input", "300"),
            ("{\"input\":\"nonsense\",\"voice\":\"anna\"}", 400, nil, "spoken"),
            ("{\"input\":\"broken\",\"voice\":\"anna\"}", 503, nil, "weights"),
            ("{\"input\":\"crash\",\"voice\":\"anna\"}", 500, nil, "log"),
        ]

        @Test(arguments: faults) func faultsAreNamed(
            fault: (body: String, status: Int, parameter: String?, says: String)
        ) async throws {
            try await TortoiseServer.fake { $0.textLimit = 200 }.application().test(.router) {
                client async throws -> Void in
                let answer = try await client.post("/v1/audio/speech", fault.body)
                #expect(
                    answer.status.code == fault.status,
                    "\(fault.body): \(String(decoding: answer.bytes, as: UTF8.self))")
                let error = try answer.error
                #expect(error.message.contains(fault.says), "\(error.message)")
                #expect(error.parameter == fault.parameter)
            }
        }

        @Test func bodiesAreLimitedAndTyped() async throws {
            try await TortoiseServer.fake { $0.bodyLimit = 1_000 }.application().test(.router) {
                client async throws -> Void in
                let large = try await client.post("/v1/audio/speech", String(repeating: " ", count: 2_000))
                let code = try large.error.code
                #expect(large.status == .contentTooLarge && code == "body_too_large")
                // What a form of another site could send.
                let plain = try await client.post("/v1/audio/speech", "{\"input\":\"a\"}", type: "text/plain")
                #expect(plain.status.code == 415)
                let nowhere = try await client.send("/v1/nowhere")
                let nothing = try nowhere.error.code
                #expect(nowhere.status == .notFound && nothing == "not_found")
            }
        }

        @Test func soundFlowsAsItIsMade() async throws {
            try await TortoiseServer.fake().application().test(.router) { client async throws -> Void in
                let request = "\"input\":\"a\",\"voice\":\"anna\",\"seed\":3,\"response_format\""
                let whole = try await client.post("/v1/audio/speech", "{\(request):\"pcm\"}")
                let pcm = try await client.post("/v1/audio/speech", "{\(request):\"pcm\",\"stream\":true}")
                #expect(pcm.bytes == whole.bytes)
                let wav = try await client.post("/v1/audio/speech", "{\(request):\"wav\",\"stream\":true}")
                #expect(Array(wav.bytes.dropFirst(44)) == whole.bytes && wav.bytes.starts(with: Array("RIFF".utf8)))
                let ogg = try await client.post("/v1/audio/speech", "{\(request):\"opus\",\"stream\":true}")
                #expect(ogg.bytes.starts(with: Array("OggS".utf8)))
                let failed = try await client.post(
                    "/v1/audio/speech",
                    "{\"input\":\"nonsense\",\"voice\":\"anna\",\"stream\":true,\"response_format\":\"wav\"}")
                #expect(failed.status == .badRequest)
            }
        }

        @Test func eventsCarryTheSound() async throws {
            try await TortoiseServer.fake().application().test(.router) { client async throws -> Void in
                let request = "\"input\":\"a\",\"voice\":\"anna\",\"seed\":3,\"response_format\":\"pcm\""
                let whole = try await client.post("/v1/audio/speech", "{\(request)}")
                let answer = try await client.post("/v1/audio/speech", "{\(request),\"stream_format\":\"sse\"}")
                #expect(answer.headers[.contentType] == "text/event-stream")
                let events = try answer.events
                let types = events.compactMap { $0["type"]?.stringValue }
                #expect(types.last == "speech.audio.done" && types.contains("job.progress"))
                let sound = events.compactMap { $0["audio"]?.stringValue }.flatMap { Data(base64Encoded: $0) ?? Data() }
                #expect(sound == whole.bytes)
                let failed = try await client.post(
                    "/v1/audio/speech", "{\"input\":\"nonsense\",\"voice\":\"anna\",\"stream_format\":\"sse\"}")
                #expect(try failed.events.last?["type"]?.stringValue == "error")
            }
        }

        @Test func jobsRunInTheBackground() async throws {
            try await TortoiseServer.fake().application().test(.router) { client async throws -> Void in
                let request =
                    "\"input\":\"a\",\"voice\":\"anna\",\"seed\":3,\"response_format\":\"wav\",\"candidates\":2,\"keep\":2"
                let whole = try await client.post("/v1/audio/speech", "{\(request)}")
                let accepted = try await client.post(
                    "/v1/audio/speech", "{\(request),\"background\":true,\"stream\":true}")
                #expect(accepted.status == .accepted)
                let path = try #require(accepted.headers[.location])
                let events = try await client.send(path + "/events").events
                #expect(events.contains { $0["type"]?.stringValue == "speech.audio.delta" })
                #expect(events.last?["job"]?["status"]?.stringValue == "done")
                let result = try await client.send(path + "/result?version=2")
                #expect(result.bytes == whole.bytes)
                #expect(try await client.send(path + "/result?version=3").status == .notFound)
                #expect(try await client.send(path + "/result?version=x").status == .badRequest)
                let flac = try await client.send(path + "/result?response_format=flac")
                #expect(flac.headers[.contentType] == "audio/flac")
                #expect(try await client.send("/v1/jobs").json["data"].map { "\($0)".contains("done") } == true)
                #expect(try await client.send("/v1/jobs/job-none").status == .notFound)
            }
        }

        @Test func jobsCanBeStopped() async throws {
            let fake = FakeSpeech(steps: 200_000, seconds: 0.005)
            try await TortoiseServer.fake(fake).application().test(.router) { client async throws -> Void in
                let accepted = try await client.post(
                    "/v1/audio/speech", "{\"input\":\"a\",\"voice\":\"anna\",\"background\":true}")
                let path = try #require(accepted.headers[.location])
                #expect(try await client.send(path + "/result").status == .conflict)
                #expect(await fake.wait { $0.steps > 2 })
                _ = try await client.send(path, .delete)
                #expect(await fake.wait { $0.cancelled == 1 })
                #expect(
                    try await client.send(path + "/events").events.last?["error"]?["code"]?.stringValue == "cancelled")
                #expect(try await client.send(path + "/result").status.code == 499)
            }
        }
    }

    @Suite struct OtherRouteTests {
        @Test func voicesComeAndGo() async throws {
            let fake = FakeSpeech()
            try await TortoiseServer.fake(fake) { $0.clipCount = 2 }.application().test(.router) {
                client async throws -> Void in
                let list = try await client.send("/v1/voices").json
                #expect(list["voices"].map { "\($0)" }?.contains("anna") == true)
                let recording = try TestForm.recording()
                let form = TestForm.body(name: "carla", files: [("../../x/evil.wav", recording)])
                let saved = try await client.send("/v1/voices", .post, form, type: TestForm.type)
                #expect(saved.status == .created, "\(String(decoding: saved.bytes, as: UTF8.self))")
                let check = try await client.send(
                    "/v1/voices/check", .post, TestForm.body(name: nil, files: [("a.wav", recording)]),
                    type: TestForm.type)
                #expect(check.status == .ok)
                let many = TestForm.body(name: "x", files: [("a", [1]), ("b", [1]), ("c", [1])])
                #expect(
                    try await client.send("/v1/voices", .post, many, type: TestForm.type).status == .contentTooLarge)
                let text = TestForm.body(name: "x", files: [("a.wav", Array("no sound".utf8))])
                let refused = try await client.send("/v1/voices", .post, text, type: TestForm.type)
                let message = try refused.error.message
                #expect(refused.status == .badRequest && message.contains("a.wav"))
                #expect(try await client.send("/v1/voices", .post, [1, 2], type: TestForm.type).status == .badRequest)
                #expect(
                    try await client.send("/v1/voices", .post, TestForm.body(name: "x", files: []), type: TestForm.type)
                        .status
                        == .badRequest)
                #expect(try await client.post("/v1/voices", "{\"name\":\"m\",\"mix\":\"anna+ben\"}").status == .created)
                #expect(try await client.post("/v1/voices", "{\"name\":\"r\",\"random\":3}").status == .created)
                #expect(try await client.post("/v1/voices", "{\"name\":\"r\"}").status == .badRequest)
                #expect(try await client.send("/v1/voices/ben", .delete).status == .ok)
                #expect(try await client.send("/v1/voices/anna", .delete).status == .notFound)
                #expect(try await client.send("/v1/voices/..%2F..%2Fx", .delete).status == .notFound)
            }
            let clip = try #require(fake.seen.clips.first)
            #expect(clip.name == "evil.wav" && !clip.path.contains("evil") && clip.bytes > 40_000)
            #expect(!FileManager.default.fileExists(atPath: clip.path))
            #expect(fake.seen.saved == ["carla", "m", "r"])
        }

        @Test func modelsAreListedFetchedAndVerified() async throws {
            try await TortoiseServer.fake().application().test(.router) { client async throws -> Void in
                let list = try await client.send("/v1/models").json
                #expect(list["object"]?.stringValue == "list")
                #expect(try await client.send("/v1/models/small").status == .ok)
                #expect(try await client.send("/v1/models/tts-1").status == .ok)
                #expect(try await client.send("/v1/models/none").status == .notFound)
                for (path, body, key) in [
                    ("fetch", "{\"file\":\"clvp2.pth\"}", "sha256"), ("verify", "{\"id\":\"small\"}", "files"),
                ] {
                    let accepted = try await client.post("/v1/models/\(path)", body)
                    #expect(accepted.status == .accepted)
                    let job = try #require(accepted.headers[.location])
                    #expect(try await client.send(job + "/events").events.last?["job"]?["result"]?[key] != nil)
                    #expect(try await client.send(job + "/result").json[key] != nil)
                }
                #expect(try await client.post("/v1/models/fetch", "{}").status == .badRequest)
            }
        }

        @Test func healthMetricsAndThePage() async throws {
            try await TortoiseServer.fake().application().test(.router) { client async throws -> Void in
                _ = try await client.post(
                    "/v1/audio/speech", "{\"input\":\"a\",\"voice\":\"anna\",\"response_format\":\"wav\"}")
                #expect(try await client.send("/health").json["status"]?.stringValue == "ok")
                let metrics = String(decoding: try await client.send("/metrics").bytes, as: UTF8.self)
                #expect(
                    metrics.contains(
                        "tortoise_requests_total{method=\"POST\",route=\"/v1/audio/speech\",status=\"200\"} 1"))
                #expect(metrics.contains("tortoise_speech_seconds_total 0.4"))
                let page = try await client.send("/")
                #expect(page.headers[.contentType] == "text/html; charset=utf-8")
                #expect(page.headers[.contentSecurityPolicy]?.contains("sha256-") == true)
                // The name of SVG is an address that nothing is loaded from.
                let text = String(decoding: page.bytes, as: UTF8.self).replacing("http://www.w3.org/2000/svg", with: "")
                #expect(!text.contains("{{") && !text.contains("http://") && !text.contains("https://"))
            }
        }

        @Test func tokensAndNamesAreAskedFor() async throws {
            try await TortoiseServer.fake { $0.token = "secret-token" }.application().test(.router) {
                client async throws -> Void in
                for path in ["/", "/health", "/openapi.json"] {
                    #expect(try await client.send(path).status == .ok, "\(path)")
                }
                for path in ["/metrics", "/v1/voices", "/v1/jobs", "/v1/audio/speech"] {
                    #expect(try await client.send(path).status == .unauthorized, "\(path)")
                }
                let allowed: HTTPFields = [.authorization: "Bearer secret-token"]
                #expect(try await client.send("/v1/voices", headers: allowed).status == .ok)
                var foreign = allowed
                foreign[.origin] = "https://evil.example"
                #expect(try await client.send("/v1/voices", headers: foreign).status == .forbidden)
                var flood = allowed
                for index in 0..<120 { flood[try #require(HTTPField.Name("X-\(index)"))] = "a" }
                #expect(try await client.send("/v1/voices", headers: flood).status.code == 431)
                let long = "/v1/voices?x=" + String(repeating: "a", count: 5_000)
                #expect(try await client.send(long, headers: allowed).status.code == 414)
            }
        }

        @Test func pagesOfAllowedOriginsMayAsk() async throws {
            let server = try TortoiseServer.fake {
                ($0.token, $0.origins) = ("secret-token", ["https://app.example"])
            }
            try await server.application().test(.router) { client async throws -> Void in
                let app: HTTPFields = [.origin: "https://app.example"]
                let asked = try await client.send("/v1/audio/speech", .options, headers: app)
                #expect(asked.status == .noContent)
                #expect(asked.headers[.accessControlAllowOrigin] == "https://app.example")
                #expect(asked.headers[.accessControlAllowHeaders]?.contains("Authorization") == true)
                #expect(try await client.send("/v1/voices", headers: app).status == .unauthorized)
                let others = try await client.send(
                    "/v1/audio/speech", .options, headers: [.origin: "https://evil.example"])
                #expect(others.status == .forbidden && others.headers[.accessControlAllowOrigin] == nil)
            }
        }

        @Test func allPathsMayHaveAPrefix() async throws {
            try await TortoiseServer.fake { $0.prefix = "/tts" }.application().test(.router) {
                client async throws -> Void in
                for path in ["/tts", "/tts/", "/tts/health", "/tts/v1/voices"] {
                    #expect(try await client.send(path).status == .ok, "\(path)")
                }
                #expect(try await client.send("/health").status == .notFound)
            }
        }
    }
#endif
