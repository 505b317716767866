import TortoiseCore

/// What a client is told when something cannot be done: OpenAI's form of an error, with the fitting status.
struct ServerError: Error, Sendable, Equatable {
    let status: Int
    let message: String
    /// The field at fault.
    var parameter: String?
    var code: String?
    /// Seconds after which it makes sense to ask again.
    var retryAfter: Int?

    init(_ status: Int, _ message: String, parameter: String? = nil, code: String? = nil, retryAfter: Int? = nil) {
        (self.status, self.message, self.parameter) = (status, message, parameter)
        (self.code, self.retryAfter) = (code, retryAfter)
    }

    /// The error of any failure; what is nobody's input is not described.
    init(_ error: any Error) {
        switch error {
        case let error as ServerError: self = error
        case let error as InputError:
            // A model that is missing or damaged is nothing that the client did.
            self.init(
                error.kind == .model ? 503 : 400, Self.message(of: error), parameter: Self.parameter(of: error),
                code: error.kind == .model ? "model_unavailable" : nil)
        case is CancellationError: self.init(499, "the request was cancelled", code: "cancelled")
        default: self.init(500, "something went wrong here; the server's log says more")
        }
    }

    /// The field that an error's place is the flag of: "--top-k" is "top_k".
    private static func parameter(of error: InputError) -> String? {
        guard let place = error.place, place.count <= 80, place != "body" else { return nil }
        if place.hasPrefix("--") { return String(place.dropFirst(2)).replacing("-", with: "_") }
        return place.allSatisfy { $0.isLetter || $0 == "_" } ? place : nil
    }

    private static func message(of error: InputError) -> String {
        guard let parameter = parameter(of: error) else { return "\(error)" }
        return "\(InputError(error.kind, error.problem, at: parameter, try: error.remedy))".replacing("--", with: "")
    }

    private var type: String {
        switch status {
        case 401: "authentication_error"
        case 403: "permission_error"
        case 404: "not_found_error"
        case 429: "rate_limit_error"
        case 500...: "server_error"
        default: "invalid_request_error"
        }
    }

    var json: JSONValue {
        [
            "error": [
                "message": .string(message), "type": .string(type), "param": JSONValue(parameter),
                "code": JSONValue(code),
            ]
        ]
    }

    /// For what is not there.
    static func notFound(_ what: String) -> ServerError { ServerError(404, what, code: "not_found") }
}
