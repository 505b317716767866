import Foundation

/// A small HTTP server that behaves as its path says: `/plain/…`, `/cut/…`, `/lie/…`, `/stall/…`, `/whole/…`, `/missing/…`.
///
/// `@unchecked Sendable`: what changes is behind the lock.
final class UnreliableServer: @unchecked Sendable {
    let port: Int
    private let listener: Int32
    private let lock = NSLock()
    private var body: [UInt8]
    private var stalls = 0
    private var received: [String] = []

    /// What was asked so far, as it came.
    var requests: [String] { lock.withLock { received } }

    init(serving body: [UInt8]) {
        self.body = body
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        self.listener = listener
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(INADDR_LOOPBACK).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        port = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                bind(listener, generic, length)
                listen(listener, 16)
                getsockname(listener, generic, &length)
            }
            return Int(UInt16(bigEndian: pointer.pointee.sin_port))
        }
        let thread = Thread { [self] in
            while true {
                let connection = accept(listener, nil, nil)
                guard connection >= 0 else { return }
                Thread.detachNewThread { self.answer(connection) }
            }
        }
        thread.start()
    }

    func serve(_ body: [UInt8]) { lock.withLock { self.body = body } }
    func stop() { shutdown(listener, Int32(SHUT_RDWR)) }

    private func answer(_ connection: Int32) {
        defer { close(connection) }
        var buffer = [UInt8](repeating: 0, count: 8_192)
        let count = read(connection, &buffer, buffer.count)
        guard count > 0 else { return }
        let request = String(decoding: buffer[..<count], as: UTF8.self)
        let body = lock.withLock { () -> [UInt8] in
            received.append(request)
            return self.body
        }
        let mode = request.split(separator: "/").dropFirst().first.map(String.init) ?? ""
        let wanted = request.lowercased().split(separator: "\r\n").first { $0.hasPrefix("range: bytes=") }
        let start = wanted.flatMap { Int($0.dropFirst(13).prefix { $0 != "-" }) } ?? 0
        guard mode != "missing" else {
            return send(connection, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", [])
        }
        guard start < body.count || mode == "whole" else {
            return send(connection, "HTTP/1.1 416 Range Not Satisfiable\r\nContent-Length: 0\r\n\r\n", [])
        }
        let isPartial = start > 0 && mode != "whole"
        let rest = Array(isPartial ? body[start...] : body[...])
        var head = "HTTP/1.1 \(isPartial ? "206 Partial Content" : "200 OK")\r\nConnection: close\r\n"
        head += "Content-Length: \(rest.count + (mode == "lie" ? 100 : 0))\r\n"
        if isPartial { head += "Content-Range: bytes \(start)-\(body.count - 1)/\(body.count)\r\n" }
        switch mode {
        case "cut": send(connection, head + "\r\n", Array(rest.prefix(max(1, rest.count / 2))))
        case "stall":
            let isFirst = lock.withLock { () -> Bool in
                stalls += 1
                return stalls == 1
            }
            send(connection, head + "\r\n", isFirst ? Array(rest.prefix(1_000)) : rest)
            if isFirst { sleep(4) }
        default: send(connection, head + "\r\n", rest)
        }
    }

    private func send(_ connection: Int32, _ head: String, _ bytes: [UInt8]) {
        let all = Array(head.utf8) + bytes
        var done = 0
        while done < all.count {
            let count = all.withUnsafeBytes {
                Glibc.send(connection, $0.baseAddress.map { $0 + done }, all.count - done, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return }
            done += count
        }
    }
}
