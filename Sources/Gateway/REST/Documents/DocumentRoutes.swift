import ChatCore
import ChatDomain
import ChatProtocol
import Crypto
import WireProtocols

/// The interface's documents: for programs as OpenAPI and AsyncAPI, for people as a page.
struct DocumentRoutes: RouteGroup {
    init(services: Services) {}

    // Each is made at its first request and kept, since the declarations do not change.
    private static let openAPI = PublishedDocument(
        OpenAPIDocument.write(RouteCatalogue.routes), type: "application/json")
    private static let asyncAPI = PublishedDocument(AsyncAPIDocument.write(), type: "application/json")
    private static let page = PublishedDocument(
        Array(InterfacePage.write(RouteCatalogue.routes).utf8), type: "text/html; charset=utf-8")
    private static let styleSheet = PublishedDocument(
        Array(InterfacePage.styleSheet.utf8), type: "text/css; charset=utf-8")

    func openAPI(_ request: RESTRequest) -> HTTPResponse { Self.openAPI.answer(request) }
    func asyncAPI(_ request: RESTRequest) -> HTTPResponse { Self.asyncAPI.answer(request) }
    func page(_ request: RESTRequest) -> HTTPResponse { Self.page.answer(request) }
    func styleSheet(_ request: RESTRequest) -> HTTPResponse { Self.styleSheet.answer(request) }
}

/// A document with its entity tag (RFC 9110 section 8.8.3).
private struct PublishedDocument: Sendable {
    private let body: [UInt8]
    private let fields: [HTTPField]
    private let tag: String

    init(_ body: [UInt8], type: String) {
        self.body = body
        tag = "\"" + Digest.sha256(body).prefix(12).map { String($0, radix: 16) }.joined() + "\""
        fields = [HTTPField("ETag", tag), HTTPField("Cache-Control", "no-cache"), HTTPField("Content-Type", type)]
    }

    func answer(_ request: RESTRequest) -> HTTPResponse {
        guard request.header("If-None-Match") != tag else { return HTTPResponse(status: 304, fields: [fields[0]]) }
        return HTTPResponse(status: 200, fields: fields, body: body)
    }
}
