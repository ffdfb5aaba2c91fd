import ChatTestSupport
import ChatProtocol
import ChatDomain
import Foundation
import Testing
import WireProtocols

@testable import Gateway

@Suite struct ProblemTests {
    @Test(arguments: ChatError.Code.allCases) func everyCodeIsAProblemOfItsStatus(_ code: ChatError.Code) throws {
        let response = Problem.response(ChatError(code, "because"))
        let body = try #require(JSONSerialization.jsonObject(with: Data(response.body)) as? [String: Any])
        #expect(response.status == code.httpStatus)
        #expect(body["status"] as? Int == response.status)
        #expect(body["code"] as? String == code.rawValue)
        #expect(body["detail"] as? String == "because")
        #expect(body["success"] as? Bool == false)
        #expect(body["retryable"] as? Bool == code.isRetryable)
        #expect(body["title"] as? String == response.reason)
        #expect(response.fields.contains(HTTPField("Content-Type", "application/problem+json")))
        #expect(response.fields.contains { $0.name == "WWW-Authenticate" } == (response.status == 401))
    }

    @Test(arguments: [(1, "1"), (1000, "1"), (1001, "2"), (60_000, "60")] as [(Int64, String)])
    func theWaitIsGivenInWholeSeconds(_ milliseconds: Int64, _ seconds: String) {
        let error = ChatError(.rateLimited, "slow", retryAfter: .milliseconds(milliseconds))
        #expect(Problem.response(error).fields.contains(HTTPField("Retry-After", seconds)))
    }

    @Test(arguments: [
        (400, "bad_request"), (408, "request_timeout"), (413, "payload_too_large"), (426, "upgrade_required"),
        (431, "header_too_large"),
    ])
    func unreadableRequestsHaveACodeToo(_ status: Int, _ code: String) throws {
        let response = Problem.response(HTTPRefusal(status: status, detail: "why"))
        let body = try #require(JSONSerialization.jsonObject(with: Data(response.body)) as? [String: Any])
        #expect(body["code"] as? String == code)
    }
}

@Suite struct StaticFilesTests {
    private let directory: URL
    private let files: StaticFiles

    init() throws {
        directory = FileManager.default.temporaryDirectory.appendingPathComponent("static-\(UUID().uuidString)")
        let client = directory.appendingPathComponent("client")
        try FileManager.default.createDirectory(
            at: client.appendingPathComponent("js/.hidden"), withIntermediateDirectories: true)
        let sdk = directory.appendingPathComponent("sdk")
        try FileManager.default.createDirectory(
            at: sdk.appendingPathComponent("room"), withIntermediateDirectories: true)
        for (name, text) in [
            ("client/index.html", "<p>page"), ("client/js/app.js", "app()"), ("client/.env", "SECRET=1"),
            ("client/js/.hidden/key", "SECRET=2"), ("secret.txt", "SECRET=3"),
            ("sdk/room/room.js", "room()"), ("sdk/.key", "SECRET=4"),
        ] { try text.write(to: directory.appendingPathComponent(name), atomically: true, encoding: .utf8) }
        try FileManager.default.createSymbolicLink(
            at: client.appendingPathComponent("link.txt"),
            withDestinationURL: directory.appendingPathComponent("secret.txt"))
        var files = try StaticFiles(directory: client.path, at: "/client")
        files.serveIndex(at: "/")
        try files.add(directory: sdk.path, below: "/client/sdk/")
        try files.add(directory: directory.appendingPathComponent("missing").path, below: "/client/missing/")
        self.files = files
        try FileManager.default.removeItem(at: directory)
    }

    /// Runs `body` with a function that sends a request through a router over the files.
    private func route(
        _ body: ((_ method: String, _ path: String, _ fields: [String]) async throws -> HTTPResponse) async throws ->
            Void
    ) async throws {
        try await GatewayHost.serve { host in
            let router = RESTRouter(services: host.gateway.services, page: files)
            try await body { method, path, fields in
                let head = try head(method, path, fields)
                let match = router.match(method, try #require(head.target.pathSegments))
                return try #require(try await router.begin(head, body: [], by: Caller(), match).value().whole)
            }
        }
    }

    @Test func servesTheFilesThatWereReadAtTheStart() async throws {
        try await route { request in
            for (method, path) in [("GET", "/"), ("HEAD", "/client/index.html")] {
                let page = try await request(method, path, [])
                #expect(page.body.text == "<p>page")
            }
            let script = try await request("GET", "/client/js/app%2Ejs", [])
            #expect(script.body.text == "app()")
            #expect(script.fields.contains(HTTPField("Content-Type", "text/javascript; charset=utf-8")))
        }
    }

    @Test func servesFilesOfAnotherDirectoryBelowAPath() async throws {
        try await route { request in
            let script = try await request("GET", "/client/sdk/room/room.js", [])
            #expect(script.body.text == "room()")
        }
    }

    @Test func filesTakeNoOtherMethods() async throws {
        try await route { request in
            let refusal = try await request("POST", "/client/js/app.js", [])
            #expect(refusal.status == 405)
            #expect(refusal.fields.contains(HTTPField("Allow", "GET, HEAD")))
        }
    }

    @Test(arguments: [
        "/client/../secret.txt", "/client/js/../../secret.txt", "/secret.txt", "/client/.env", "/client/js/.hidden/key",
        "/client/",
        "/client", "//client/index.html", "/client//index.html", "/client/js", "/client/link.txt", "/etc/passwd",
        "/client/index.html/", "/client/sdk/.key", "/client/sdk/../secret.txt",
    ]) func servesNothingElse(_ path: String) throws {
        let segments = try #require(try head("GET", path).target.pathSegments)
        #expect(try RouteTable(files.routes).match("GET", segments).alternatives.isEmpty)
    }

    @Test func aFileThatTheCallerHasIsNotSentAgain() async throws {
        try await route { request in
            let tag = try #require(try await request("GET", "/", []).fields.first { $0.name == "ETag" }?.value)
            let again = try await request("GET", "/", ["If-None-Match: \(tag)"])
            #expect(again.status == 304 && again.body.isEmpty)
            #expect(try await request("GET", "/", ["If-None-Match: \"other\""]).status == 200)
        }
    }
}
