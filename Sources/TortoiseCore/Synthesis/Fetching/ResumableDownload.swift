import Foundation

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// A transfer over HTTP(S) into a `.part` file, which goes on where an earlier one stopped.
struct ResumableDownload {
    let address: String
    let part: String
    /// Seconds without a byte after which a transfer is tried again.
    var patience = 30.0

    /// What arrived.
    struct Result {
        let bytes: Int
        /// Publishers that store files by content name their SHA-256 in a header.
        let announcedSHA256: String?
    }

    private static let attempts = 5
    private static let reserve = 64 << 20

    /// Transfers everything; what fails is tried again from where it stopped.
    ///
    /// - Throws: `InputError.model` when it keeps failing without getting further, or what `progress` throws.
    func run(_ progress: (_ done: Int, _ total: Int) throws -> Void) throws -> Result {
        guard let url = URL(string: address), ["http", "https"].contains(url.scheme) else {
            throw InputError.usage("expected an http or https address, found '\(address.prefix(120))'")
        }
        var failures = 0
        var lastError = ""
        var furthest = size
        while failures < Self.attempts {
            let transfer = Transfer(url, part: part, offset: size, patience: patience)
            defer { transfer.cancel() }
            switch try transfer.run(progress, checkSpace: checkSpace) {
            case .complete(let result): return result
            case .refused(let reason):
                throw InputError.model(reason, at: address, try: "check the address, or name a mirror")
            case .failed(let reason):
                lastError = reason
                // Going on is no failure as long as it gets further than ever before.
                failures = size > furthest ? 0 : failures + 1
                furthest = max(furthest, size)
                if failures > 0, failures < Self.attempts { usleep(useconds_t(200_000 << failures)) }
            }
        }
        throw InputError.model(
            "the transfer fails: \(lastError)", at: address,
            try: "the same command goes on where it stopped (\(size) bytes are there)")
    }

    private var size: Int {
        var status = stat()
        return stat(part, &status) == 0 ? Int(status.st_size) : 0
    }

    private func checkSpace(_ bytes: Int) throws {
        var status = statvfs()
        let folder = FilePath.folder(of: part)
        guard statvfs(folder.isEmpty ? "." : folder, &status) == 0 else { return }
        let free = Int(status.f_bavail) * Int(status.f_frsize)
        guard free >= bytes + Self.reserve else {
            throw InputError.model(
                "needs \(bytes >> 20) MB, and \(free >> 20) MB are free", at: part, try: "free some disk space")
        }
    }
}

/// One request, whose bytes are appended to the file as they come.
///
/// `@unchecked Sendable`: everything mutable is behind the condition.
private final class Transfer: NSObject, URLSessionDataDelegate, @unchecked Sendable {
    enum Outcome {
        case complete(ResumableDownload.Result)
        /// Trying again makes sense.
        case failed(String)
        case refused(String)
    }

    private let condition = NSCondition()
    private let part: String
    private let offset: Int
    private let request: URLRequest
    private var session: URLSession?
    private var file: FileHandle?
    private var received = 0
    private var total: Int?
    private var announcedSHA256: String?
    /// What the first server said before it sent us on: Hugging Face knows the sum, the store behind it does not.
    private var redirectedSHA256: String?
    private var outcome: Outcome?

    init(_ url: URL, part: String, offset: Int, patience: Double) {
        (self.part, self.offset) = (part, offset)
        var request = URLRequest(url: url, cachePolicy: .reloadIgnoringLocalCacheData, timeoutInterval: patience)
        if offset > 0 { request.setValue("bytes=\(offset)-", forHTTPHeaderField: "Range") }
        request.setValue("identity", forHTTPHeaderField: "Accept-Encoding")
        self.request = request
    }

    func cancel() { session?.invalidateAndCancel() }

