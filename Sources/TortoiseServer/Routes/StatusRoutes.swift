#if Server
    import HTTPTypes
    import Hummingbird
    import NIOCore
    import TortoiseCore

    extension Endpoint {
        /// The page, and what tells how the server is.
        static let status: [Endpoint] = [
            Endpoint(
                method: .get, path: "/", summary: "The web page.", answers: ["text/html"], isPublic: true
            ) { _, _, _ in
                var headers = HTTPFields()
                headers[.contentSecurityPolicy] = Page.policy
                return .bytes(Page.bytes, "text/html; charset=utf-8", headers: headers)
            },
            Endpoint(
                method: .get, path: "/health", summary: "Whether the server is well, and what it offers.",
                isPublic: true
            ) { service, _, _ in
                let load = service.engine?.load ?? (waiting: 0, isRunning: false)
                return .json([
                    "status": "ok", "speaks": .bool(service.engine != nil), "trains": .bool(service.monitor != nil),
                    "needs_token": .bool(service.options.token != nil), "queue": .integer(load.waiting),
                    "busy": .bool(load.isRunning), "text_limit": .integer(service.options.textLimit),
                ])
            },
            Endpoint(
                method: .get, path: "/metrics", summary: "Counters and gauges for Prometheus.", answers: ["text/plain"]
            ) { service, _, _ in
                let load = service.engine?.load ?? (waiting: 0, isRunning: false)
                return .bytes(Array(service.metrics.text(load: load).utf8), "text/plain; version=0.0.4; charset=utf-8")
            },
            Endpoint(
                method: .get, path: "/openapi.json", summary: "This description.", isPublic: true
            ) { service, _, _ in .json(service.openAPI) },
        ]
    }
#endif
