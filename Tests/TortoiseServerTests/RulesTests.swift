import Foundation
import Testing
import TortoiseCore

@testable import TortoiseServer

@Suite struct AccessRulesTests {
    private func rules(_ change: (inout ServerOptions) -> Void = { _ in }) -> AccessRules {
        var options = ServerOptions()
        change(&options)
        return AccessRules(options, machineName: "box")
    }

    private func status(
        _ rules: AccessRules, host: String? = "localhost:7860", origin: String? = nil, site: String? = nil,
        authorization: String? = nil, changes: Bool = true, isPublic: Bool = false
    ) -> Int {
        do {
            try rules.check(
                .init(
                    host: host, origin: origin, fetchSite: site, authorization: authorization, changes: changes,
                    isPublic: isPublic))
            return 200
        } catch {
            return ServerError(error).status
        }
    }

    @Test(arguments: ["localhost", "127.0.0.1:7860", "[::1]:7860", "10.1.2.3", "box", "BOX:80"])
    func ownNamesAndAddressesAreFine(host: String) { #expect(status(rules(), host: host) == 200) }

    @Test(arguments: [
        "evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "1.2.3", "1.2.3.4.5", "[zz]", "256.1.1.1",
    ])
    func otherNamesAreNot(host: String) { #expect(status(rules(), host: host) == 421) }

    @Test func aNameCanBeAllowed() {
        #expect(status(rules { $0.hostNames = ["speech.example"] }, host: "speech.example") == 200)
        #expect(status(rules(), host: nil) == 400)
        #expect(status(rules(), host: "") == 400)
    }

    @Test func pagesOfOthersMayNotAsk() {
        #expect(status(rules(), origin: "http://localhost:7860") == 200)
        #expect(status(rules(), origin: "https://localhost:7860") == 200)
        for origin in ["http://localhost:1", "http://evil.example", "null", ""] {
            #expect(status(rules(), origin: origin) == 403, "\(origin)")
        }
        #expect(status(rules { $0.origins = ["https://app.example"] }, origin: "https://app.example") == 200)
        #expect(status(rules(), site: "cross-site") == 403)
        #expect(status(rules(), site: "cross-site", changes: false) == 200)
        #expect(status(rules(), site: "same-origin") == 200)
    }

    @Test func aTokenIsAskedFor() {
        let rules = rules { $0.token = "secret-token" }
        #expect(status(rules, authorization: "Bearer secret-token") == 200)
        #expect(status(rules, authorization: "bearer secret-token") == 200)
        for wrong in [
            nil, "", "Bearer", "Bearer secret-tokem", "Bearer secret-token2", "Bearer secret", "Basic secret-token",
        ] {
            #expect(status(rules, authorization: wrong) == 401, "\(wrong ?? "none")")
        }
        #expect(status(rules, isPublic: true) == 200)
    }
}

@Suite struct ServerOptionsTests {
    @Test(arguments: [
        ("127.0.0.1:80", "127.0.0.1", 80, ""), (":9000", "127.0.0.1", 9000, ""), ("0.0.0.0", "0.0.0.0", 7860, ""),
        ("localhost:1/tts/", "localhost", 1, "/tts"), ("/a/b", "127.0.0.1", 7860, "/a/b"), ("[::]:5", "::", 5, ""),
    ])
    func addresses(text: String, host: String, port: Int, prefix: String) throws {
        var options = ServerOptions()
        try options.listen(at: text)
        #expect(options.host == host && options.port == port && options.prefix == prefix)
    }

    @Test(arguments: ["a:b", "a:70000", "a:-1", "[::1", "a:1/<script>", "[::1]x"])
    func noAddresses(text: String) {
        var options = ServerOptions()
        #expect(throws: InputError.self) { try options.listen(at: text) }
    }

    @Test func strangersNeedAToken() throws {
        var options = ServerOptions()
        try options.checkAccess(isOpen: false)
        options.host = "0.0.0.0"
        #expect(throws: InputError.self) { try options.checkAccess(isOpen: false) }
        try options.checkAccess(isOpen: true)
        options.token = "long enough"
        #expect(throws: InputError.self) { try options.checkAccess(isOpen: false) }
        options.token = "long-enough"
        try options.checkAccess(isOpen: false)
        options.token = "short"
        #expect(throws: InputError.self) { try options.checkAccess(isOpen: false) }
    }
}

@Suite struct MultipartFormTests {
    private func form(_ text: String, type: String = TestForm.type) throws -> MultipartForm {
        try MultipartForm(Array(text.utf8), contentType: type)
    }

    @Test func fieldsAndFilesAreTold() throws {
        let form = try MultipartForm(
            TestForm.body(name: "anna", files: [("a.wav", [1, 2, 13, 10, 3]), ("b.wav", [])]),
            contentType: TestForm.type)
        #expect(try form.text("name") == "anna")
        #expect(try form.text("other") == nil)
        #expect(form.files.map(\.fileName) == ["a.wav", "b.wav"])
        #expect(form.files.map { Array($0.content) } == [[1, 2, 13, 10, 3], []])
    }

    @Test(arguments: [
        ("../../etc/passwd", "passwd"), ("C:\\x\\y.wav", "y.wav"), ("/", "recording"), ("", "recording"),
        ("a\u{0}b\u{7}.wav", "ab.wav"), ("..", ".."),
        (String(repeating: "x", count: 500), String(repeating: "x", count: 80)),
    ])
    func fileNamesAreForReadingOnly(given: String, shown: String) {
        #expect(MultipartForm.displayName(given) == shown)
    }

    @Test(arguments: [
        "", "--xyzzy", "--xyzzy\r\n", "--xyzzy\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nx",
        "--xyzzy\r\n\r\nx\r\n--xyzzy--", "--other\r\n\r\n", "--xyzzy\r\nX: y\r\n\r\nx\r\n--xyzzy--",
        "--xyzzy\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nx\r\n--xyzzy",
        "--xyzzyContent-Disposition: form-data; name=\"a\"\r\n\r\nx\r\n--xyzzy--",
    ])
    func whatIsNoFormIsRefused(text: String) {
        let error = #expect(throws: ServerError.self) { try self.form(text) }
        #expect(error?.status == 400)
    }

    @Test func headersOfPartsAreLimited() {
        let long =
            "--xyzzy\r\nContent-Disposition: form-data; name=\"\(String(repeating: "n", count: 9_000))\"\r\n\r\nx\r\n--xyzzy--"
        #expect(throws: ServerError.self) { try self.form(long) }
        let many =
            String(repeating: "--xyzzy\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nx\r\n", count: 70)
            + "--xyzzy--"
        #expect(throws: ServerError.self) { try self.form(many) }
    }

    @Test(arguments: [
        "text/plain", "multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=\u{e9}",
    ])
    func otherTypesAreRefused(type: String) { #expect(throws: ServerError.self) { try self.form("x", type: type) } }

    /// Cut and changed anywhere, a form is read or refused.
    @Test func nothingTraps() throws {
        let whole = TestForm.body(name: "anna", files: [("a.wav", Array(0..<50))])
        for length in 0..<whole.count { _ = try? MultipartForm(Array(whole[..<length]), contentType: TestForm.type) }
        for index in whole.indices {
            for byte in [UInt8(0), 10, 13, 34, 45, 255] {
                var changed = whole
                changed[index] = byte
                _ = try? MultipartForm(changed, contentType: TestForm.type)
            }
        }
    }
}
