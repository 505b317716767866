import TortoiseCore

/// What strangers send, read and checked as the server does it, and then thrown away: for the fuzzer.
package enum UntrustedBodies {
    /// Reads the body of a request for speech.
    ///
    /// - Throws: `InputError` for what a client would be told to mend; anything else is a fault of the server.
    package static func readSpeech(_ bytes: [UInt8]) throws {
        try reading { _ = try SpeechBody(bytes, voices: ["anna", "heart"], textLimit: 4_000) }
    }

    /// Reads a form with recordings, whose boundary is `limit`.
    ///
    /// - Throws: As `readSpeech` does.
    package static func readForm(_ bytes: [UInt8]) throws {
        try reading {
            let form = try MultipartForm(bytes, contentType: "multipart/form-data; boundary=limit")
            _ = try form.text("name")
            for file in form.files { _ = (file.fileName?.count, file.content.count) }
        }
    }

    private static func reading(_ body: () throws -> Void) throws {
        do {
            try body()
        } catch {
            let told = ServerError(error)
            guard (400..<500).contains(told.status) else { throw error }
            throw InputError.usage(told.message, at: told.parameter ?? "body")
        }
    }
}
