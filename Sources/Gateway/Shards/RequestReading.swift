import WireProtocols

/// What a request's head alone says about it. Kept with the head, as the same one often comes again.
final class RequestReading: Sendable {
    /// What the request is for.
    enum Aim: Sendable {
        case engineIO
        case webSocket
        /// A page asks beforehand what it may send.
        case preflight
        case route(RouteMatch)
        case malformedPath
    }

    /// The policy it was judged by.
    let origins: OriginPolicy
    let verdict: OriginPolicy.Verdict
    /// Whether the request may be meant for this server.
    let isBelieved: Bool
    let aim: Aim

    init(
        _ head: HTTPRequestHead, _ origins: OriginPolicy, believesLoopbackNamesOnly: Bool,
        match: (_ method: String, _ path: [String]) -> RouteMatch
    ) {
        self.origins = origins
        verdict = origins.judge(head)
        isBelieved = !believesLoopbackNamesOnly || origins.believes(host: head.headers["Host"], verdict)
        if head.isEngineIO, head.method != "OPTIONS" {
            aim = .engineIO
        } else if head.asksToUpgrade(to: "websocket") {
            aim = .webSocket
        } else if head.method == "OPTIONS" {
            aim = .preflight
        } else if let path = head.target.pathSegments {
            aim = .route(match(head.method, path))
        } else {
            aim = .malformedPath
        }
    }
}
