import ChatCore
import ChatDomain
import WireProtocols

extension StaticFiles {
    /// A route for each file.
    var routes: [Route] {
        files.map { path, file in
            Route(
                .get, RoutePattern(literal: path), access: .everyone, summary: "a file of the chat page",
                parameters: [.knownTag], answer: RouteAnswer(.file, 200, 304)
            ) { _, request in file.response(ifNoneMatch: request.header("If-None-Match")) }
        }
    }

    /// The same for the page for operators. A token in a query is refused, since queries end up in logs and histories.
    var adminRoutes: [Route] {
        files.map { path, file in
            Route(
                .get, RoutePattern(literal: path), access: .everyone, summary: "a file of the page for operators",
                parameters: [.knownTag, .query("token", .text(atMost: nil)), .query("key", .text(atMost: nil))],
                answer: RouteAnswer(.file, 200, 304)
            ) { _, request throws(ChatError) in
                guard request.query("token") == nil, request.query("key") == nil else {
                    throw .badRequest("a token or key goes into the form of the page, not into its address")
                }
                return file.response(ifNoneMatch: request.header("If-None-Match"))
            }
        }
    }
}
