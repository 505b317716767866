#if Server
    import Foundation
    import HTTPTypes
    import Hummingbird
    import HummingbirdCore
    import Logging
    import NIOCore
    import TortoiseCore

    /// What all routes share.
    final class Service: Sendable {
        let options: ServerOptions
        let metrics: ServerMetrics
        let board = JobBoard()
        /// Where speech is made; nil where the server only shows trainings.
        let engine: Worker<any SpeechSynthesizer>?
        /// Where everything else that takes time is done.
        let errands: Worker<Void>
        let catalog: (any SpeechCatalog)?
        let monitor: (any TrainingMonitor)?
        let uploads: UploadFolder?
        let logger: Logger

        init(
            _ options: ServerOptions, catalog: (any SpeechCatalog)?, monitor: (any TrainingMonitor)?,
            makeSynthesizer: (@Sendable () throws -> any SpeechSynthesizer)?, logger: Logger
        ) throws {
            let metrics = ServerMetrics()
            let log: @Sendable (String) -> Void = { logger.error("\($0)") }
            (self.options, self.metrics, self.logger) = (options, metrics, logger)
            (self.catalog, self.monitor) = (catalog, monitor)
            engine = makeSynthesizer.map { make in
                Worker(
                    "speech", capacity: options.queue, idle: options.idleSeconds, metrics: metrics, log: log,
                    make: make,
                    rest: { synthesizer in
                        synthesizer.unload()
                        logger.info("weights were let go of after \(Int(options.idleSeconds)) s without a request")
                    })
            }
            errands = Worker("errands", capacity: 8, metrics: metrics, log: log, make: {})
            uploads = catalog == nil ? nil : try UploadFolder()
        }

        /// Takes no more work; what is being made has the grace time.
        func stop() {
            engine?.stop(grace: options.graceSeconds)
            errands.stop(grace: 0)
        }

        /// - Throws: 404 where this server does not speak.
        func speaking() throws -> (engine: Worker<any SpeechSynthesizer>, catalog: any SpeechCatalog) {
            guard let engine, let catalog else {
                throw ServerError.notFound("this server shows a training and does not speak")
            }
            return (engine, catalog)
        }

        /// - Throws: 404 where there are no trainings.
        func training() throws -> any TrainingMonitor {
            guard let monitor else { throw ServerError.notFound("this server shows no trainings") }
            return monitor
        }

        /// Whose turn a request is: what a proxy says of it, else its address.
        func client(_ request: Request, _ context: ServerContext) -> String {
            let named = HTTPField.Name("X-Client").flatMap { request.headers[$0] }
            return "\(context.address) \(named?.prefix(64) ?? "")"
        }

        /// Reads a body that has to arrive in time; the request keeps it.
        ///
        /// - Throws: 413 for more bytes than the limit, 408 when it takes too long.
        func collect(_ request: inout Request, limit: Int) async throws -> [UInt8] {
            if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > limit {
                throw ServerError(
                    413, "the body has \(length) bytes; at most \(limit) are read", code: "body_too_large")
            }
            let body = request.body
            let seconds = options.arrivalSeconds
            let buffer = try await withThrowingTaskGroup(of: ByteBuffer.self) { group in
                group.addTask { try await body.collect(upTo: limit) }
                group.addTask {
                    try await Task.sleep(for: .seconds(seconds))
                    throw ServerError(408, "the body did not arrive within \(Int(seconds)) s", code: "too_slow")
                }
                defer { group.cancelAll() }
                return try await group.next() ?? ByteBuffer()
            }
            request.body = RequestBody(buffer: buffer)
            return Array(buffer.readableBytesView)
        }

        /// Does blocking work away from the server's own threads.
        func blocking<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws -> Result {
            try await withCheckedThrowingContinuation { continuation in
                DispatchQueue.global().async { continuation.resume(with: Swift.Result { try body() }) }
            }
        }

        /// A job in the queue, for who asks about it later.
        func accepted(_ job: Job) -> Response {
            var headers = HTTPFields()
            headers[.location] = "\(options.prefix)/v1/jobs/\(job.id)"
            return .json(job.json, status: 202, headers: headers)
        }
    }

    extension Request {
        /// A parameter of the address, decoded; nil when it is not there.
        func query(_ name: String) -> String? {
            uri.queryParameters[Substring(name)].flatMap {
                String($0).replacing("+", with: " ").removingPercentEncoding
            }
        }

        /// - Throws: 400 when the parameter is missing.
        func needed(_ name: String) throws -> String {
            guard let value = query(name), !value.isEmpty else {
                throw ServerError(400, "the parameter '\(name)' is missing", parameter: name)
            }
            return value
        }
    }
#endif
