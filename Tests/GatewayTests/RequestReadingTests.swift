import ChatTestSupport
import Testing
import WireProtocols

@testable import Gateway

@Suite struct RequestReadingTests {
    private func reading(
        _ method: String, _ target: String, _ fields: [String] = [], _ origins: OriginPolicy = .sameOrigin,
        onLoopback: Bool = false
    ) throws -> RequestReading {
        RequestReading(
            try head(method, target, fields), origins, believesLoopbackNamesOnly: onLoopback,
            match: {
                RouteMatch(route: nil, pathParameters: [HTTPField($0, $1.joined(separator: "/"))], alternatives: [])
            })
    }

    private func matched(_ reading: RequestReading) -> HTTPField? {
        if case .route(let match) = reading.aim { match.pathParameters.first } else { nil }
    }

    @Test func aCallIsMatchedByItsMethodAndDecodedPath() throws {
        #expect(matched(try reading("PUT", "/api/a%20b?c=d")) == HTTPField("PUT", "api/a b"))
    }

    @Test(arguments: ["/socket.io/?EIO=4", "/socket.io?EIO=4"])
    func pollsAndTheirUpgradesAreEngineIO(_ target: String) throws {
        for fields in [[], ["Connection: Upgrade", "Upgrade: websocket"]] {
            guard case .engineIO = try reading("GET", target, fields).aim else {
                Issue.record("\(target) is not Engine.IO")
                return
            }
        }
    }

    @Test func anyOtherUpgradeIsAWebSocket() throws {
        guard case .webSocket = try reading("GET", "/ws", ["Connection: Upgrade", "Upgrade: websocket"]).aim else {
            Issue.record("no WebSocket")
            return
        }
    }

    @Test(arguments: ["/socket.io/?EIO=4", "/api/rooms", "*"]) func optionsAsksBeforehand(_ target: String) throws {
        guard case .preflight = try reading("OPTIONS", target).aim else {
            Issue.record("\(target) is no preflight")
            return
        }
    }

    @Test func aPathThatCannotBeDecodedIsMatchedByNothing() throws {
        guard case .malformedPath = try reading("GET", "/api/%zz").aim else {
            Issue.record("the path was decoded")
            return
        }
    }

    @Test func aServerOnLoopbackBelievesLoopbackNamesOnly() throws {
        for (host, isLoopback) in [("localhost:5004", true), ("evil.test", false)] {
            #expect(try reading("GET", "/", ["Host: \(host)"], onLoopback: true).isBelieved == isLoopback)
            #expect(try reading("GET", "/", ["Host: \(host)"]).isBelieved)
        }
    }

    @Test func itKeepsThePolicyItWasMadeBy() throws {
        let fields = ["Host: chat.test", "Origin: https://a.test"]
        let own = try reading("GET", "/", fields)
        #expect(own.origins == .sameOrigin && own.verdict == .refused)
        let any = try reading("GET", "/", fields, .any)
        #expect(any.origins == .any && any.verdict == .allowed(origin: "https://a.test"))
    }
}
