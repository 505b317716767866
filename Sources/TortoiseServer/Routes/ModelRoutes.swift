#if Server
    import HTTPTypes
    import Hummingbird
    import TortoiseCore

    extension Endpoint {
        static let models: [Endpoint] = [
            Endpoint(
                method: .get, path: "/v1/models", summary: "Sets of models, exported weights and adapters."
            ) { service, _, _ in
                let catalog = try service.speaking().catalog
                let own: JSONValue = [
                    "id": "tortoise", "object": "model", "created": 0, "owned_by": "tortoise", "kind": "set",
                ]
                let published = catalog.published().map { file -> JSONValue in
                    ["name": .string(file.name), "is_there": .bool(file.isThere)]
                }
                return .json([
                    "object": "list", "data": .array([own] + catalog.models().map(\.json)),
                    "published": .array(published),
                ])
            },
            Endpoint(
                method: .get, path: "/v1/models/{id}", summary: "One of them.",
                parameters: [.init(name: "id", meaning: "Its id, with slashes encoded.", isInPath: true)]
            ) { service, _, context in
                let id = try service.parameter("id", context)
                if SpeechBody.usualModels.contains(id) {
                    return .json(["id": .string(id), "object": "model", "created": 0, "owned_by": "tortoise"])
                }
                guard let model = try service.speaking().catalog.models().first(where: { $0.id == id }) else {
                    throw ServerError(404, "there is no such model: '\(id.prefix(120))'", code: "model_not_found")
                }
                return .json(model.json)
            },
            Endpoint(
                method: .post, path: "/v1/models/fetch", summary: "Download a published file; a job.",
                body: [
                    (
                        "application/json",
                        ["type": "object", "required": ["file"], "properties": ["file": ["type": "string"]]]
                    )
                ],
                success: 202
            ) { service, request, context in
                try await service.errand(.fetch, request, context, field: "file") { catalog, name, job in
                    guard catalog.published().contains(where: { $0.name == name }) else {
                        throw ServerError.notFound("no published file is called '\(name.prefix(60))'")
                    }
                    let sum = try catalog.fetch(name) { done, total in
                        try job.checkWanted()
                        job.report("fetch", done, total)
                    }
                    return ["file": .string(name), "sha256": .string(sum)]
                }
            },
            Endpoint(
                method: .post, path: "/v1/models/verify", summary: "Read all of a model's files; a job.",
                body: [
                    (
                        "application/json",
                        ["type": "object", "required": ["id"], "properties": ["id": ["type": "string"]]]
                    )
                ],
                success: 202
            ) { service, request, context in
                try await service.errand(.verify, request, context, field: "id") { catalog, id, job in
                    let lines = try catalog.verify(id) { done, total in
                        try job.checkWanted()
                        job.report("verify", done, total)
                    }
                    return ["id": .string(id), "files": .array(lines.map { .string($0) })]
                }
            },
        ]
    }

    extension Service {
        /// Starts work on what a field of the body names, beside the engine.
        fileprivate func errand(
            _ kind: Job.Kind, _ request: Request, _ context: ServerContext, field: String,
            _ work: @escaping @Sendable (any SpeechCatalog, String, Job) throws -> JSONValue
        ) async throws -> Response {
            let catalog = try speaking().catalog
            var request = request
            let name = try await self.field(field, &request)
            // A download may take hours.
            let job = Job(kind, client: client(request, context), limit: .seconds(86_400))
            board.add(job)
            do {
                try errands.submit(job) { _, job in .value(try work(catalog, name, job)) }
            } catch {
                board.remove(job)
                throw error
            }
            return accepted(job)
        }

        /// A text field of a JSON body.
        func field(_ name: String, _ request: inout Request) async throws -> String {
            try Self.field(name, of: try JSONValue(parsing: try await json(&request), at: "body", kind: .usage))
        }

        static func field(_ name: String, of value: JSONValue) throws -> String {
            guard let text = value[name]?.stringValue, !text.isEmpty else {
                throw ServerError(400, "the field '\(name)' is missing", parameter: name, code: "missing_field")
            }
            return text
        }
    }

    extension ModelListing {
        var json: JSONValue {
            [
                "id": .string(id), "object": "model", "created": 0, "owned_by": "tortoise",
                "kind": .string(kind.rawValue),
                "default": .bool(isDefault),
                "files": .array(
                    files.map { file in
                        ["stage": .string(file.stage), "file": .string(file.path), "bytes": .integer(file.bytes)]
                    }),
            ]
        }
    }
#endif
