import ChatProtocol
import Engine
import WireProtocols

/// Answering requests: what every answer carries, whatever it is about.
extension GatewayContext {
    func answer(_ response: HTTPResponse, _ verdict: OriginPolicy.Verdict, to connection: Connection) {
        var response = secured(response)
        response.fields += origins.fields(for: verdict)
        connection.respond(response)
    }

    /// Answers with a body of `length` bytes that the source gives.
    func answer(
        _ response: HTTPResponse, length: Int, from source: any ResponseBodySource, _ verdict: OriginPolicy.Verdict,
        to connection: Connection
    ) {
        var response = secured(response)
        response.fields += origins.fields(for: verdict)
        connection.respond(response, length: length, from: source)
    }

    /// The answer to a request that the HTTP decoder refused.
    func response(to refusal: HTTPRefusal) -> HTTPResponse {
        let origins = origins
        var response = secured(Problem.response(refusal))
        response.fields += origins.fields(for: origins.judge(origin: refusal.origin, host: refusal.host))
        return response
    }

    /// Every answer forbids what no answer of this server needs. An answer that forbids more keeps its own field.
    private func secured(_ response: HTTPResponse) -> HTTPResponse {
        var response = response
        let own = response.fields
        response.fields += Self.prohibitions.filter { each in !own.contains { $0.name == each.name } }
        return response
    }

    private static let prohibitions = [
        HTTPField("X-Content-Type-Options", "nosniff"), HTTPField("X-Frame-Options", "DENY"),
        HTTPField("Referrer-Policy", "no-referrer"),
        HTTPField(
            "Content-Security-Policy",
            "default-src 'self'; connect-src 'self' ws: wss:; img-src 'self' data: blob:; frame-ancestors 'none'; base-uri 'none'"
        ),
    ]

    /// Whether the request may be meant for this server, which only this machine reaches.
    func believes(_ head: HTTPRequestHead, _ verdict: OriginPolicy.Verdict) -> Bool {
        origins.believes(host: head.headers["Host"], verdict)
    }
}

extension HTTPRequestHead {
    var isEngineIO: Bool { target.rawPath == "/socket.io/" || target.rawPath == "/socket.io" }
}
