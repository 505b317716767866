#if Server
    import HTTPTypes
    import Hummingbird
    import HummingbirdCore
    import NIOCore
    import TortoiseCore

    extension Endpoint {
        private static let id = Parameter(name: "id", meaning: "The job.", isInPath: true)

        static let jobs: [Endpoint] = [
            Endpoint(method: .get, path: "/v1/jobs", summary: "The jobs that run, and the last ones that are over.") {
                service, _, _ in
                .json(["object": "list", "data": .array(service.board.all.map(\.json))])
            },
            Endpoint(
                method: .get, path: "/v1/jobs/{id}", summary: "Where a job stands.", parameters: [id]
            ) { service, _, context in .json(try service.job(context).json) },
            Endpoint(
                method: .delete, path: "/v1/jobs/{id}", summary: "Stop a job.", parameters: [id]
            ) { service, _, context in
                let job = try service.job(context)
                service.cancel(job)
                return .json(job.json)
            },
            Endpoint(
                method: .get, path: "/v1/jobs/{id}/events", summary: "All that is heard of a job, to its end.",
                parameters: [id], answers: ["text/event-stream"]
            ) { service, _, context in
                let job = try service.job(context)
                var headers = HTTPFields()
                headers[.contentType] = "text/event-stream"
                return Response(
                    status: .ok, headers: headers,
                    body: ResponseBody { writer in
                        for await event in job.events() {
                            try await context.send(
                                StreamedAnswer.event(of: event, job), to: &writer,
                                patience: service.options.arrivalSeconds)
                        }
                        try await writer.finish(nil)
                    })
            },
            Endpoint(
                method: .get, path: "/v1/jobs/{id}/result", summary: "The audio that a job made, or its value.",
                parameters: [
                    id, .init(name: "version", meaning: "Which candidate, from 1."),
                    .init(name: "response_format", meaning: "How the audio is encoded."),
                ], answers: ["audio/wav", "audio/flac", "audio/ogg", "audio/mpeg", "audio/pcm", "application/json"]
            ) { service, request, context in
                let job = try service.job(context)
                if let error = job.error { throw error }
                guard let outcome = job.outcome else {
                    throw ServerError(409, "the job is not done yet", code: "not_done", retryAfter: 1)
                }
                guard case .speech(let result) = outcome, var body = job.request else {
                    guard case .value(let value) = outcome else { throw ServerError(500, "no result") }
                    return .json(value)
                }
                if let name = request.query("response_format") { try body.setFormat(name) }
                let version = try request.query("version").map { text in
                    guard let number = Int(text), number > 0 else {
                        throw ServerError(400, "expected the number of a candidate", parameter: "version")
                    }
                    return number
                }
                return try await service.audio(of: result, version: (version ?? 1) - 1, body)
            },
        ]
    }

    extension Service {
        fileprivate func job(_ context: ServerContext) throws -> Job { try board.job(parameter("id", context)) }

        /// Stops a job wherever it is.
        func cancel(_ job: Job) {
            switch job.kind {
            case .speech, .voice, .check: engine?.cancel(job)
            case .fetch, .verify, .dataset: errands.cancel(job)
            }
        }
    }
#endif
