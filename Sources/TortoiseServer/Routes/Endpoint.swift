#if Server
    import HTTPTypes
    import Hummingbird
    import TortoiseCore

    /// One thing that can be asked for: its route and its description come from the same place, so that they agree.
    struct Endpoint: Sendable {
        /// A parameter of the path or the address.
        struct Parameter: Sendable {
            let name: String
            let meaning: String
            var isInPath = false
            var isRequired = false
        }

        let method: HTTPRequest.Method
        /// With parameters in braces: "/v1/jobs/{id}".
        let path: String
        let summary: String
        var parameters: [Parameter] = []
        /// Media types of the body with their schemas.
        var body: [(type: String, schema: JSONValue)] = []
        /// The status of success, and the media types that it may come in.
        var success = 200
        var answers = ["application/json"]
        /// Whether no token is needed.
        var isPublic = false
        let respond: @Sendable (Service, Request, ServerContext) async throws -> Response

        /// All that a server answers.
        static func all(_ service: Service) -> [Endpoint] {
            var endpoints = status
            if service.engine != nil { endpoints += speech + jobs + voices + models }
            if service.monitor != nil { endpoints += (service.engine == nil ? jobs : []) + trainings }
            return endpoints
        }

        /// As the router writes it.
        var pattern: String {
            path.split(separator: "/").map { $0.hasPrefix("{") ? ":\($0.dropFirst().dropLast())" : String($0) }
                .joined(separator: "/")
        }

        /// The part of the API's description.
        var description: JSONValue {
            var members: [JSONValue.Member] = [
                .init(key: "summary", value: .string(summary)), .init(key: "operationId", value: .string(operation)),
            ]
            if !parameters.isEmpty {
                let list = parameters.map { parameter -> JSONValue in
                    [
                        "name": .string(parameter.name), "in": parameter.isInPath ? "path" : "query",
                        "required": .bool(parameter.isInPath || parameter.isRequired),
                        "description": .string(parameter.meaning), "schema": ["type": "string"],
                    ]
                }
                members.append(.init(key: "parameters", value: .array(list)))
            }
            if !body.isEmpty {
                let content = body.map { JSONValue.Member(key: $0.type, value: ["schema": $0.schema]) }
                members.append(.init(key: "requestBody", value: ["required": true, "content": .object(content)]))
            }
            let content = answers.map { JSONValue.Member(key: $0, value: ["schema": Self.schema(of: $0)]) }
            members.append(
                .init(
                    key: "responses",
                    value: .object([
                        .init(key: String(success), value: ["description": "Done.", "content": .object(content)]),
                        .init(
                            key: "default",
                            value: [
                                "description": "It cannot be done; the message says why.",
                                "content": ["application/json": ["schema": ["$ref": "#/components/schemas/Error"]]],
                            ]),
                    ])))
            if isPublic { members.append(.init(key: "security", value: [])) }
            return .object(members)
        }

        private var operation: String {
            let words = path.split(separator: "/").filter { $0 != "v1" }.map { $0.filter { $0.isLetter } }
            return ([method.rawValue.lowercased()] + words).joined(separator: "_")
        }

        private static func schema(of type: String) -> JSONValue {
            switch type {
            case "application/json": ["type": "object"]
            case "text/plain", "text/html", "text/event-stream", "application/yaml": ["type": "string"]
            default: ["type": "string", "format": "binary"]
            }
        }
    }

    extension Service {
        /// The description of everything that this server answers (OpenAPI 3.1).
        var openAPI: JSONValue {
            var paths: [(path: String, methods: [JSONValue.Member])] = []
            for endpoint in Endpoint.all(self) {
                let member = JSONValue.Member(key: endpoint.method.rawValue.lowercased(), value: endpoint.description)
                if let index = paths.firstIndex(where: { $0.path == endpoint.path }) {
                    paths[index].methods.append(member)
                } else {
                    paths.append((endpoint.path, [member]))
                }
            }
            return [
                "openapi": "3.1.0",
                "info": [
                    "title": "TorToiSe text to speech", "version": "1",
                    "description":
                        "OpenAI's speech API with the settings of TorToiSe, voices, models, jobs and trainings.",
                ],
                "servers": [["url": .string(options.prefix.isEmpty ? "/" : options.prefix)]],
                "security": options.token == nil ? [] : [["bearer": []]],
                "paths": .object(paths.map { .init(key: $0.path, value: .object($0.methods)) }),
                "components": [
                    "securitySchemes": ["bearer": ["type": "http", "scheme": "bearer"]],
                    "schemas": [
                        "Speech": [
                            "type": "object", "required": ["input"], "additionalProperties": false,
                            "properties": .object(SpeechField.all.map { .init(key: $0.name, value: $0.schema) }),
                            "dependentRequired": .object(
                                SpeechField.all.compactMap { field in
                                    field.leader.map { .init(key: field.name, value: [.string($0)]) }
                                }),
                        ],
                        "Error": [
                            "type": "object", "required": ["error"],
                            "properties": [
                                "error": [
                                    "type": "object", "required": ["message", "type"],
                                    "properties": [
                                        "message": ["type": "string"], "type": ["type": "string"],
                                        "param": ["type": ["string", "null"]], "code": ["type": ["string", "null"]],
                                    ],
                                ]
                            ],
                        ],
                    ],
                ],
            ]
        }
    }
#endif
