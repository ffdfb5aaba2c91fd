import ChatDomain
import HTTPClient
import JSON
import Telemetry

/// The commands that call a running server with the service key.
struct ManagementCommand: Sendable {
    /// How long `--wait` waits for an instance that is drained.
    private static let drainLimit: Duration = .seconds(600)
    private static let pollInterval: Duration = .seconds(1)

    let server: ManagementClient
    let printsJSON: Bool
    let print: @Sendable (String) -> Void
    let complain: @Sendable (String) -> Void

    static func run(
        _ source: ConfigurationSource, _ request: ManagementRequest, _ access: ServerAccess,
        print: @escaping @Sendable (String) -> Void, complain: @escaping @Sendable (String) -> Void
    ) async -> Int32 {
        let server: ManagementClient
        do {
            let address = try ManagedServer(access, source)
            let settings = HTTPClient.Settings(name: "manage", certificateAuthorities: access.certificateFile)
            server = ManagementClient(
                address, client: try HTTPClient(settings), actor: access.actor,
                account: OperatorAccount.current(environment: source.environment))
        } catch {
            complain("chat-service: \(error)")
            return ExitCode.configuration
        }
        let command = Self(server: server, printsJSON: access.printsJSON, print: print, complain: complain)
        do throws(ManagementError) {
            try await command.perform(request)
            await server.close()
            return ExitCode.success
        } catch {
            await server.close()
            complain("chat-service: \(error)")
            return ExitCode.failure
        }
    }

    func perform(_ request: ManagementRequest) async throws(ManagementError) {
        switch request {
        case .stats: try await show(["internal", "stats"]) { FleetText.stats($0) }
        case .sessions(let query): try await show(["internal", "sessions"], query) { FleetText.sessions($0) }
        case .rooms(let query): try await show(["internal", "rooms"], query) { FleetText.rooms($0) }
        case .tail(let request):
            try await Tail(request, server, printsJSON: printsJSON, print: print, complain: complain).run()
        case .kick(let user, let session): try await kick(user, session)
        case .ban(let ban): try await put(ban)
        case .bans(let room, let query):
            try await show(room.map { ["api", "rooms", $0, "bans"] } ?? ["internal", "bans"], query) {
                FleetText.bans($0)
            }
        case .reload(let instance): try await reload(instance)
        case .audit(let query): try await show(["internal", "audit"], query) { FleetText.audit($0) }
        case .drain(let instance, let waits): try await drain(instance, waits: waits)
        case .export(let subject, let output):
            let lines = try await DataExport(server: server, subject: subject, output: output).run(print)
            guard let output else { return }
            report("exported \(lines) lines to \(output)") { $0.member("lines", lines) }
        case .erase(let subject, let messages, let waits): try await erase(subject, messages, waits: waits)
        }
    }

    // MARK: Lists

    private func show(
        _ path: [String], _ query: [QueryItem] = [], _ text: (JSONValue) -> String
    ) async throws(ManagementError) {
        let answer = try await server.call(.get, path, query: query)
        let value = try answer.json()
        print(printsJSON ? answer.text : text(value))
        let missing = Self.unanswered(value)
        if !missing.isEmpty { complain("warning: without \(missing), which did not answer in time") }
    }

    /// The names of instances that did not answer; empty where all did.
    private static func unanswered(_ answer: JSONValue) -> String {
        (answer["unanswered"]?.array?.compactMap(\.string) ?? []).joined(separator: ", ").printable
    }

    // MARK: Acts

    private func kick(_ user: String, _ session: String?) async throws(ManagementError) {
        let query = session.map { [QueryItem("socketId", $0)] } ?? []
        let answer = try await server.call(.delete, ["internal", "users", user, "sessions"], query: query)
        try report(answer) { "ended sessions: \($0["sessions"]?.integer ?? 0)" }
    }

