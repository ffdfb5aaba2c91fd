import ChatCore
import ChatDomain
import ChatProtocol
import JSON
import Telemetry
import WireProtocols

/// The fleet as it is now, for operators; the instance that is asked asks all others.
struct ManagementRoutes: RouteGroup {
    static let pageLimits: ClosedRange<Int64> = 1...200
    private static let usualLimit: Int64 = 50

    private let services: Services

    init(services: Services) { self.services = services }

    // MARK: Reading

    func sessions(_ request: RESTRequest) async throws(ChatError) -> HTTPResponse {
        let query = SessionQuery(
            user: try request.identifier("userId"), room: try request.identifier("roomId"),
            filter: try request.filter(), order: try request.choice("sort") ?? .connectedAt,
            limit: try request.pageLimit(Self.pageLimits, usually: Self.usualLimit))
        let instance = try request.instance()
        let fleet = try await services.askFleet(.sessions(query), of: instance)
        var page = SessionPage(query)
        for answer in fleet.answers { page.add(answer) }
        return .json(
            EventJSON.success { out in
                page.write(into: &out)
                fleet.write(into: &out)
            })
    }

    func rooms(_ request: RESTRequest) async throws(ChatError) -> HTTPResponse {
        let query = RoomQuery(
            filter: try request.filter(), order: try request.choice("sort") ?? .sessions,
            limit: try request.pageLimit(Self.pageLimits, usually: Self.usualLimit))
        let fleet = try await services.askFleet(.rooms(query))
        var page = RoomPage(query)
        for answer in fleet.answers { page.add(answer) }
        return .json(
            EventJSON.success { out in
                page.write(into: &out)
                fleet.write(into: &out)
            })
    }

    func stats(_: RESTRequest) async throws(ChatError) -> HTTPResponse {
        let fleet = try await services.askFleet(.stats)
        let online = await services.presence.directory.onlineCount()
        let now = services.clock.now.wall
        return .json(
            EventJSON.success { out in
                out.member("timestamp", now.iso8601)
                out.member("online", online)
                out.key("fleet")
                out.array(fleet.answers.filter(\.isStats)) { $0.value($1.root) }
                fleet.write(into: &out)
            })
    }

    /// The audit trail, the newest entry first.
    func audit(_ request: RESTRequest) async throws(ChatError) -> HTTPResponse {
        let limit = try request.pageLimit(Self.pageLimits, usually: Self.usualLimit)
        var query = AuditQuery(
            limit: limit + 1, action: try request.choice("action"), user: try request.identifier("userId"),
            actor: try request.identifier("actor"))
        if let text = request.query("before") {
            guard let place = AuditPlace(text) else { throw .badRequest("before is no cursor of the audit trail") }
            query.before = place
        }
        let found = try await RoomAccess(services: services).store { [query] (store) async throws(StoreError) in
            try await store.auditEntries(query)
        }
        let shown = found.prefix(limit)
        return .json(
            EventJSON.success { out in
                out.key("entries")
                out.array(shown) { out, entry in out.object { $0.entry(entry) } }
                if found.count > shown.count, let last = shown.last { out.member("cursor", "\(last.place)") }
            })
    }

    // MARK: Acting

    func drain(_ request: RESTRequest) async throws(ChatError) -> HTTPResponse {
        guard let instance = try request.instance() else {
            throw .badRequest("instance must name the instance to drain")
        }
        let fleet = try await services.askFleet(.drain, of: instance)
        guard let answer = fleet.answers.first, let sessions = answer.root["sessions"]?.integer else {
            throw ChatError(.overloaded, "the instance did not answer")
        }
        let caller = try request.caller()
        services.logger.notice("drain requested", ["instance": instance.value, "by": caller.logName])
        await services.audit.record(try request.act(.drain, detail: instance.value))
        return .json(
            EventJSON.success { out in
                out.member("instance", instance.value)
                out.member("state", "draining")
                out.member("sessions", max(0, sessions))
            }, status: 202)
    }

