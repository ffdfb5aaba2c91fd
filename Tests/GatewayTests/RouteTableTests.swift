import ChatCore
import ChatTestSupport
import ChatDomain
import Testing
import WireProtocols

@testable import Gateway

private func route(
    _ method: RouteMethod, _ pattern: RoutePattern, also others: [RoutePattern] = [], access: RouteAccess = .reader,
    limit: RouteLimit = .none
) -> Route {
    Route(
        method, pattern, also: others, access: access, limit: limit, summary: pattern.text, answer: RouteAnswer(.done)
    ) { _, _ in HTTPResponse(status: 200) }
}

extension RouteTable {
    fileprivate func match(_ method: String, _ target: String) throws -> RouteMatch {
        match(method, try #require(try head(method, target).target.pathSegments))
    }
}

@Suite struct RouteTableTests {
    @Test func findsTheRouteOfAMethodAndAPath() throws {
        let table = try RouteTable([route(.get, "/"), route(.get, "/rooms"), route(.post, "/rooms")])
        #expect(try table.match("GET", "/").route?.summary == "/")
        #expect(try table.match("POST", "/rooms").route?.method == .post)
        #expect(try table.match("GET", "/rooms?limit=1").route?.method == .get)
    }

    @Test(arguments: ["/room", "/rooms/", "//rooms", "/rooms/x", "/Rooms", "/rooms%2F", "/%72ooms%00"])
    func findsNothingAtOtherPaths(_ target: String) throws {
        let match = try RouteTable([route(.get, "/rooms")]).match("GET", target)
        #expect(match.route == nil && match.alternatives.isEmpty)
    }

    @Test func namesTheDecodedParameters() throws {
        let table = try RouteTable([route(.put, "/rooms/:roomId/participants/:userId")])
        let match = try table.match("PUT", "/rooms/a%2Fb%20%25/participants/%C3%A9")
        #expect(match.pathParameters == [HTTPField("roomId", "a/b %"), HTTPField("userId", "\u{E9}")])
    }

    @Test func aParameterMatchesTheEmptySegmentToo() throws {
        let table = try RouteTable([route(.get, "/rooms/:roomId")])
        #expect(try table.match("GET", "/rooms/").pathParameters == [HTTPField("roomId", "")])
        #expect(try table.match("GET", "/rooms").alternatives.isEmpty)
    }

    @Test func literalSegmentsWinOverParameters() throws {
        for routes in [
            [route(.get, "/rooms/new"), route(.get, "/rooms/:roomId"), route(.delete, "/rooms/:roomId")],
            [route(.delete, "/rooms/:roomId"), route(.get, "/rooms/:roomId"), route(.get, "/rooms/new")],
        ] {
            let table = try RouteTable(routes)
            #expect(try table.match("GET", "/rooms/new").route?.summary == "/rooms/new")
            #expect(try table.match("GET", "/rooms/news").route?.summary == "/rooms/:roomId")
            let other = try table.match("DELETE", "/rooms/new")
            #expect(other.route == nil && other.allow == "GET, HEAD")
        }
    }

    @Test func aLiteralThatLeadsNowhereLeavesThePathToTheParameter() throws {
        let table = try RouteTable([route(.get, "/a/b/c"), route(.get, "/:x/b/:y"), route(.get, "/:x/:y/d")])
        #expect(try table.match("GET", "/a/b/c").route?.summary == "/a/b/c")
        #expect(try table.match("GET", "/a/b/e").pathParameters == [HTTPField("x", "a"), HTTPField("y", "e")])
        let backtracked = try table.match("GET", "/a/c/d")
        #expect(backtracked.route?.summary == "/:x/:y/d")
        #expect(backtracked.pathParameters == [HTTPField("x", "a"), HTTPField("y", "c")])
    }

    @Test func aParameterThatLeadsNowhereLeavesNoValue() throws {
        let table = try RouteTable([route(.get, "/a/:x/c"), route(.get, "/:y/b/:z")])
        let match = try table.match("GET", "/a/b/d")
        #expect(match.pathParameters == [HTTPField("y", "a"), HTTPField("z", "d")])
    }

    @Test func otherPatternsAreServedAlike() throws {
        let table = try RouteTable([route(.get, "/api/chat/:roomId", also: ["/chat/:room"])])
        #expect(try table.match("GET", "/chat/x").route?.summary == "/api/chat/:roomId")
        #expect(try table.match("GET", "/chat/x").pathParameters == [HTTPField("room", "x")])
    }

