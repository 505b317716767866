#if Server
    import Foundation
    import HTTPTypes
    import Hummingbird
    import HummingbirdCore
    import TortoiseCore

    extension Endpoint {
        private static let clips: JSONValue = [
            "type": "object",
            "properties": [
                "name": ["type": "string", "description": "What the voice is called."],
                "files": ["type": "array", "items": ["type": "string", "format": "binary"]],
            ],
        ]

        static let voices: [Endpoint] = [
            Endpoint(method: .get, path: "/v1/voices", summary: "The voices that can be named.") { service, _, _ in
                let voices = try service.speaking().catalog.voices()
                let data = voices.map { voice -> JSONValue in
                    [
                        "id": .string(voice.name), "object": "voice", "name": .string(voice.name),
                        "saved": .bool(voice.isSaved),
                    ]
                }
                return .json([
                    "object": "list", "data": .array(data), "voices": .array(voices.map { .string($0.name) }),
                ])
            },
            Endpoint(
                method: .post, path: "/v1/voices",
                summary:
                    "Save a voice: of recordings (a form with files), or of other voices (JSON with mix or random).",
                body: [
                    ("multipart/form-data", clips),
                    (
                        "application/json",
                        [
                            "type": "object", "required": ["name"],
                            "properties": [
                                "name": ["type": "string"],
                                "mix": ["type": "string", "description": "Such as anna:0.7+ben:0.3."],
                                "random": ["type": "integer", "description": "The seed of a voice that nobody has."],
                            ],
                        ]
                    ),
                ], success: 201
            ) { try await $0.saveVoice($1, $2) },
            Endpoint(
                method: .post, path: "/v1/voices/check", summary: "Judge recordings as references, best first.",
                body: [("multipart/form-data", clips)]
            ) { try await $0.checkClips($1, $2) },
            Endpoint(
                method: .delete, path: "/v1/voices/{name}", summary: "Remove a saved voice.",
                parameters: [.init(name: "name", meaning: "The voice.", isInPath: true)]
            ) { service, _, context in
                let name = try service.parameter("name", context)
                do {
                    try service.speaking().catalog.deleteVoice(name)
                } catch let error as InputError where error.kind == .data {
                    throw ServerError(404, "\(error)", parameter: "name", code: "voice_not_found")
                }
                return .json(["id": .string(name), "object": "voice", "deleted": true])
            },
        ]
    }

    extension Service {
        /// A parameter of the path, decoded.
        func parameter(_ name: String, _ context: ServerContext) throws -> String {
            guard let value = context.parameters.get(name)?.removingPercentEncoding else {
                throw ServerError(400, "the address cannot be read", parameter: name)
            }
            return value
        }

        fileprivate func saveVoice(_ request: Request, _ context: ServerContext) async throws -> Response {
            var request = request
            let isForm = request.headers[.contentType]?.lowercased().hasPrefix("multipart/form-data") ?? false
            let (name, source): (String, VoiceSource)
            var batch: UploadFolder.Batch?
            if isForm {
                let (form, stored) = try await form(&request)
                batch = stored
                guard let given = try form.text("name") else {
                    throw ServerError(400, "the field 'name' is missing", parameter: "name", code: "missing_field")
                }
                (name, source) = (given, .recordings(stored.clips))
            } else {
                (name, source) = try Self.combination(try await json(&request))
            }
            // The recordings have to stay until the voice is made.
            _ = try await attached(.voice, request, context) { [batch] synthesizer, job in
                try withExtendedLifetime(batch) {
                    job.report("voice", 0, 1)
                    try synthesizer.saveVoice(name, of: source)
                    return .value(.null)
                }
            }
            return .json(["id": .string(name), "object": "voice", "name": .string(name), "saved": true], status: 201)
        }

        /// A voice that is made of others.
        private static func combination(_ bytes: [UInt8]) throws -> (String, VoiceSource) {
            let value = try JSONValue(parsing: bytes, at: "body", kind: .usage)
            guard let name = value["name"]?.stringValue else {
                throw ServerError(400, "the field 'name' is missing", parameter: "name", code: "missing_field")
            }
            if let mix = value["mix"]?.stringValue { return (name, .mix(mix)) }
            if let seed = value["random"]?.integerValue, seed >= 0 { return (name, .random(seed: UInt64(seed))) }
            throw ServerError(400, "expected 'mix' or 'random'", parameter: "mix", code: "missing_field")
        }

        fileprivate func checkClips(_ request: Request, _ context: ServerContext) async throws -> Response {
            var request = request
            let (_, batch) = try await form(&request)
            let outcome = try await attached(.check, request, context) { synthesizer, job in
                try withExtendedLifetime(batch) {
                    let verdicts = try synthesizer.check(batch.clips) { event in
                        try job.checkWanted()
                        if case .progress(let progress, _, _) = event {
                            job.report("check", progress.done, progress.total)
                        }
                    }
                    return .value(["object": "list", "data": .array(verdicts.map(\.json))])
                }
            }
            guard case .value(let value) = outcome else { throw ServerError(500, "no verdict") }
            return .json(value)
        }

        /// Reads a form with recordings and stores these.
        private func form(_ request: inout Request) async throws -> (MultipartForm, UploadFolder.Batch) {
            guard let uploads else { throw ServerError.notFound("this server takes no recordings") }
            try uploads.enter()
            defer { uploads.leave() }
            guard let type = request.headers[.contentType] else {
                throw ServerError(415, "expected multipart/form-data", code: "unsupported_media_type")
            }
            let bytes = try await collect(&request, limit: options.uploadLimit)
            metrics.count(.uploads)
            let form = try MultipartForm(bytes, contentType: type)
            let batch = try uploads.store(form.files, most: options.clipCount)
            // The connection goes on to hold the request; its body is not needed any more.
            request.body = RequestBody(buffer: .init())
            return (form, batch)
        }

        /// Work of the engine for which a client waits.
        private func attached(
            _ kind: Job.Kind, _ request: Request, _ context: ServerContext,
            _ work: @escaping @Sendable (any SpeechSynthesizer, Job) throws -> Job.Outcome
        ) async throws -> Job.Outcome {
            let engine = try speaking().engine
            let job = Job(kind, client: client(request, context), limit: .seconds(options.workSeconds))
            try engine.submit(job, work)
            return try await settled(job, watching(request, context, job, engine), engine)
        }
    }

    extension ClipVerdict {
        var json: JSONValue {
            [
                "name": .string(name), "seconds": .number(seconds), "loudness": JSONValue(loudness),
                "noise_floor": JSONValue(noiseFloor), "similarity": JSONValue(similarity),
                "problems": .array(problems.map { .string($0) }), "fault": JSONValue(fault),
            ]
        }
    }
#endif
