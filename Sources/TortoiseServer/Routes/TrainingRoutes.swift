#if Server
    import Foundation
    import HTTPTypes
    import Hummingbird
    import TortoiseCore

    extension Endpoint {
        private static let run = Parameter(name: "run", meaning: "The run's folder.", isRequired: true)
        private static let yaml: JSONValue = [
            "type": "object", "properties": ["run": ["type": "string"], "yaml": ["type": "string"]],
        ]

        static let trainings: [Endpoint] = [
            Endpoint(method: .get, path: "/v1/training", summary: "The runs that there are.") { service, _, _ in
                let monitor = try service.training()
                let runs = try await service.blocking { monitor.runs() }
                return .json([
                    "object": "list",
                    "data": .array(runs.map { ["id": .string($0.id), "is_running": .bool($0.isRunning)] }),
                ])
            },
            Endpoint(
                method: .get, path: "/v1/training/state", summary: "Where a run stands: curves, pace, memory, log.",
                parameters: [
                    run, .init(name: "since", meaning: "The last step that is known."),
                    .init(name: "log", meaning: "Bytes of the log that are known."),
                ]
            ) { service, request, _ in
                let (monitor, run) = (try service.training(), try request.needed("run"))
                let since = request.query("since").flatMap { Double($0) } ?? -1
                let offset = request.query("log").flatMap { Int($0) } ?? 0
                return .json(
                    try await service.blocking {
                        try monitor.state(of: run, since: since.isFinite ? since : -1, logOffset: max(0, offset)).json
                    })
            },
            Endpoint(
                method: .get, path: "/v1/training/config", summary: "A run's configuration.", parameters: [run],
                answers: ["application/yaml"]
            ) { service, request, _ in
                let text = try service.training().configuration(of: request.needed("run"))
                return .bytes(Array(text.utf8), "application/yaml; charset=utf-8")
            },
            Endpoint(
                method: .post, path: "/v1/training/validate", summary: "What is wrong with a configuration.",
                body: [("application/json", yaml)]
            ) { service, request, _ in
                let monitor = try service.training()
                var request = request
                let text = try await service.field("yaml", &request)
                let (errors, notes) = try await service.blocking { monitor.validate(text) }
                return .json([
                    "errors": .array(errors.map { .string($0) }), "notes": .array(notes.map { .string($0) }),
                ])
            },
            Endpoint(
                method: .post, path: "/v1/training/check", summary: "Look through a run's dataset; a job.",
                body: [("application/json", yaml)], success: 202
            ) { service, request, context in
                let monitor = try service.training()
                var request = request
                let run = try await service.field("run", &request)
                _ = try monitor.configuration(of: run)
                let job = Job(.dataset, client: service.client(request, context), limit: .seconds(3_600))
                service.board.add(job)
                do {
                    try service.errands.submit(job) { _, job in
                        let lines = try monitor.check(run) { done, total in
                            try job.checkWanted()
                            job.report("dataset", done, total)
                        }
                        return .value(["lines": .array(lines.map { .string($0) })])
                    }
                } catch {
                    service.board.remove(job)
                    throw error
                }
                return service.accepted(job)
            },
            Endpoint(
                method: .post, path: "/v1/training/start",
                summary: "Start a trainer, with a new configuration if one is given.",
                body: [("application/json", yaml)]
            ) { service, request, _ in
                let monitor = try service.training()
                var request = request
                let value = try JSONValue(parsing: try await service.json(&request), at: "body", kind: .usage)
                let run = try Service.field("run", of: value)
                let text = value["yaml"]?.stringValue
                try await service.blocking { try monitor.start(run, yaml: text) }
                return .json(["run": .string(run), "started": true])
            },
            Endpoint(
                method: .post, path: "/v1/training/tell", summary: "Tell a running trainer a console word.",
                body: [
                    (
                        "application/json",
                        [
                            "type": "object", "required": ["run", "line"],
                            "properties": ["run": ["type": "string"], "line": ["type": "string"]],
                        ]
                    )
                ]
            ) { service, request, _ in
                let monitor = try service.training()
                var request = request
                let value = try JSONValue(parsing: try await service.json(&request), at: "body", kind: .usage)
                let (run, line) = (try Service.field("run", of: value), try Service.field("line", of: value))
                try await service.blocking { try monitor.tell(run, line) }
                return .json(["run": .string(run), "told": .string(line)])
            },
            Endpoint(
                method: .get, path: "/v1/training/samples", summary: "What evaluations said, newest first.",
                parameters: [run]
            ) { service, request, _ in
                let (monitor, run) = (try service.training(), try request.needed("run"))
                let samples = try await service.blocking { try monitor.samples(of: run) }
                return .json(["object": "list", "data": .array(samples.map(\.json))])
            },
            Endpoint(
                method: .get, path: "/v1/training/audio",
                summary: "The audio of a sample, or of the recording beside it.",
                parameters: [
                    run, .init(name: "sample", meaning: "The sample's id.", isRequired: true),
                    .init(name: "reference", meaning: "true for the recording."),
                ], answers: ["audio/wav"]
            ) { service, request, _ in
                let (monitor, run) = (try service.training(), try request.needed("run"))
                let sample = try request.needed("sample")
                let isReference = request.query("reference") == "true"
                let bytes = try await service.blocking {
                    let path = try monitor.audio(of: run, sample: sample, isReference: isReference)
                    guard let data = FileManager.default.contents(atPath: path) else {
                        throw ServerError.notFound("the sample is gone")
                    }
                    return Array(data)
                }
                return .bytes(bytes, "audio/wav")
            },
        ]
    }

    extension TrainingRunState {
        var json: JSONValue {
            let left = secondsPerStep.map { $0 * Double(max(0, iterations - step)) }
            return [
                "is_running": .bool(isRunning), "step": .integer(step), "iterations": .integer(iterations),
                "seconds_per_step": JSONValue(secondsPerStep), "seconds_left": JSONValue(isRunning ? left : nil),
                "memory_bytes": JSONValue(memoryBytes), "waiting_share": JSONValue(waitingShare),
                "curves": .object(
                    curves.map { curve in
                        JSONValue.Member(
                            key: curve.name, value: .array(curve.points.map { [.number($0.step), .number($0.value)] }))
                    }),
                "log": .string(log), "log_offset": .integer(logOffset),
            ]
        }
    }

    extension EvaluationSample {
        var json: JSONValue {
            [
                "id": .string(id), "step": .integer(step), "name": .string(name), "set": .string(set),
                "has_reference": .bool(hasReference),
            ]
        }
    }
#endif
