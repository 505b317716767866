#if Server
    import Foundation
    import HTTPTypes
    import Hummingbird
    import HummingbirdCore
    import NIOCore
    import TortoiseCore

    extension Endpoint {
        static let speech: [Endpoint] = [
            Endpoint(
                method: .post, path: "/v1/audio/speech", summary: "Speak a text.",
                body: [("application/json", ["$ref": "#/components/schemas/Speech"])],
                answers: ["audio/wav", "audio/flac", "audio/ogg", "audio/mpeg", "audio/pcm", "text/event-stream"]
            ) { try await $0.speak($1, $2) }
        ]
    }

    extension Service {
        fileprivate func speak(_ request: Request, _ context: ServerContext) async throws -> Response {
            let (engine, catalog) = try speaking()
            var request = request
            let bytes = try await json(&request)
            let voices = catalog.voices().map(\.name)
            let body = try SpeechBody(bytes, voices: voices, textLimit: options.textLimit)
            try check(body.request.model, catalog)
            let job = Job(
                .speech, client: client(request, context), limit: .seconds(options.workSeconds), request: body)
            if body.isBackground { board.add(job) }
            do {
                try engine.submit(job, work(body))
            } catch {
                board.remove(job)
                throw error
            }
            guard !body.isBackground else { return accepted(job) }
            let watch = watching(request, context, job, engine)
            guard body.request.isStreamed else { return try await whole(job, watch, body) }
            return try await flowing(job, watch, body, engine, context)
        }

        /// The bytes of a body that has to be JSON: no form of another site's page can send that.
        func json(_ request: inout Request) async throws -> [UInt8] {
            let type = request.headers[.contentType]?.split(separator: ";").first?.lowercased()
            guard type?.trimmingCharacters(in: .whitespaces) == "application/json" else {
                throw ServerError(415, "expected Content-Type: application/json", code: "unsupported_media_type")
            }
            return try await collect(&request, limit: options.bodyLimit)
        }

        private func check(_ choice: ModelChoice, _ catalog: any SpeechCatalog) throws {
            guard choice != ModelChoice() else { return }
            let known = catalog.models()
            let named = choice.id.map { [($0, "model", ModelListing.Kind.adapter, false)] } ?? []
            for (id, field, kind, wanted) in named + choice.adapters.map({ ($0.id, "loras", .adapter, true) }) {
                guard known.contains(where: { $0.id == id && ($0.kind == kind) == wanted }) else {
                    throw ServerError(
                        404, "there is no such model: '\(id.prefix(120))'; /v1/models lists what there is",
                        parameter: field, code: "model_not_found")
                }
            }
        }

        private func work(_ body: SpeechBody) -> @Sendable (any SpeechSynthesizer, Job) throws -> Job.Outcome {
            { [metrics] synthesizer, job in
                var hasSound = false
                let result = try synthesizer.speak(body.request) { event in
                    try job.checkWanted()
                    switch event {
                    case .progress(let progress, let utterance, let count):
                        job.report(
                            progress.stage.rawValue, progress.done, progress.total, part: utterance, parts: count)
                    case .audio(let samples):
                        if !hasSound { metrics.addFirstSound(job.created.duration(to: .now).seconds) }
                        hasSound = true
                        job.hear(samples)
                    }
                }
                metrics.add(result)
                return .speech(result)
            }
        }

        /// Cancels a job when its client goes away.
        ///
        /// It reads on where the request ended, so it has to be over before the answer is: the connection's loop reads then.
        func watching(
            _ request: Request, _ context: ServerContext, _ job: Job, _ engine: Worker<any SpeechSynthesizer>
        ) -> Task<Void, Never> {
            context.endConnection()
            let (body, metrics) = (request.body, metrics)
            return Task {
                try? await body.consumeWithInboundCloseHandler { _ in
                    await job.ended()
                } onInboundClosed: {
                    guard job.age == nil else { return }
                    metrics.count(.cancelled)
                    engine.cancel(job)
                }
            }
        }

        /// Waits for a job that its client waits for.
        func settled(_ job: Job, _ watch: Task<Void, Never>, _ engine: Worker<any SpeechSynthesizer>?) async throws
            -> Job.Outcome
        {
            await withTaskCancellationHandler {
                await job.ended()
                if Task.isCancelled { engine?.cancel(job) }
                await watch.value
            } onCancel: {
                engine?.cancel(job)
            }
            guard let outcome = job.outcome else { throw job.error ?? ServerError(CancellationError()) }
            return outcome
        }

        // MARK: - Answers

        private func whole(_ job: Job, _ watch: Task<Void, Never>, _ body: SpeechBody) async throws -> Response {
            guard case .speech(let result) = try await settled(job, watch, engine) else {
                throw ServerError(500, "no speech")
            }
            return try await audio(of: result, version: 0, body)
        }

        /// A version of finished speech as a file, the same bytes as the command line writes.
        func audio(of result: SpeechResult, version: Int, _ body: SpeechBody) async throws -> Response {
            guard result.versions.indices.contains(version) else {
                throw ServerError.notFound("there are \(result.versions.count) versions")
            }
            let bytes = try await blocking {
                try AudioFile.encode(
                    AudioClip(mono: result.versions[version], sampleRate: SpokenUtterance.sampleRate), as: body.format,
                    metadata: AudioMetadata(
                        title: String(body.request.text.prefix(200)),
                        comment: SpeechReport.settingsJSON(body.request.settings)))
            }
            return .bytes(bytes, body.format.mediaType, headers: headers(body))
        }

        private func headers(_ body: SpeechBody) -> HTTPFields {
            var headers = HTTPFields()
            if let name = HTTPField.Name("X-Seed") { headers[name] = "\(body.request.settings.seed)" }
            if let name = HTTPField.Name("X-Voice") {
                headers[name] = body.request.voice.addingPercentEncoding(withAllowedCharacters: .urlPathAllowed)
            }
            headers[.contentDisposition] = "inline; filename=\"speech.\(body.formatName)\""
            return headers
        }

        /// Sends sound as it is made; what fails before the first sound is still an error of its own.
        private func flowing(
            _ job: Job, _ watch: Task<Void, Never>, _ body: SpeechBody, _ engine: Worker<any SpeechSynthesizer>,
            _ context: ServerContext
        ) async throws -> Response {
            let events = job.events()
            var headers = headers(body)
            if !body.sendsEvents {
                for await event in job.events() {
                    if case .audio = event { break }
                }
                if job.age != nil, job.outcome == nil {
                    await watch.value
                    throw job.error ?? ServerError(CancellationError())
                }
            }
            headers[.contentType] = body.sendsEvents ? "text/event-stream" : body.format.mediaType
            let answer = StreamedAnswer(format: body.format, sendsEvents: body.sendsEvents)
            let patience = options.arrivalSeconds
            return Response(
                status: .ok, headers: headers,
                body: ResponseBody { writer in
                    do {
                        try await context.send(answer.beginning, to: &writer, patience: patience)
                        for await event in events {
                            let bytes = try answer.bytes(of: event, job)
                            if !bytes.isEmpty { try await context.send(bytes, to: &writer, patience: patience) }
                        }
                    } catch {
                        engine.cancel(job)
                        await watch.value
                        throw error
                    }
                    if Task.isCancelled { engine.cancel(job) }
                    await watch.value
                    // Speech that broke off must not look complete: a chunked answer without its end does not.
                    guard job.outcome != nil || answer.sendsEvents else {
                        throw job.error ?? ServerError(CancellationError())
                    }
                    try await writer.finish(nil)
                })
        }
    }

    /// What is sent of speech while it is made.
    struct StreamedAnswer: Sendable {
        let format: AudioFormat
        let sendsEvents: Bool

        private var stream: AudioStream {
            format == .wav(.int16)
                ? AudioStream(wavAtSampleRate: SpokenUtterance.sampleRate) : AudioStream(pcmWithChannelCount: 1)
        }

        /// What goes before everything.
        var beginning: [UInt8] {
            sendsEvents && !stream.header.isEmpty
                ? Self.event([
                    "type": "speech.audio.delta", "audio": .string(Data(stream.header).base64EncodedString()),
                ])
                : stream.header
        }

        func bytes(of event: Job.Event, _ job: Job) throws -> [UInt8] {
            switch event {
            case .audio(let pcm):
                let audio = try encoded(pcm)
                guard sendsEvents else { return audio }
                return Self.event(["type": "speech.audio.delta", "audio": .string(Data(audio).base64EncodedString())])
            case let other: return sendsEvents ? Self.event(of: other, job) : []
            }
        }

        /// Ogg and MP3 allow files to follow each other in one stream; WAV and PCM are samples anyway.
        private func encoded(_ pcm: [UInt8]) throws -> [UInt8] {
            switch format {
            case .wav, .pcm, .flac: return pcm
            case .vorbis, .opus, .mp3:
                let samples = stride(from: 0, to: pcm.count - 1, by: 2).map { index in
                    Float(Int16(bitPattern: UInt16(pcm[index]) | UInt16(pcm[index + 1]) << 8)) / 32_768
                }
                return try AudioFile.encode(
                    AudioClip(mono: samples, sampleRate: SpokenUtterance.sampleRate), as: format)
            }
        }

        /// An event of a job as server-sent event.
        static func event(of event: Job.Event, _ job: Job) -> [UInt8] {
            switch event {
            case .queued(let ahead): Self.event(["type": "job.queued", "ahead": .integer(ahead)])
            case .progress(let progress): Self.event(["type": "job.progress", "progress": progress.json])
            case .audio(let pcm):
                Self.event(["type": "speech.audio.delta", "audio": .string(Data(pcm).base64EncodedString())])
            case .ended(.done) where job.kind == .speech:
                Self.event(["type": "speech.audio.done", "job": job.json])
            case .ended(.done): Self.event(["type": "job.done", "job": job.json])
            case .ended:
                Self.event([
                    "type": "error", "error": (job.error ?? ServerError(CancellationError())).json["error"] ?? .null,
                ])
            }
        }

        private static func event(_ value: JSONValue) -> [UInt8] { Array("data: \(value.serialized)\n\n".utf8) }
    }
#endif
