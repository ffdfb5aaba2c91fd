import ChatCore
import ChatProtocol
import ChatDomain
import JSON
import WireProtocols

/// Users' presence over REST.
struct PresenceRoutes: RouteGroup {
    /// Users that one query may name.
    static let maximumIDs = 1000
    static let pageLimits = 1...Int64(PresencePage.maximumUsers)

    private let services: Services
    private var hub: PresenceHub { services.presence }

    init(services: Services) { self.services = services }

    /// `[{"id", "online"}]` in the order asked; ids that are canonical integers come back as numbers.
    func onlineStatus(_ request: RESTRequest) async throws(ChatError) -> HTTPResponse {
        let viewer = await viewer(try request.caller())
        let views = await hub.views(of: try ids(request), for: viewer)
        var out = JSONWriter()
        out.array(views) { out, view in
            out.object { out in
                out.key("id")
                out.publicID(view.user.userID)
                out.member("online", view.isOnline)
            }
        }
        return .json(out.bytes)
    }

    /// `[{"userId", "status", "online", "lastSeen", "sessions"}]` in the order asked.
    func presence(_ request: RESTRequest) async throws(ChatError) -> HTTPResponse {
        let viewer = await viewer(try request.caller())
        let views = await hub.views(of: try ids(request), for: viewer)
        var out = JSONWriter()
        out.array(views) { out, view in
            out.object { out in
                out.member("userId", view.user.userID.value)
                out.summary(view)
                out.member("online", view.isOnline)
                out.member("sessions", view.sessions)
            }
        }
        return .json(out.bytes)
    }

    /// A page of the users that are online, at most 1,000, with their profiles.
    func onlineUsers(_ request: RESTRequest) async throws(ChatError) -> HTTPResponse {
        let caller = try request.caller()
        let viewer = await viewer(caller)
        var excluded: UserID?
        if let id = request.query("excludeUserId"), !id.isEmpty {
            excluded = try UserID(validating: id, field: "excludeUserId")
        }
        let isCountOnly = try isCountOnly(request)
        let online = await hub.online(isCountOnly ? PresencePage(limit: 0) : try page(request), for: viewer)
        var isExcludedListed = false
        if let excluded { isExcludedListed = await hub.lists(excluded, for: viewer) }
        let now = services.clock.now.wall
        let profiles = await hub.profiles(of: online.views.map(\.user.userID))
        var budget = PageBudget()
        let fitting = online.views.prefix {
            budget.takes($0.encodedBytes + (profiles[$0.user.userID]?.encodedBytes ?? 0))
        }
        let next = fitting.count < online.views.count ? fitting.last?.user.userID : online.next
        let shown = fitting.filter { $0.user.userID != excluded }
        let showsEmail = caller.isService
        return .json(
            EventJSON.success { out in
                if !isCountOnly {
                    out.key("data")
                    out.array(shown) { out, view in
                        out.object { $0.onlineUser(view, profiles[view.user.userID], showsEmail: showsEmail) }
                    }
                }
                out.member("count", online.count - (isExcludedListed ? 1 : 0))
                out.stamp(now)
                if let next {
                    out.member("cursor", next.value)
                }
            })
    }

    private func isCountOnly(_ request: RESTRequest) throws(ChatError) -> Bool {
        switch request.query("countOnly") {
        case nil, "", "false", "0": false
        case "true", "1": true
        default: throw .badRequest("countOnly must be true or false")
        }
    }

    private func page(_ request: RESTRequest) throws(ChatError) -> PresencePage {
        var cursor: UserID?
        if let text = request.query("cursor") { cursor = try UserID(validating: text, field: "cursor") }
        let limit = try request.integer("limit", in: Self.pageLimits)
        return PresencePage(after: cursor, limit: limit.map(Int.init) ?? PresencePage.maximumUsers)
    }

    private func viewer(_ caller: Caller) async -> PresenceViewer {
        if caller.isService { return PresenceHub.service }
        return await hub.viewer(caller.user?.userID)
    }

    private func ids(_ request: RESTRequest) throws(ChatError) -> [UserID] {
        guard let text = request.query("ids"), !text.isEmpty else { throw .badRequest("ids is missing") }
        let parts = text.split(separator: ",", omittingEmptySubsequences: false)
        guard parts.count <= Self.maximumIDs else {
            throw .badRequest("ids must name \(Self.maximumIDs) users at most")
        }
        var ids: [UserID] = []
        for part in parts { ids.append(try UserID(validating: String(part), field: "ids")) }
        return ids
    }
}

extension JSONWriter {
    /// An id as older services wrote it: the canonical text of an integer is written as a number.
    mutating func publicID(_ user: UserID) {
        if let number = Int64(user.value), String(number) == user.value, JSONValue.exactIntegers.contains(number) {
            integer(number)
        } else {
            string(user.value)
        }
    }

    mutating func onlineUser(_ view: PresenceView, _ profile: Profile?, showsEmail: Bool) {
        member("id", view.user.userID.value)
        member("name", profile?.name ?? view.user.username)
        member("username", view.user.username)
        member("email", showsEmail ? profile?.email : nil)
        member("avatar", profile?.avatar)
        member("status", view.status.rawValue)
    }
}

extension Profile {
    /// The most bytes that the shown members take as JSON.
    fileprivate var encodedBytes: Int { [name, email, avatar].reduce(0) { $0 + ($1?.jsonBytes ?? 4) } }
}