    private func put(_ ban: BanRequest) async throws(ManagementError) {
        let path = ban.room.map { ["api", "rooms", $0, "bans", ban.user] } ?? ["internal", "bans", ban.user]
        let place = ban.room.map { "from \($0)" } ?? "from the deployment"
        if ban.isLifted {
            let answer = try await server.call(.delete, path)
            return try report(answer) { _ in "\(ban.user) is no longer banned \(place)" }
        }
        let until = ban.until ?? ban.span.map(Self.time(after:))
        var body = JSONWriter()
        body.object { body in
            if let until { body.member("until", until.iso8601) }
            if let reason = ban.reason { body.member("reason", reason) }
        }
        let answer = try await server.call(.put, path, body: body.bytes)
        try report(answer) { _ in "\(ban.user) is banned \(place)\(until.map { " until \($0.iso8601)" } ?? "")" }
    }

    private func drain(_ instance: String, waits: Bool) async throws(ManagementError) {
        let answer = try await server.call(.post, ["internal", "drain"], query: [QueryItem("instance", instance)])
        try report(answer) { "\(instance) drains; sessions: \($0["sessions"]?.integer ?? 0)" }
        guard waits else { return }
        let isEmpty = try await poll(for: Self.drainLimit) { () async throws(ManagementError) in
            let stats = try await server.call(.get, ["internal", "stats"]).json()
            // An instance that has ended is in no answer.
            let entry = stats["fleet"]?.array?.first { $0["instance"]?.string == instance }
            return entry.map { $0["sessions"]?.integer == 0 } ?? true
        }
        guard isEmpty else { throw ManagementError(description: "\(instance) still has sessions after ten minutes") }
        if !printsJSON { print("\(instance) has no sessions") }
    }

    private func reload(_ instance: String?) async throws(ManagementError) {
        let query = instance.map { [QueryItem("instance", $0)] } ?? []
        let answer = try await server.call(.post, ["internal", "reload"], query: query, accepting: 409)
        let value = try answer.json()
        print(printsJSON ? answer.text : FleetText.reloads(value))
        let missing = Self.unanswered(value)
        guard missing.isEmpty else {
            throw ManagementError(description: "\(missing) did not answer in time; whether it reloaded is not known")
        }
        guard answer.status != 409 else {
            throw ManagementError(
                description: "not every instance reloaded; those that refused keep their previous settings")
        }
    }

    private func erase(_ subject: DataSubject, _ messages: String?, waits: Bool) async throws(ManagementError) {
        let path = subject.path
        let query: [QueryItem] =
            switch subject {
            case .user: [QueryItem("messages", messages ?? "erase")]
            case .room: [QueryItem("erase", "true")]
            }
        let answer = try await server.call(.delete, path, query: query)
        try report(answer) { "erasing; job \($0["erasureId"]?.string ?? "unknown")" }
        guard waits else { return }
        _ = try await poll(for: nil) { () async throws(ManagementError) in
            try await server.call(.get, path).json()["state"]?.string != "running"
        }
        if !printsJSON { print("erased") }
    }

    // MARK: Helpers

    /// Asks again until the condition holds. Failures that pass are waited out, for a minute.
    ///
    /// - Parameter limit: nil: without one.
    /// - Returns: whether it holds.
    private func poll(
        for limit: Duration?, until holds: () async throws(ManagementError) -> Bool
    ) async throws(ManagementError) -> Bool {
        let start = ContinuousClock.now
        var lastAnswer = start
        while limit.map({ .now < start + $0 }) ?? true {
            do throws(ManagementError) {
                if try await holds() { return true }
                lastAnswer = .now
            } catch {
                guard error.isPassing, .now < lastAnswer + .seconds(60) else { throw error }
            }
            try? await Task.sleep(for: Self.pollInterval)
        }
        return false
    }

    private func report(
        _ answer: ManagementClient.Answer, _ text: (JSONValue) -> String
    ) throws(ManagementError) {
        let value = try answer.json()
        print(printsJSON ? answer.text : text(value).printable)
    }

    private func report(_ text: String, _ members: (inout JSONWriter) -> Void) {
        guard printsJSON else { return complain(text) }
        var writer = JSONWriter()
        writer.object(members)
        print(String(decoding: writer.bytes, as: UTF8.self))
    }

    private static func time(after span: Duration) -> Timestamp {
        Timestamp(milliseconds: WallClock.milliseconds() + span.wholeMilliseconds)
    }
}

extension DataSubject {
    /// Of the management routes.
    var path: [String] {
        switch self {
        case .user(let id): ["internal", "users", id]
        case .room(let id): ["internal", "rooms", id]
        }
    }
}
