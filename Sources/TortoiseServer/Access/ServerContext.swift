#if Server
    import Hummingbird
    import NIOCore

    /// What is known of a request beside itself.
    struct ServerContext: RequestContext {
        var coreContext: CoreRequestContextStorage
        /// Whose turn it is: the client's address.
        let address: String
        private let channel: any Channel

        init(source: ApplicationRequestContextSource) {
            coreContext = CoreRequestContextStorage(source: source)
            channel = source.channel
            address = channel.remoteAddress?.ipAddress ?? "local"
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