    func run(_ progress: (Int, Int) throws -> Void, checkSpace: (Int) throws -> Void) throws -> Outcome {
        let session = URLSession(configuration: .ephemeral, delegate: self, delegateQueue: nil)
        self.session = session
        session.dataTask(with: request).resume()
        var isChecked = false
        while true {
            condition.lock()
            if outcome == nil { _ = condition.wait(until: Date(timeIntervalSinceNow: 0.2)) }
            let (now, done, whole) = (outcome, received, total)
            condition.unlock()
            if let whole {
                if !isChecked { try checkSpace(whole - done) }
                isChecked = true
                try progress(done, whole)
            }
            if let now { return now }
        }
    }

    private func end(_ outcome: Outcome) {
        condition.withLock {
            if self.outcome == nil { self.outcome = outcome }
            condition.signal()
        }
    }

    func urlSession(
        _ session: URLSession, dataTask: URLSessionDataTask, didReceive response: URLResponse,
        completionHandler: @escaping (URLSession.ResponseDisposition) -> Void
    ) {
        guard let http = response as? HTTPURLResponse, begin(http) else { return completionHandler(.cancel) }
        completionHandler(.allow)
    }

    func urlSession(
        _ session: URLSession, task: URLSessionTask, willPerformHTTPRedirection response: HTTPURLResponse,
        newRequest request: URLRequest, completionHandler: @escaping (URLRequest?) -> Void
    ) {
        condition.withLock {
            redirectedSHA256 = redirectedSHA256 ?? Self.digest("X-Linked-ETag", of: response)
        }
        completionHandler(request)
    }

    /// The SHA-256 in a header, if it is one.
    private static func digest(_ header: String, of response: HTTPURLResponse) -> String? {
        let tag = (response.value(forHTTPHeaderField: header) ?? "").trimmingCharacters(
            in: CharacterSet(charactersIn: "\""))
        return tag.count == 64 && tag.allSatisfy(\.isHexDigit) ? tag.lowercased() : nil
    }

    /// Opens the file at the right place; false when this answer cannot be used.
    private func begin(_ http: HTTPURLResponse) -> Bool {
        let length = http.value(forHTTPHeaderField: "Content-Length").flatMap { Int($0) }
        let digest =
            redirectedSHA256 ?? Self.digest("X-Linked-ETag", of: http) ?? Self.digest("ETag", of: http)
        var start = 0
        switch http.statusCode {
        case 200: start = 0
        case 206:
            // "bytes 100-199/200"
            let range = http.value(forHTTPHeaderField: "Content-Range") ?? ""
            guard range.hasPrefix("bytes \(offset)-") else {
                end(.failed("the server sent another part than was asked for: \(range)"))
                return false
            }
            start = offset
        case 416:
            // What is there is no beginning of the file, or all of it: begin anew to be sure.
            unlink(part)
            end(.failed("the server has no more than what is there"))
            return false
        case 404, 401, 403, 410:
            end(.refused("the server answers \(http.statusCode)"))
            return false
        default:
            end(.failed("the server answers \(http.statusCode)"))
            return false
        }
        let descriptor = open(part, O_WRONLY | O_CREAT | O_CLOEXEC | (start == 0 ? O_TRUNC : 0), 0o644)
        guard descriptor >= 0 else {
            end(.refused("\(part) cannot be written: \(String(cString: strerror(errno)))"))
            return false
        }
        lseek(descriptor, off_t(start), SEEK_SET)
        condition.withLock {
            file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
            received = start
            total = length.map { start + $0 }
            announcedSHA256 = digest
        }
        return true
    }

    func urlSession(_ session: URLSession, dataTask: URLSessionDataTask, didReceive data: Data) {
        do {
            try file?.write(contentsOf: data)
            condition.withLock { received += data.count }
        } catch {
            end(.refused("\(part) cannot be written: \(error.localizedDescription)"))
            dataTask.cancel()
        }
    }

    func urlSession(_ session: URLSession, task: URLSessionTask, didCompleteWithError error: (any Error)?) {
        try? file?.synchronize()
        if let error { return end(.failed(error.localizedDescription)) }
        let (done, whole, digest) = condition.withLock { (received, total, announcedSHA256) }
        guard whole == nil || done == whole else {
            return end(.failed("the connection ended after \(done) of \(whole ?? 0) bytes"))
        }
        end(.complete(.init(bytes: done, announcedSHA256: digest)))
    }
}