    @Test func textsThatOnlyLookAlikeAreDifferentSegments() throws {
        let table = try RouteTable([route(.get, RoutePattern(literal: "/\u{E9}"))])
        #expect(try table.match("GET", "/%C3%A9").route != nil)
        #expect(try table.match("GET", "/e%CC%81").route == nil)
    }

    @Test func aLiteralPathHasNoParameters() throws {
        let table = try RouteTable([route(.get, RoutePattern(literal: "/client/:name"))])
        #expect(try table.match("GET", "/client/:name").route != nil)
        #expect(try table.match("GET", "/client/x").route == nil)
    }

    @Test func headIsAnsweredAsGet() throws {
        let table = try RouteTable([route(.get, "/read"), route(.post, "/write")])
        #expect(try table.match("HEAD", "/read").route?.method == .get)
        #expect(try table.match("HEAD", "/write").route == nil)
    }

    @Test(arguments: ["PUT", "BREW", "get", "OPTIONS", ""]) func otherMethodsAreNamedTheAllowedOnes(_ method: String)
        throws
    {
        let table = try RouteTable([route(.delete, "/x/:y"), route(.get, "/x/:z"), route(.post, "/x/:y")])
        let match = table.match(method, ["x", "1"])
        #expect(match.route == nil && match.allow == "GET, HEAD, POST, DELETE")
    }

    // MARK: Refused declarations

    private func error(of routes: [Route]) -> RouteTableError? {
        do throws(RouteTableError) {
            _ = try RouteTable(routes)
            return nil
        } catch {
            return error
        }
    }

    @Test func duplicatesAreRefusedWhateverTheirParametersAreNamed() {
        #expect(
            error(of: [route(.get, "/rooms/:roomId"), route(.get, "/rooms/:id")])
                == .duplicate(.get, "/rooms/:roomId", "/rooms/:id"))
        #expect(error(of: [route(.get, "/a", also: ["/a"])]) == .duplicate(.get, "/a", "/a"))
        #expect(error(of: [route(.get, "/b"), route(.get, "/a", also: ["/b"])]) == .duplicate(.get, "/b", "/b"))
        #expect(error(of: [route(.get, "/rooms/:id"), route(.put, "/rooms/:id"), route(.get, "/rooms/id")]) == nil)
    }

    @Test(arguments: ["", "rooms", "/rooms/:", "/:x/:x"] as [RoutePattern])
    func malformedPatternsAreRefused(_ pattern: RoutePattern) {
        #expect(error(of: [route(.get, pattern)]) == .malformed(pattern.text))
    }

    // MARK: Rules of a match

    @Test func credentialsAreReadUnlessTheWholePathIsForEveryone() throws {
        let table = try RouteTable([
            route(.get, "/open", access: .everyone), route(.get, "/mixed", access: .everyone),
            route(.post, "/mixed", access: .service),
        ])
        #expect(try !table.match("GET", "/open").readsCredentials)
        #expect(try !table.match("POST", "/open").readsCredentials)
        #expect(try table.match("GET", "/mixed").readsCredentials)
        #expect(try table.match("GET", "/nowhere").readsCredentials)
    }

    @Test func aRequestWithoutARouteCountsIfItsMethodChangesSomething() throws {
        let table = try RouteTable([route(.get, "/list", limit: .calls), route(.post, "/send", limit: .messages)])
        #expect(try table.match("HEAD", "/list").countsAsCall("HEAD"))
        #expect(try !table.match("POST", "/send").countsAsCall("POST"))
        for target in ["/list", "/send", "/nowhere"] {
            #expect(try table.match("PUT", target).countsAsCall("PUT"))
            #expect(try table.match("BREW", target).countsAsCall("BREW"))
        }
        for method in ["GET", "HEAD"] { #expect(try !table.match(method, "/send").countsAsCall(method)) }
    }
}

@Suite struct RouteAccessTests {
    private let nameless = Caller()
    private let user = Caller(user: .ann)
    private let service = Caller(isService: true)
    private let serviceForUser = Caller(user: .ann, isService: true)

