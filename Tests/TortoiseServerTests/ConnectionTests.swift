#if Server
    import Foundation
    import Hummingbird
    import HummingbirdTesting
    import Synchronization
    import Testing
    import TortoiseCore

    @testable import TortoiseServer

    /// What only a real connection shows: clients that go away, that are slow, and that speak no HTTP.
    @Suite struct ConnectionTests {
        /// Runs a server while a body talks to it.
        private func serving(
            _ fake: FakeSpeech = FakeSpeech(), _ change: @escaping @Sendable (inout ServerOptions) -> Void = { _ in },
            _ body: @escaping @Sendable (Int, TortoiseServer) async throws -> Void
        ) async throws {
            let server = try TortoiseServer.fake(fake) { change(&$0) }
            let (addresses, listening) = AsyncStream<String>.makeStream()
            let serving = Task { try await server.serve([]) { listening.yield($0) } }
            defer { serving.cancel() }
            let address = try #require(await addresses.first { _ in true })
            let port = try #require(address.split(separator: ":").last.flatMap { Int($0.dropLast()) })
            try await body(port, server)
            server.service.stop()
            serving.cancel()
            try? await serving.value
        }

        private static let slow = "{\"input\":\"a\",\"voice\":\"anna\",\"response_format\":\"pcm\"}"

        @Test func speechEndsWhenItsClientIsGone() async throws {
            let fake = FakeSpeech(steps: 200_000, seconds: 0.005)
            try await serving(fake) { port, server in
                for body in [
                    Self.slow, Self.slow.replacing("}", with: ",\"stream\":true}"),
                    Self.slow.replacing("}", with: ",\"stream_format\":\"sse\"}"),
                ] {
                    let before = fake.seen
                    let connection = try Connection(port: port)
                    connection.ask(body)
                    #expect(await fake.wait { $0.steps > before.steps + 3 })
                    connection.close()
                    #expect(await fake.wait { $0.cancelled == before.cancelled + 1 }, "\(body)")
                }
                // One that waits is dropped as well.
                let first = try Connection(port: port), second = try Connection(port: port)
                first.ask(Self.slow)
                #expect(await fake.wait { $0.spoken.count == 4 })
                second.ask(Self.slow)
                while server.service.engine?.load.waiting != 1 { try await Task.sleep(for: .milliseconds(2)) }
                second.close()
                while server.service.engine?.load.waiting != 0 { try await Task.sleep(for: .milliseconds(2)) }
                first.close()
                #expect(await fake.wait { $0.cancelled == 4 })
                #expect(fake.seen.spoken.count == 4)
            }
        }

        /// Who waits for the engine is watched, which reads on behind the request: another one on the connection would be lost.
        @Test func connectionsThatEndSaySo() async throws {
            try await serving { port, _ in
                func head(_ path: String, _ body: String) async throws -> String {
                    let connection = try Connection(port: port)
                    connection.ask(body, path: path)
                    let answer = await connection.readAll()
                    return String(answer.prefix { $0 != "{" }).lowercased()
                }
                for (path, body, status) in [
                    ("/v1/voices", "{\"name\":\"both\",\"mix\":\"anna+bob\"}", "201"),
                    ("/v1/audio/speech", Self.slow, "200"),
                    ("/v1/audio/speech", Self.slow.replacing("\"a\"", with: "\"crash\""), "500"),
                    ("/v1/audio/speech", Self.slow.replacing("}", with: ",\"stream\":true}"), "200"),
                ] {
                    let answer = try await head(path, body)
                    #expect(
                        answer.hasPrefix("http/1.1 \(status)") && answer.contains("connection: close"),
                        "\(answer.prefix(400))")
                }
            }
        }

        @Test func soundArrivesBeforeTheLastIsMade() async throws {
            let fake = FakeSpeech(steps: 10, heldBefore: 5)
            try await serving(fake) { port, _ in
                defer { fake.release() }
                let connection = try Connection(port: port)
                connection.ask(Self.slow.replacing("}", with: ",\"stream\":true}"))
                var bytes = 0
                while bytes < 2_000 {
                    let next = await connection.read()
                    try #require(!next.isEmpty)
                    bytes += next.count
                }
                #expect(fake.seen.steps <= 5)
                fake.release()
                #expect(await connection.readAll().utf8.count > 0)
                #expect(fake.seen.steps == 10)
            }
        }

        @Test func slowClientsAreSentAway() async throws {
            try await serving(FakeSpeech(), { $0.arrivalSeconds = 1 }) { port, _ in
                let body = try Connection(port: port)
                body.write(
                    "POST /v1/audio/speech HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
                )
                let drip = Task.detached {
                    for _ in 0..<20 {
                        body.write(" ")
                        try await Task.sleep(for: .milliseconds(100))
                    }
                }
                #expect(await body.readAll().hasPrefix("HTTP/1.1 408"))
                drip.cancel()
                let silent = try Connection(port: port)
                silent.write("GET /health HTTP/1.1\r\nHost: local")
                #expect(await silent.readAll().isEmpty)
            }
        }

        @Test func whoTakesNothingIsCutOff() async throws {
            // More than sockets hold.
            try await serving(FakeSpeech(steps: 8_000), { $0.arrivalSeconds = 1 }) { port, _ in
                let connection = try Connection(port: port)
                connection.ask(Self.slow.replacing("}", with: ",\"stream\":true}"))
                try await Task.sleep(for: .seconds(4))
                let answer = await connection.readAll()
                #expect(answer.hasPrefix("HTTP/1.1 200") && !answer.hasSuffix("\r\n0\r\n\r\n"))
            }
        }

        @Test func floodsAndNonsenseAreRefused() async throws {
            try await serving { port, _ in
                let headers = (0..<120).map { "X-\($0): a\r\n" }.joined()
                for (request, status) in [
                    ("GET /health HTTP/1.1\r\nHost: localhost\r\n\(headers)Connection: close\r\n\r\n", "431"),
                    (
                        "GET /health HTTP/1.1\r\nHost: localhost\r\nX: \(String(repeating: "a", count: 20_000))\r\nConnection: close\r\n\r\n",
                        "431"
                    ),
                    (
                        "GET /health HTTP/1.1\r\nHost: localhost\r\nX: \(String(repeating: "a", count: 200_000))\r\n\r\n",
                        "400"
                    ),
                    ("nonsense\r\n\r\n", "400"), ("GET / HTTP/9.9\r\n\r\n", "400"),
                    ("GET /health HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n", "421"),
                    ("GET /../../etc/passwd HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", "404"),
                    ("GET /v1/jobs/%2e%2e%2fx HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", "404"),
                    (
                        "POST /v1/audio/speech HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 99999999\r\nConnection: close\r\n\r\n",
                        "413"
                    ),
                ] {
                    let connection = try Connection(port: port)
                    connection.write(request)
                    let answer = String(decoding: await connection.read(), as: UTF8.self)
                    #expect(answer.hasPrefix("HTTP/1.1 \(status)"), "\(request.prefix(60)): \(answer.prefix(200))")
                }
                let connection = try Connection(port: port)
                connection.write("GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                #expect(await connection.readAll().contains("\"status\":\"ok\""))
            }
        }

        @Test func aFullQueueTurnsAway() async throws {
            let fake = FakeSpeech(steps: 200_000, seconds: 0.005)
            try await serving(fake, { $0.queue = 1 }) { port, server in
                let held = try (0..<2).map { _ in try Connection(port: port) }
                held[0].ask(Self.slow)
                #expect(await fake.wait { $0.spoken.count == 1 })
                held[1].ask(Self.slow)
                while server.service.engine?.load.waiting != 1 { try await Task.sleep(for: .milliseconds(2)) }
                let third = try Connection(port: port)
                third.ask(Self.slow)
                let answer = String(decoding: await third.read(), as: UTF8.self)
                #expect(answer.hasPrefix("HTTP/1.1 429") && answer.lowercased().contains("retry-after: "), "\(answer)")
                for connection in held { connection.close() }
                #expect(await fake.wait { $0.cancelled == 1 })
            }
        }
    }
#endif
