import ChatCore
import ChatDomain
import ChatProtocol
import WireProtocols

/// The interface's documents: for programs as OpenAPI and AsyncAPI, for people as a page.
struct DocumentRoutes: RouteGroup {
    init(services: Services) {}

    // Each is made at its first request and kept, since the declarations do not change.
    private static let openAPI = StaticFiles.File(
        OpenAPIDocument.write(RouteCatalogue.routes), type: "application/json")
    private static let asyncAPI = StaticFiles.File(AsyncAPIDocument.write(), type: "application/json")
    private static let page = StaticFiles.File(
        Array(InterfacePage.write(RouteCatalogue.routes).utf8), type: "text/html; charset=utf-8")
    private static let styleSheet = StaticFiles.File(
        Array(InterfacePage.styleSheet.utf8), type: "text/css; charset=utf-8")

    func openAPI(_ request: RESTRequest) -> HTTPResponse { Self.answer(Self.openAPI, request) }
    func asyncAPI(_ request: RESTRequest) -> HTTPResponse { Self.answer(Self.asyncAPI, request) }
    func page(_ request: RESTRequest) -> HTTPResponse { Self.answer(Self.page, request) }
    func styleSheet(_ request: RESTRequest) -> HTTPResponse { Self.answer(Self.styleSheet, request) }

    private static func answer(_ document: StaticFiles.File, _ request: RESTRequest) -> HTTPResponse {
        document.response(ifNoneMatch: request.header("If-None-Match"))
    }
}