    private func admits(_ access: RouteAccess, _ caller: Caller, _ openness: RouteAccess.Openness) -> Bool {
        do throws(ChatError) {
            try access.check(caller, openness)
            return true
        } catch {
            #expect(error.code == .unauthorized)
            return false
        }
    }

    @Test(
        arguments: [
            (.everyone, true, true, true, true), (.reader, false, true, true, true), (.owner, false, true, true, true),
            (.viewer, false, true, true, true), (.user, false, true, false, true),
            (.userOrService, false, true, true, true),
            (.service, false, false, true, true),
        ] as [(RouteAccess, Bool, Bool, Bool, Bool)])
    func admitsWhereNothingIsOpen(
        _ access: RouteAccess, _ admitsNameless: Bool, _ admitsUser: Bool, _ admitsService: Bool, _ admitsBoth: Bool
    ) {
        let closed = RouteAccess.Openness(rooms: false, presence: false)
        #expect(admits(access, nameless, closed) == admitsNameless)
        #expect(admits(access, user, closed) == admitsUser)
        #expect(admits(access, service, closed) == admitsService)
        #expect(admits(access, serviceForUser, closed) == admitsBoth)
    }

    @Test func publicAccessNeedsNoCaller() {
        for access in [RouteAccess.everyone, .reader, .owner, .viewer, .user, .userOrService, .service] {
            let rooms = admits(access, nameless, .init(rooms: true, presence: false))
            let presence = admits(access, nameless, .init(rooms: false, presence: true))
            #expect(rooms == [.everyone, .reader, .owner].contains(access))
            #expect(presence == [.everyone, .viewer].contains(access))
        }
    }
}

@Suite struct RouteCatalogueTests {
    @Test func theRoutesMakeATable() throws {
        var page = StaticFiles()
        for path in ["/", "/client/index.html", "/client/health", "/client/:x", "/client/\u{301}/a"] {
            page.add(path: path, contents: [])
        }
        let table = try RouteTable(RouteCatalogue.routes + page.routes)
        for route in RouteCatalogue.routes {
            for pattern in route.patterns {
                let path = pattern.segments.map { if case .literal(let text) = $0 { text } else { "x" } }
                #expect(table.match(route.method.rawValue, path).route?.summary == route.summary)
            }
        }
        #expect(try table.match("GET", "/client/%CC%81/a").route?.answer.shape == .file)
    }

    /// The calls that count against the caller's rate of calls, as `docs/operations.md` says.
    @Test func changesAndListsCountAsCalls() {
        let uncounted = RouteCatalogue.routes.filter { !$0.limit.countsCalls }
        #expect(
            uncounted.filter { $0.method != .get }.map(\.patterns[0].text)
                == ["/api/chat/:roomId/messages"]
                + RouteCatalogue.changes.filter { $0.method != .get }.map(\.patterns[0].text) + ["/internal/messages"])
        let countedLists = RouteCatalogue.routes.filter { $0.method == .get && $0.limit.countsCalls }
        #expect(
            countedLists.map(\.patterns[0].text)
                == ["/api/rooms", "/api/search", "/api/users", "/api/online-users"]
                + RouteCatalogue.privacy.filter { $0.method == .get }.map(\.patterns[0].text))
    }

    /// Callers see the order of refusals, so that it must not change.
    @Test func onlyTheseRoutesRefuseInputBeforeTheCaller() {
        let routes = RouteCatalogue.routes.filter(\.refusesInputFirst)
        #expect(
            routes.map { "\($0.method.rawValue) \($0.patterns[0].text)" } == [
                "GET /api/chat/:roomId/history", "GET /api/chat/:roomId/read-marks", "POST /api/rooms",
                "PATCH /api/rooms/:roomId",
            ] + RouteCatalogue.changes.map { "\($0.method.rawValue) \($0.patterns[0].text)" } + [
                "PUT /api/rooms/:roomId/bans/:userId", "PUT /api/rooms/:roomId/mutes/:userId",
                "PUT /api/rooms/:roomId/roles/:userId", "POST /api/chat/:roomId/messages/:messageId/flags",
                "GET /api/files/:fileId/:name",
            ])
    }

    @Test func parametersAreDeclaredOnceAndReadsTakeNoBody() {
        for route in RouteCatalogue.routes {
            #expect(Set(route.parameters).count == route.parameters.count)
            if route.method == .get { #expect(!route.parameters.contains { $0.place == .body }) }
        }
    }
}
