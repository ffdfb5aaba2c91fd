import ChatProtocol
import Engine
import WireProtocols

/// Answering requests: what every answer carries, whatever it is about.
extension GatewayContext {
    func answer(_ response: HTTPResponse, _ verdict: OriginPolicy.Verdict, to connection: Connection) {
        connection.respond(completed(response, for: verdict))
    }

    /// Answers with a body of `length` bytes that the source gives.
    func answer(
        _ response: HTTPResponse, length: Int, from source: any ResponseBodySource, _ verdict: OriginPolicy.Verdict,
        to connection: Connection
    ) {
        connection.respond(completed(response, for: verdict), length: length, from: source)
    }

    /// The answer to a request that the HTTP decoder refused.
    func response(to refusal: HTTPRefusal) -> HTTPResponse {
        completed(Problem.response(refusal), for: origins.judge(origin: refusal.origin, host: refusal.host))
    }

    /// Every answer forbids what no answer of this server needs, and says which pages may read it.
    private func completed(_ response: HTTPResponse, for verdict: OriginPolicy.Verdict) -> HTTPResponse {
        var response = response
        let own = response.fields
        guard own.contains(where: Prohibitions.have) else {
            response.commonFields = commonFields(for: verdict)
            return response
        }
        // An answer that forbids more keeps its own field.
        response.fields += Prohibitions.fields.filter { each in !own.contains { $0.name == each.name } }
        response.fields += origins.fields(for: verdict)
        return response
    }

    private func commonFields(for verdict: OriginPolicy.Verdict) -> HTTPFieldBlock {
        let origins = origins
        if case .allowed = verdict { return HTTPFieldBlock(Prohibitions.fields + origins.fields(for: verdict)) }
        return origins == .any ? Prohibitions.toAll : Prohibitions.toSome
    }
}

/// What no answer needs, forbidden to the pages that get one.
private enum Prohibitions {
    static let fields = [
        HTTPField("X-Content-Type-Options", "nosniff"), HTTPField("X-Frame-Options", "DENY"),
        HTTPField("Referrer-Policy", "no-referrer"),
        HTTPField(
            "Content-Security-Policy",
            "default-src 'self'; connect-src 'self' ws: wss:; img-src 'self' data: blob:; frame-ancestors 'none'; base-uri 'none'"
        ),
    ]

    static func have(_ field: HTTPField) -> Bool {
        fields.contains { $0.name == field.name }
    }

    /// With what is said to no page of another site: where any may read answers, and where some may.
    static let toAll = HTTPFieldBlock(fields + OriginPolicy.any.fields(for: .notCrossSite))
    static let toSome = HTTPFieldBlock(fields + OriginPolicy.sameOrigin.fields(for: .notCrossSite))
}

extension HTTPRequestHead {
    var isEngineIO: Bool { target.hasRawPath("/socket.io/") || target.hasRawPath("/socket.io") }
}
