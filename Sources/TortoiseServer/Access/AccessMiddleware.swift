#if Server
    import Foundation
    import HTTPTypes
    import Hummingbird
    import Logging
    import NIOCore
    import TortoiseCore

    /// Stands before every route: counts and logs the request, turns away who may not ask, and gives errors one form.
    struct AccessMiddleware: RouterMiddleware {
        typealias Context = ServerContext

        let rules: AccessRules
        let metrics: ServerMetrics
        /// Paths that anybody may see: they hold no secrets.
        let publicPaths: Set<String>

        func handle(
            _ request: Request, context: Context, next: (Request, Context) async throws -> Response
        ) async throws -> Response {
            let start = ContinuousClock.now
            var response: Response
            do {
                try check(request)
                response = request.method == .options ? Self.preflight : try await next(request, context)
            } catch {
                response = Self.response(of: error, context)
            }
            if let origin = request.headers[.origin], rules.isAllowed(origin: origin) {
                response.headers[.accessControlAllowOrigin] = origin
                response.headers[.vary] = "Origin"
            }
            for (name, value) in Self.safety where response.headers[name] == nil { response.headers[name] = value }
            if context.endsConnection { response.headers[.connection] = "close" }
            let route = context.endpointPath ?? "none"
            metrics.countRequest(request.method.rawValue, route, status: response.status.code)
            let seconds = start.duration(to: .now).seconds
            // The route, not the path or a header: they may hold what nobody should read in a log.
            context.logger.info(
                "\(request.method.rawValue) \(route) \(response.status.code) \(Int(seconds * 1_000)) ms \(context.address)"
            )
            return response
        }

        /// What a browser asks before it lets a page of an allowed origin send a request.
        private static var preflight: Response {
            var headers = HTTPFields()
            headers[.accessControlAllowMethods] = "GET, POST, DELETE"
            headers[.accessControlAllowHeaders] = "Authorization, Content-Type"
            headers[.accessControlMaxAge] = "600"
            return Response(status: .noContent, headers: headers)
        }

        /// What browsers are told to keep to.
        private static let safety: [(HTTPField.Name, String)] = [
            (.xContentTypeOptions, "nosniff"), (.cacheControl, "no-store"),
            (HTTPField.Name("Referrer-Policy") ?? .via, "no-referrer"),
            (HTTPField.Name("X-Frame-Options") ?? .via, "DENY"),
            (HTTPField.Name("Cross-Origin-Resource-Policy") ?? .via, "same-origin"),
        ]

        private func check(_ request: Request) throws {
            let headers = request.headers
            let bytes = headers.reduce(0) { $0 + $1.name.rawName.utf8.count + $1.value.utf8.count }
            guard headers.count <= AccessRules.mostHeaders, bytes <= AccessRules.mostHeaderBytes else {
                throw ServerError(
                    431, "at most \(AccessRules.mostHeaders) headers of \(AccessRules.mostHeaderBytes) bytes are read")
            }
            guard (request.head.path ?? "").utf8.count <= AccessRules.mostPathBytes else {
                throw ServerError(414, "the address has more than \(AccessRules.mostPathBytes) bytes")
            }
            let path = request.uri.path
            try rules.check(
                AccessRules.Asking(
                    host: request.head.authority, origin: headers[.origin],
                    fetchSite: HTTPField.Name("Sec-Fetch-Site").flatMap { headers[$0] },
                    authorization: headers[.authorization],
                    changes: ![.get, .head, .options].contains(request.method),
                    // A browser sends no token with the question whether it may send one.
                    isPublic: request.method == .options || (publicPaths.contains(path) && request.method == .get)))
        }

        private static func response(of error: any Error, _ context: Context) -> Response {
            let described: ServerError
            switch error {
            case let error as HTTPError: described = plain(error.status.code, error.body)
            case let error as any HTTPResponseError: described = plain(error.status.code, nil)
            default:
                described = ServerError(error)
                if described.status == 500 { context.logger.error("\(error)") }
            }
            var headers = HTTPFields()
            if let seconds = described.retryAfter { headers[.retryAfter] = String(seconds) }
            if described.status == 401 { headers[.wwwAuthenticate] = "Bearer" }
            return .json(described.json, status: described.status, headers: headers)
        }

        /// What Hummingbird says, in our form.
        private static func plain(_ status: Int, _ text: String?) -> ServerError {
            switch status {
            case 404: .notFound("there is nothing at this address; /openapi.json describes what there is")
            case 413: ServerError(413, "the body is larger than this server reads", code: "body_too_large")
            default: ServerError(status, text ?? "the request cannot be answered")
            }
        }
    }

    extension Response {
        /// An answer in JSON.
        static func json(_ value: JSONValue, status: Int = 200, headers: HTTPFields = HTTPFields()) -> Response {
            bytes(Array((value.serialized + "\n").utf8), "application/json", status: status, headers: headers)
        }

        /// An answer of bytes.
        static func bytes(
            _ bytes: [UInt8], _ mediaType: String, status: Int = 200, headers: HTTPFields = HTTPFields()
        ) -> Response {
            var headers = headers
            headers[.contentType] = mediaType
            return Response(
                status: HTTPResponse.Status(code: status), headers: headers,
                body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
        }
    }
#endif
