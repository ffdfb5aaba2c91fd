import WireProtocols

/// Which pages of other sites may talk to this server: the same list for REST, polling and WebSocket.
public enum OriginPolicy: Hashable, Sendable {
    /// Only pages served under this server's own name.
    case sameOrigin
    /// Pages of any site, `null` too. Credentials are not invited.
    case any
    /// Pages of these origins, and apps; never `null`.
    case list(Set<WebOrigin>)

    /// The judgement of one request by its `Origin`.
    public enum Verdict: Hashable, Sendable {
        /// No page sent this: there is no `Origin`, or it is our own.
        case notCrossSite
        /// The page may read answers; `origin` is repeated to its browser as it was sent.
        case allowed(origin: String)
        /// The page's origin is not on the list, or is no origin.
        case refused
    }

    /// Judges a request by its `Origin` and `Host` (RFC 6454 §7).
    public func judge(_ head: HTTPRequestHead) -> Verdict {
        judge(origin: head.headers["Origin"], host: head.headers["Host"])
    }

    func judge(origin text: String?, host: String?) -> Verdict {
        guard let text else { return .notCrossSite }
        if self == .any { return .allowed(origin: text) }
        guard let origin = WebOrigin(text) else { return .refused }
        if case .list(let origins) = self, origins.contains(origin) { return .allowed(origin: text) }
        guard let host = host.flatMap({ Authority($0) }) else { return .refused }
        return origin.isServed(by: host) ? .notCrossSite : .refused
    }

    /// Whether a request may be meant for a server that only this machine reaches.
    ///
    /// A page of any site can point a name of its own at loopback (DNS rebinding), and its requests then look like those of
    /// our own pages. So the name has to be one of loopback, or one whose origin is listed.
    func believes(host text: String?, _ verdict: Verdict) -> Bool {
        if case .allowed = verdict { return true }
        // No browser leaves `Host` out.
        guard let text else { return true }
        guard let host = Authority(text) else { return false }
        if host.isLoopback { return true }
        return switch self {
        case .any: true
        case .sameOrigin: false
        case .list(let origins): origins.contains { $0.isServed(by: host) }
        }
    }

    /// The fields that let the page at an allowed origin read an answer.
    func fields(for verdict: Verdict) -> [HTTPField] {
        guard case .allowed(let origin) = verdict else { return self == .any ? [] : [HTTPField("Vary", "Origin")] }
        if self == .any { return [HTTPField("Access-Control-Allow-Origin", "*")] }
        return [
            HTTPField("Access-Control-Allow-Origin", origin), HTTPField("Access-Control-Allow-Credentials", "true"),
            HTTPField("Vary", "Origin"),
        ]
    }

    private static let usualHeaders =
        "Authorization, Content-Type, Idempotency-Key, If-None-Match, X-Service-Key, X-User-Id, X-Username"

    /// The answer to a page that asks beforehand what it may send: an allowed one whatever headers it asks for, as tools in
    /// the page add some of their own.
    func preflight(_ verdict: Verdict, _ head: HTTPRequestHead) -> HTTPResponse {
        guard case .allowed = verdict else { return HTTPResponse(status: 204) }
        let asked = head.headers.values(of: "Access-Control-Request-Headers").joined(separator: ", ")
        return HTTPResponse(
            status: 204,
            fields: [
                HTTPField("Access-Control-Allow-Methods", "GET, POST, PUT, PATCH, DELETE, OPTIONS"),
                HTTPField("Access-Control-Allow-Headers", asked.isEmpty ? Self.usualHeaders : asked),
                HTTPField("Access-Control-Max-Age", "600"), HTTPField("Vary", "Access-Control-Request-Headers"),
            ])
    }
}
