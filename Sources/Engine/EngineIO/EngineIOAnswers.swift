import WireProtocols

/// The answers to Engine.IO's HTTP requests.
extension HTTPResponse {
    static func engineIO(_ refusal: EngineIORefusal) -> HTTPResponse {
        HTTPResponse(
            status: refusal.httpStatus, fields: [HTTPField("Content-Type", "application/json")], body: refusal.body)
    }

    /// The packets that a poll gets.
    static func engineIO(payload: [UInt8]) -> HTTPResponse {
        engineIO(payload, type: "text/plain; charset=UTF-8")
    }

    /// The answer to a POST whose packets were taken.
    static let engineIOAccepted = engineIO(Array("ok".utf8), type: "text/html")

    private static func engineIO(_ body: [UInt8], type: String) -> HTTPResponse {
        HTTPResponse(
            status: 200, fields: [HTTPField("Content-Type", type), HTTPField("Cache-Control", "no-store")], body: body)
    }
}
