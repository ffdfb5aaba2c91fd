import WireProtocols

/// Which pages of other sites may talk to this server: the same list for REST, polling and WebSocket.
public enum OriginPolicy: Hashable, Sendable {
    /// Only pages served under this server's own name.
    case sameOrigin
    /// Pages of any site, `null` too. Credentials are not invited.
    case any
    /// Pages of these origins, such as `https://chat.example.com`; never `null`.
    case list(Set<String>)

    public enum Verdict: Hashable, Sendable {
        /// No page sent this: there is no `Origin`, or it is our own.
        case notCrossSite
        case allowed(origin: String)
        case refused
    }

    public func judge(_ head: HTTPRequestHead) -> Verdict {
        guard let origin = head.headers["Origin"] else { return .notCrossSite }
        switch self {
        case .any: return .allowed(origin: origin)
        case .list(let origins) where origins.contains(origin): return .allowed(origin: origin)
        default: return isOwn(origin, host: head.headers["Host"]) ? .notCrossSite : .refused
        }
    }

    /// The host is compared and not the scheme, which a proxy in front may have ended.
    private func isOwn(_ origin: String, host: String?) -> Bool {
        guard let host, let mark = origin.firstRange(of: "://") else { return false }
        return origin[mark.upperBound...].lowercased() == host.lowercased()
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

    /// The answer to a page that asks beforehand what it may send.
    func preflight(_ verdict: Verdict) -> HTTPResponse {
        guard case .allowed = verdict else { return HTTPResponse(status: 204) }
        return HTTPResponse(
            status: 204,
            fields: [
                HTTPField("Access-Control-Allow-Methods", "GET, POST, PUT, PATCH, DELETE, OPTIONS"),
                HTTPField(
                    "Access-Control-Allow-Headers",
                    "Authorization, Content-Type, Idempotency-Key, If-None-Match, X-Service-Key, X-User-Id, X-Username"),
                HTTPField("Access-Control-Max-Age", "600"),
            ])
    }
}
