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
}
