#if Server
    import Hummingbird
    import NIOCore
    import Synchronization

    /// What is known of a request beside itself.
    struct ServerContext: RequestContext {
        var coreContext: CoreRequestContextStorage
        /// Whose turn it is: the client's address.
        let address: String
        private let channel: any Channel
        private let connectionEnd = ConnectionEnd()

        init(source: ApplicationRequestContextSource) {
            coreContext = CoreRequestContextStorage(source: source)
            channel = source.channel
            address = channel.remoteAddress?.ipAddress ?? "local"
        }

        /// Whether the connection can take no request after this one, which the client has to be told.
        var endsConnection: Bool { connectionEnd.isNear.load(ordering: .relaxed) }

        /// Says that something read on where the request ended, so that the next request would be lost.
        func endConnection() { connectionEnd.isNear.store(true, ordering: .relaxed) }

        /// Shared by the copies of a context that middleware and routes get.
        private final class ConnectionEnd: Sendable {
            let isNear = Atomic(false)
        }

        /// Sends a piece of an answer; a client that takes nothing for so long is cut off.
        func send(_ bytes: [UInt8], to writer: inout any ResponseBodyWriter, patience: Double) async throws {
            let channel = channel
            let watchdog = Task {
                try await Task.sleep(for: .seconds(patience))
                channel.close(promise: nil)
            }
            defer { watchdog.cancel() }
            try await writer.write(ByteBuffer(bytes: bytes))
        }
    }
#endif
