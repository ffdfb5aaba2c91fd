import ChatCore
import ChatDomain
import ChatProtocol
import JSON
import Telemetry
import WireProtocols

/// Searching messages and people over REST.
struct SearchRoutes: RouteGroup {
    static let limits = Int64(MessageSearch.limits.lowerBound)...Int64(MessageSearch.limits.upperBound)
    static let peopleLimits = Int64(PeopleQuery.limits.lowerBound)...Int64(PeopleQuery.limits.upperBound)
    static let maximumKindCharacters = 32

    private let services: Services
    private var access: RoomAccess { RoomAccess(services: services) }

    init(services: Services) { self.services = services }

    /// Messages of the rooms that the caller may read, the newest first.
    func messages(_ request: RESTRequest) async throws(ChatError) -> HTTPResponse {
        let search = try search(request)
        if let room = search.room { _ = try await access.info(room, by: try request.caller()) }
        let page = try await page(search)
        return .json(
            EventJSON.success { out in
                out.key("results")
                out.array(page.messages) { out, message in
                    MessageJSON.encode(message, into: &out) { out in
                        out.key("highlights")
                        out.array(search.query.highlights(in: message.body.text) ?? []) { out, range in
                            out.array([range.lowerBound, range.upperBound]) { $0.integer(Int64($1)) }
                        }
                    }
                }
                if let cursor = page.cursor { out.member("cursor", cursor.text) }
            })
    }

    private func search(_ request: RESTRequest) throws(ChatError) -> MessageSearch {
        let query = try SearchQuery(parsing: request.query("q") ?? "")
        let reader = try request.user().userID
        var search = MessageSearch(query, reader: reader, at: services.clock.now.wall)
        if let room = request.query("roomId") { search.room = try RoomID(validating: room, field: "roomId") }
        if let author = request.query("from") { search.author = try UserID(validating: author, field: "from") }
        if let kind = request.query("messageType") {
            try ShortText.check(kind, field: "messageType", maximumCharacters: Self.maximumKindCharacters)
            search.kind = kind
        }
        if let cursor = request.query("before") {
            try ShortText.check(cursor, field: "before", maximumCharacters: SearchCursor.maximumCharacters)
            search.cursor = SearchCursor(cursor)
        }
        if let limit = try request.integer("limit", in: Self.limits) { search.limit = Int(limit) }
        return search
    }

    private func page(_ search: MessageSearch) async throws(ChatError) -> SearchPage {
        do throws(StoreError) {
            return try await services.store.search(search)
        } catch .rejected where search.cursor != nil {
            throw .badRequest("before is no cursor of a search")
        } catch {
            services.storeTrouble.warning("store call failed", ["reason": "\(error)"])
            throw .storageUnavailable
        }
    }

    /// People by id, username or name, as far as the caller may see them. The one whose id is asked for comes first.
    func people(_ request: RESTRequest) async throws(ChatError) -> HTTPResponse {
        let query = try PeopleQuery(parsing: request.query("q") ?? "")
        let caller = try request.caller()
        let limit = try request.integer("limit", in: Self.peopleLimits).map(Int.init) ?? PeopleQuery.defaultLimit
        let viewer =
            caller.isService ? PresenceHub.service : await services.presence.viewer(caller.user?.userID)
        let found = try await people(query, limit: limit, for: viewer)
        let views = await services.presence.views(of: found.map(\.user), for: viewer)
        var out = JSONWriter()
        out.array(zip(found, views).map { ($0.user, $0.profile, $1) }) { out, person in
            let (user, profile, view) = person
            out.object { out in
                out.member("userId", user.value)
                out.member("username", profile.username ?? view.user.username)
                out.member("name", profile.name)
                out.member("avatar", profile.avatar)
                out.member("status", view.status.rawValue)
            }
        }
        return .json(out.bytes)
    }

    private func people(
        _ query: PeopleQuery, limit: Int, for viewer: PresenceViewer
    ) async throws(ChatError) -> [(user: UserID, profile: Profile)] {
        try await access.store { (store) async throws(StoreError) in
            var found: [(user: UserID, profile: Profile)]
            let named = try? UserID(validating: query.text, field: "q")
            if let visible = viewer.visibleUsers.only {
                found = try await store.profiles(of: Array(visible)).map { ($0, $1) }
                    .filter { query.matches($0.user, $0.profile) }.sorted { $0.user < $1.user }
            } else {
                found = try await store.people(query, limit: limit)
                if let named, !found.contains(where: { $0.user == named }),
                    let profile = try await store.profiles(of: [named])[named]
                {
                    found.append((named, profile))
                }
            }
            if let index = found.firstIndex(where: { $0.user == named }) {
                found.insert(found.remove(at: index), at: 0)
            }
            return Array(found.prefix(limit))
        }
    }
}
