#if Server
    import Foundation
    import Hummingbird
    import HummingbirdTesting
    import Testing
    import TortoiseCore

    @testable import TortoiseServer

    /// The description says what the server does, and nothing else.
    @Suite struct OpenAPITests {
        private func withTrainings<Result: Sendable>(
            _ body: @Sendable (TrainingFolders) async throws -> Result
        ) async throws -> Result {
            let folder = FileManager.default.temporaryDirectory.appending(path: "trainings-\(UUID().uuidString)")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(at: folder) }
            return try await body(TrainingFolders(root: folder.path, program: nil))
        }

        /// The members of an object.
        private func members(_ value: JSONValue?) -> [JSONValue.Member] {
            if case .object(let members)? = value { members } else { [] }
        }

        private func items(_ value: JSONValue?) -> [JSONValue] {
            if case .array(let items)? = value { items } else { [] }
        }

        @Test func everyDescribedAddressAnswers() async throws {
            try await withTrainings { trainings in
                try await TortoiseServer.fake(monitor: trainings).application().test(.router) {
                    client async throws -> Void in
                    let description = try await client.send("/openapi.json").json
                    #expect(description["openapi"]?.stringValue == "3.1.0")
                    var seen = 0
                    for path in members(description["paths"]) {
                        for operation in members(path.value) {
                            seen += 1
                            let address = path.key.replacing("{id}", with: "none").replacing("{name}", with: "none")
                            let method = try #require(HTTPRequest.Method(operation.key.uppercased()))
                            let answer = try await client.send(address, method)
                            // An address that nobody answers at is told to look here.
                            let text = String(decoding: answer.bytes, as: UTF8.self)
                            let isRoute = answer.status != .notFound || !text.contains("/openapi.json")
                            #expect(isRoute, "\(operation.key) \(path.key)")
                            #expect(operation.value["summary"]?.stringValue?.isEmpty == false)
                            let success = members(operation.value["responses"]).first
                            if answer.status.code < 300 {
                                #expect(success?.key == String(answer.status.code), "\(operation.key) \(path.key)")
                                let type =
                                    answer.headers[.contentType]?.split(separator: ";").first.map(String.init) ?? ""
                                #expect(
                                    members(success?.value["content"]).contains { $0.key == type },
                                    "\(path.key): \(type)")
                            }
                        }
                    }
                    #expect(seen > 20)
                }
            }
        }

        /// Every described field is taken with a value of its description, and no other field is.
        @Test func describedFieldsAreTaken() async throws {
            let fake = FakeSpeech()
            try await TortoiseServer.fake(fake).application().test(.router) { client async throws -> Void in
                let description = try await client.send("/openapi.json").json
                let schema = description["components"]?["schemas"]?["Speech"]
                #expect(schema?["additionalProperties"]?.boolValue == false)
                let fields = members(schema?["properties"])
                #expect(fields.count > 35)
                for field in fields {
                    let value = try sample(field.key, field.value)
                    var body: [JSONValue.Member] = [
                        .init(key: "candidates", value: 16), .init(key: "input", value: "a"),
                    ]
                    body.removeAll { $0.key == field.key }
                    body.append(.init(key: field.key, value: value))
                    for leader in items(schema?["dependentRequired"]?[field.key]) {
                        let name = try #require(leader.stringValue)
                        body.append(.init(key: name, value: try sample(name, schema?["properties"]?[name] ?? .null)))
                    }
                    if field.key == "voice" {
                        body.removeAll { $0.key == "voice" && $0.value.stringValue != value.stringValue }
                    }
                    let answer = try await client.post("/v1/audio/speech", JSONValue.object(body).serialized)
                    let missing = field.key != "input" && !body.contains { $0.key == "input" }
                    #expect(
                        answer.status.code < 300 || missing,
                        "\(field.key): \(String(decoding: answer.bytes, as: UTF8.self))")
                }
                let unknown = try await client.post("/v1/audio/speech", "{\"input\":\"a\",\"undescribed\":1}")
                #expect(try unknown.error.code == "unknown_field")
            }
        }

        private func sample(_ name: String, _ schema: JSONValue) throws -> JSONValue {
            switch name {
            case "input": return "words"
            case "voice": return "anna"
            case "model": return "small"
            case "loras": return [["id": "run/lora", "strength": 0.5]]
            case "typical_mass", "cvvp_amount": return 0.5
            case "min_ar_temp": return 0.2
            case "beam_width": return 1
            default: break
            }
            if let choice = items(schema["enum"]).first { return choice }
            switch schema["type"]?.stringValue {
            case "boolean": return false
            case "integer": return .integer(max(1, Int(schema["minimum"]?.doubleValue ?? 1)))
            case "number": return .number(max(1, schema["minimum"]?.doubleValue ?? 1))
            default: return "text"
            }
        }

        @Test func referencesLeadSomewhere() async throws {
            try await withTrainings { trainings in
                let server = try TortoiseServer.fake(monitor: trainings)
                let description = server.service.openAPI
                let text = description.serialized
                for match in text.matches(of: /"\$ref":"#\/components\/schemas\/([A-Za-z]+)"/) {
                    #expect(description["components"]?["schemas"]?[String(match.1)] != nil, "\(match.1)")
                }
                let names = members(description["paths"]).flatMap { members($0.value) }
                    .compactMap { $0.value["operationId"]?.stringValue }
                #expect(Set(names).count == names.count, "\(names)")
            }
        }

        @Test func aServerWithoutSpeechDescribesNone() async throws {
            try await withTrainings { trainings in
                let server = try TortoiseServer(ServerOptions(), monitor: trainings, isQuiet: true)
                try await server.application().test(.router) { client async throws -> Void in
                    let paths = members(try await client.send("/openapi.json").json["paths"]).map(\.key)
                    #expect(paths.contains("/v1/training") && !paths.contains("/v1/audio/speech"))
                    #expect(try await client.post("/v1/audio/speech", "{}").status == .notFound)
                    #expect(try await client.send("/health").json["speaks"]?.boolValue == false)
                }
            }
        }
    }
#endif
