#if Server
    import Foundation
    import Hummingbird
    import HummingbirdCore
    import Logging
    import NIOCore
    import ServiceLifecycle
    import UnixSignals
    public import TortoiseCore

    /// The web page and the API over a synthesizer, a training, or both.
    public struct TortoiseServer: Sendable {
        let service: Service

        /// - Parameters:
        ///   - catalog: What there is to speak with; nil for a server that only shows trainings.
        ///   - monitor: The trainings that are shown; nil for none.
        ///   - makeSynthesizer: Makes what speaks, on the engine's thread, when the first request comes.
        ///   - isQuiet: Whether only errors are logged.
        /// - Throws: `InputError` when the folder for uploads cannot be made.
        public init(
            _ options: ServerOptions, catalog: (any SpeechCatalog)? = nil, monitor: (any TrainingMonitor)? = nil,
            isQuiet: Bool = false, makeSynthesizer: (@Sendable () throws -> any SpeechSynthesizer)? = nil
        ) throws {
            var logger = Logger(label: "tortoise") { StreamLogHandler.standardError(label: $0) }
            logger.logLevel = isQuiet ? .error : .info
            service = try Service(
                options, catalog: catalog, monitor: monitor, makeSynthesizer: makeSynthesizer, logger: logger)
        }

        /// Serves until SIGTERM or SIGINT, then ends what is under way; blocks.
        ///
        /// - Parameter onListening: Hears the address of the page.
        /// - Throws: `InputError.usage` when the address cannot be listened at.
        public func run(onListening: @escaping @Sendable (String) -> Void = { _ in }) throws {
            try wait { try await serve([.sigterm, .sigint], onListening) }
        }

        /// Serves beside other work until the process ends; signals are left to others.
        public func start(
            onListening: @escaping @Sendable (String) -> Void = { _ in },
            onFailure: @escaping @Sendable (any Error) -> Void
        ) {
            Task {
                do {
                    try await serve([], onListening)
                } catch {
                    onFailure(error)
                }
            }
        }

        private func wait(for work: @escaping @Sendable () async throws -> Void) throws {
            let (done, outcome) = (DispatchSemaphore(value: 0), Outcome())
            Task {
                do { try await work() } catch { outcome.error = error }
                done.signal()
            }
            done.wait()
            if let error = outcome.error { throw error }
        }

        /// `@unchecked Sendable`: written before the semaphore is signalled, read after.
        private final class Outcome: @unchecked Sendable {
            var error: (any Error)?
        }

        func serve(_ signals: [UnixSignal], _ onListening: @escaping @Sendable (String) -> Void) async throws {
            let options = service.options
            var configuration = ServiceGroupConfiguration(
                services: [
                    .init(service: application(onListening)),
                    // The last is told to stop first: it ends what the application's connections wait for.
                    .init(service: Ending(service: service), successTerminationBehavior: .ignore),
                ], gracefulShutdownSignals: signals, logger: service.logger)
            configuration.maximumGracefulShutdownDuration = .seconds(options.graceSeconds + 10)
            do {
                try await ServiceGroup(configuration: configuration).run()
            } catch let error as IOError {
                throw InputError.usage(
                    "cannot listen at \(options.host):\(options.port): \(String(cString: strerror(error.errnoCode)))",
                    at: "--listen", try: "choose another port, or 0 for any")
            }
        }

        func application(_ onListening: @escaping @Sendable (String) -> Void = { _ in }) -> some ApplicationProtocol {
            let options = service.options
            var decoder = HTTP1Channel.Configuration.DecoderConfiguration()
            // Beyond these the connection is cut off; before, a request gets an answer that says what is wrong.
            (decoder.maxHeaderFieldSize, decoder.maxHeaderListSize, decoder.maxHeaderFieldCount) = (32_768, 65_536, 400)
            let prefix = options.prefix
            return Application(
                router: router(),
                server: .http1(
                    configuration: .init(
                        idleTimeout: .seconds(Int64(options.arrivalSeconds)), httpDecoderConfiguration: decoder)),
                configuration: ApplicationConfiguration(
                    address: .hostname(options.host, port: options.port), serverName: "tortoise",
                    availableConnectionsDelegate: .maximum(options.connections, logger: service.logger)),
                onServerRunning: { channel in
                    let host = options.host.contains(":") ? "[\(options.host)]" : options.host
                    onListening("http://\(host):\(channel.localAddress?.port ?? options.port)\(prefix)/")
                }, logger: service.logger)
        }

        private func router() -> Router<ServerContext> {
            let router = Router(context: ServerContext.self)
            let (options, service) = (service.options, service)
            let endpoints = Endpoint.all(service)
            var publicPaths = Set(endpoints.filter(\.isPublic).map { options.prefix + $0.path })
            publicPaths.insert(options.prefix)
            router.add(
                middleware: AccessMiddleware(
                    rules: AccessRules(options, machineName: ProcessInfo.processInfo.hostName),
                    metrics: service.metrics,
                    publicPaths: publicPaths))
            let group = router.group(RouterPath(options.prefix))
            for endpoint in endpoints {
                group.on(RouterPath(endpoint.pattern), method: endpoint.method) { request, context in
                    try await endpoint.respond(service, request, context)
                }
            }
            return router
        }
    }

    /// Ends the work when the server is asked to stop.
    private struct Ending: ServiceLifecycle.Service {
        let service: Service

        func run() async throws {
            try? await gracefulShutdown()
            service.stop()
        }
    }
#endif
