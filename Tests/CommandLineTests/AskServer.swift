#if Server
    import Foundation
    import Testing

    #if canImport(FoundationNetworking)
        import FoundationNetworking
    #endif

    extension RunningProgram {
        /// The address of the page that it serves, once it is said.
        func address() throws -> String {
            #expect(wait(for: "http://127.0.0.1:"), "the server did not start: \(said)")
            return String(try #require(said.firstMatch(of: /http:\/\/127\.0\.0\.1:[0-9]+/)).0)
        }
    }

    /// What a server answered.
    struct Answer {
        let status: Int
        let body: Data
        var text: String { String(decoding: body, as: UTF8.self) }
    }

    /// Asks a server and waits.
    func ask(_ method: String, _ address: String, _ body: Data? = nil, type: String = "application/json") throws
        -> Answer
    {
        var request = URLRequest(url: try #require(URL(string: address)), timeoutInterval: 60)
        request.httpMethod = method
        request.httpBody = body
        if body != nil { request.setValue(type, forHTTPHeaderField: "Content-Type") }
        let (done, box) = (DispatchSemaphore(value: 0), AnswerBox())
        URLSession.shared.dataTask(with: request) { data, response, error in
            if let http = response as? HTTPURLResponse {
                box.answer = Answer(status: http.statusCode, body: data ?? Data())
            } else {
                box.error = error
            }
            done.signal()
        }.resume()
        done.wait()
        if let error = box.error { throw error }
        return try #require(box.answer)
    }

    /// `@unchecked Sendable`: written before the semaphore is signalled, read after.
    private final class AnswerBox: @unchecked Sendable {
        var answer: Answer?
        var error: (any Error)?
    }
#endif
