import ChatDomain
import Foundation
import Testing

@testable import Gateway

/// The table of `docs/protocol.md`, written from the routes.
@Suite struct RouteDocumentTests {
    private let page: String

    init() throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../docs/protocol.md")
        page = try String(contentsOf: file, encoding: .utf8)
    }

    @Test func theDocumentedTableIsTheRoutes() {
        let table = Self.table(RouteCatalogue.routes)
        let isThere = page.contains(table)
        #expect(isThere, "docs/protocol.md has to hold this table:\n\(table)")
    }

    @Test func everyAnswerIsDescribed() {
        for shape in Set(RouteCatalogue.routes.map(\.answer.shape)) {
            let isThere = page.contains("\n| `\(shape.rawValue)` | ")
            #expect(isThere, "docs/protocol.md has no row for \(shape.rawValue)")
        }
    }

    private static func table(_ routes: [Route]) -> String {
        let head = """
            | call | takes | for | counts as | answers | also refused with | what it does |
            |---|---|---|---|---|---|---|

            """
        return head + routes.map { "| " + cells($0).joined(separator: " | ") + " |\n" }.joined()
    }

    private static func cells(_ route: Route) -> [String] {
        [
            call(route), takes(route), name(of: route.access), name(of: route.limit), answer(route.answer),
            route.refusals.map { "`\($0.rawValue)`" }.joined(separator: ", "), route.summary,
        ].map { $0.isEmpty ? "–" : $0 }
    }

    private static func call(_ route: Route) -> String {
        let query = route.parameters.filter { $0.place == .query }.map { "\($0.name)=" }.joined(separator: "&")
        let others = route.patterns.dropFirst().map { ", also `\($0.text)`" }.joined()
        return "`\(route.method.rawValue) \(route.patterns[0].text)\(query.isEmpty ? "" : "?" + query)`" + others
    }

    private static func takes(_ route: Route) -> String {
        let body = route.parameters.filter { $0.place == .body }.map { $0.name + ($0.isRequired ? "" : "?") }
        let headers = route.parameters.filter { $0.place == .header }.map { "`\($0.name)`" }
        return ((body.isEmpty ? [] : ["`{\(body.joined(separator: ", "))}`"]) + headers).joined(separator: ", ")
    }

    private static func answer(_ answer: RouteAnswer) -> String {
        answer.statuses.map(String.init).joined(separator: ", ") + " `\(answer.shape.rawValue)`"
    }

    private static func name(of access: RouteAccess) -> String {
        switch access {
        case .everyone: "everyone"
        case .reader: "readers"
        case .owner: "owner"
        case .moderator: "moderators"
        case .viewer: "viewers"
        case .user: "users"
        case .userOrService: "users, services"
        case .service: "services"
        }
    }

    private static func name(of limit: RouteLimit) -> String {
        switch limit {
        case .none: ""
        case .calls: "call"
        case .messages: "message"
        case .rooms: "call, room"
        }
    }
}
