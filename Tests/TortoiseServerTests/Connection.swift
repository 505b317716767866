import Foundation
import Testing

/// A connection that says exactly what a test wants it to, well-formed or not.
///
/// `@unchecked Sendable`: a test writes on one thread while it reads on another, which sockets allow.
final class Connection: @unchecked Sendable {
    private let descriptor: Int32

    init(port: Int) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        try #require(descriptor >= 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        try #require(result == 0)
        var limit = timeval(tv_sec: 10, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit { close() }

    private var isOpen = true

    func close() {
        if isOpen { Foundation.close(descriptor) }
        isOpen = false
    }

    func write(_ text: String) {
        let bytes = Array(text.utf8)
        _ = Foundation.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
    }

    /// A request with a body in JSON, for speech unless a path is given.
    func ask(_ json: String, path: String = "/v1/audio/speech") {
        write(
            "POST \(path) HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                + "Content-Length: \(json.utf8.count)\r\n\r\n\(json)")
    }

    /// Bytes that arrive next; empty at the end, or when nothing comes for ten seconds.
    ///
    /// Waited for on a thread of its own: the server that is tested shares this process's few threads for tasks.
    func read() async -> [UInt8] {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread { continuation.resume(returning: self.receive()) }
        }
    }

    private func receive() -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = Foundation.recv(descriptor, &buffer, buffer.count, 0)
        return count > 0 ? Array(buffer[..<count]) : []
    }

    /// Everything until the other side has nothing more to say.
    func readAll() async -> String {
        var all: [UInt8] = []
        while true {
            let next = await read()
            guard !next.isEmpty else { return String(decoding: all, as: UTF8.self) }
            all += next
        }
    }
}