    func reload(_ request: RESTRequest) async throws(ChatError) -> HTTPResponse {
        let instance = try request.instance()
        let fleet = try await services.askFleet(.reload, of: instance)
        let reports = fleet.answers.map { (instance: $0.instance, report: ReloadReport($0.root)) }
        let refusals = reports.filter { !$0.report.isApplied }
        let applied = reports.filter(\.report.isApplied).map(\.instance)
        if !applied.isEmpty { await services.audit.record(try request.act(.reload, detail: Self.names(applied))) }
        if !refusals.isEmpty || reports.isEmpty {
            let names = Self.names(reports.isEmpty ? fleet.unanswered : refusals.map(\.instance))
            var act = try request.act(.reload, detail: names)
            act.outcome = .refused
            await services.audit.record(act)
        }
        guard !reports.isEmpty else { throw ChatError(.overloaded, "no instance answered") }
        func write(_ out: inout JSONWriter) {
            out.key("reloads")
            out.array(reports) { out, reload in
                out.object { out in
                    out.member("instance", reload.instance.value)
                    reload.report.write(into: &out)
                }
            }
            fleet.write(into: &out)
        }
        guard !refusals.isEmpty else { return .json(EventJSON.success { write(&$0) }) }
        let reasons = refusals.map { "\($0.instance): \($0.report.error ?? "")" }.joined(separator: "; ")
        let others = applied.isEmpty ? "" : "; reloaded: \(Self.names(applied))"
        let text = "the reload was refused, and there the previous settings stay in use: \(reasons)\(others)"
        return Problem.response(ChatError(.conflict, text), members: write)
    }

    private static func names(_ instances: [InstanceID]) -> String {
        instances.map(\.value).joined(separator: " ")
    }
}

extension FleetAnswer {
    /// Whether it has what readers of figures rely on.
    fileprivate var isStats: Bool {
        root["instance"]?.string == instance.value && root["sessions"]?.integer != nil
            && root["dependencies"]?.array != nil
    }
}

extension JSONWriter {
    fileprivate mutating func entry(_ entry: AuditEntry) {
        member("id", "\(entry.id)")
        member("timestamp", entry.timestamp.milliseconds)
        member("action", entry.action.rawValue)
        member("outcome", entry.outcome.rawValue)
        member("service", entry.isService)
        member("actor", entry.actor?.value)
        member("address", entry.address)
        member("instance", entry.instance.value)
        member("userId", entry.user?.value)
        member("roomId", entry.room?.value)
        member("messageId", entry.message?.description)
        member("detail", entry.detail)
    }
}

extension RESTRequest {
    /// The act of management that this call is, for the audit trail.
    func act(_ action: AuditEntry.Action, detail: String? = nil) throws(ChatError) -> AuditAct {
        let caller = try caller()
        var act = AuditAct(action, detail: detail)
        act.isService = caller.isService
        act.actor = caller.user?.userID
        act.address = caller.address.map { "\($0)" }
        act.account = caller.account
        act.user = optionalPathParameter("userId").map { UserID(unchecked: $0) }
        act.room = optionalPathParameter("roomId").map { RoomID(unchecked: $0) }
        act.message = optionalPathParameter("messageId").flatMap { MessageID($0) }
        return act
    }

    fileprivate func identifier<ID: ClientIdentifier>(_ name: String) throws(ChatError) -> ID? {
        guard let text = query(name) else { return nil }
        return try ID(validating: text, field: name)
    }

    fileprivate func choice<Choice: RawRepresentable & CaseIterable>(
        _ name: String
    ) throws(ChatError) -> Choice? where Choice.RawValue == String {
        guard let text = query(name) else { return nil }
        guard let choice = Choice(rawValue: text) else {
            throw .badRequest("\(name) must be one of \(Choice.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        return choice
    }

    fileprivate func filter() throws(ChatError) -> TextFilter? {
        guard let text = query("q"), !text.isEmpty else { return nil }
        try ShortText.check(text, field: "q", maximumCharacters: TextFilter.maximumCharacters)
        return TextFilter(text)
    }

    fileprivate func pageLimit(_ limits: ClosedRange<Int64>, usually usual: Int64) throws(ChatError) -> Int {
        Int(try integer("limit", in: limits) ?? usual)
    }

    fileprivate func instance() throws(ChatError) -> InstanceID? {
        guard let text = query("instance") else { return nil }
        try ShortText.check(text, field: "instance", maximumCharacters: 16)
        return InstanceID(text)
    }
}
