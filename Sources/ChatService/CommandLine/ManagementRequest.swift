import ChatDomain

/// A call of a running server by a command.
enum ManagementRequest: Equatable, Sendable {
    case stats
    case sessions([QueryItem])
    case rooms([QueryItem])
    case tail(TailRequest)
    case kick(user: String, session: String?)
    case ban(BanRequest)
    /// - Parameter room: nil: the bans from the whole deployment.
    case bans(room: String?, [QueryItem])
    case drain(instance: String, waits: Bool)
    /// - Parameter instance: nil: all of them.
    case reload(instance: String?)
    case audit([QueryItem])
    case export(DataSubject, output: String?)
    case erase(DataSubject, messages: String?, waits: Bool)
}

/// A parameter of a URL's query.
struct QueryItem: Equatable, Sendable {
    let name: String
    let value: String

    init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }
}

/// How a command finds the server, and what it prints.
struct ServerAccess: Equatable, Sendable {
    /// nil: the server on this machine.
    var url: String?
    /// nil: the configured key.
    var serviceKeyFile: String?
    var certificateFile: String?
    /// The user that acts, for the audit trail; nil for a caller that names none.
    var actor: UserID?
    var printsJSON = false
}

enum DataSubject: Equatable, Sendable {
    case user(String)
    case room(String)
}

struct TailRequest: Equatable, Sendable {
    var room: String?
    var user: String?
    var last = 10
    var interval = Duration.seconds(1)
}

struct BanRequest: Equatable, Sendable {
    var user: String
    /// nil: the whole deployment.
    var room: String?
    /// nil: not limited by a span.
    var span: Duration?
    /// nil: not limited by a time.
    var until: Timestamp?
    var reason: String?
    var isLifted = false
}

extension ServerAccess {
    init(_ arguments: CommandArguments) throws(UsageError) {
        url = try arguments.text("--server")
        if let url, ServerURL(url).map({ ["http", "https"].contains($0.scheme) }) != true {
            throw UsageError(description: "--server must be http://HOST:PORT or https://HOST:PORT")
        }
        serviceKeyFile = try arguments.text("--service-key-file")
        certificateFile = try arguments.text("--ca-file")
        if let text = arguments["--as"] {
            do throws(ChatError) { actor = try UserID(validating: text, field: "--as") } catch {
                throw UsageError(description: error.message)
            }
        }
        printsJSON = arguments.has("--json")
    }
}

extension ManagementRequest {
    /// nil for a command of another kind.
    init?(_ arguments: CommandArguments) throws(UsageError) {
        switch arguments.command {
        case "stats": self = .stats
        case "sessions":
            self = .sessions(
                try Self.query(arguments, "--sort", from: ["connectedAt", "lastActivity", "queuedBytes", "userId"]))
        case "rooms": self = .rooms(try Self.query(arguments, "--sort", from: ["sessions", "roomId", "lastSeq"]))
        case "tail": self = .tail(try TailRequest(arguments))
        case "kick": self = .kick(user: arguments.operand, session: try arguments.text("--session"))
        case "ban": self = .ban(try BanRequest(arguments))
        case "bans":
            self = .bans(room: try arguments.text("--room"), try Self.page(arguments))
        case "reload": self = .reload(instance: try arguments.text("--instance"))
        case "audit":
            self = .audit(try Self.query(arguments, "--action", from: AuditEntry.Action.allCases.map(\.rawValue)))
        case "drain": self = .drain(instance: arguments.operand, waits: arguments.has("--wait"))
        case "export": self = .export(try DataSubject(arguments), output: try arguments.text("--output"))
        case "erase": self = try Self.erasure(arguments)
        default: return nil
        }
    }

    /// - Parameters:
    ///   - choice: an option that takes one of `values`.
    private static func query(
        _ arguments: CommandArguments, _ choice: String, from values: [String]
    ) throws(UsageError) -> [QueryItem] {
        var items: [QueryItem] = []
        let names = [
            ("--user", "userId"), ("--room", "roomId"), ("--instance", "instance"), ("--search", "q"),
            ("--sort", "sort"), ("--action", "action"), ("--actor", "actor"), ("--before", "before"),
        ]
        for (option, name) in names {
            guard let value = try arguments.text(option) else { continue }
            if option == choice, !values.contains(value) {
                throw UsageError(description: "\(choice) takes one of \(values.joined(separator: ", "))")
            }
            items.append(QueryItem(name, value))
        }
        return items + (try page(arguments))
    }

    private static func page(_ arguments: CommandArguments) throws(UsageError) -> [QueryItem] {
        var items: [QueryItem] = []
        if let cursor = try arguments.text("--after") { items.append(QueryItem("cursor", cursor)) }
        if let limit = try arguments.value("--limit", .integer(1...200)) {
            items.append(QueryItem("limit", "\(limit)"))
        }
        return items
    }

    private static func erasure(_ arguments: CommandArguments) throws(UsageError) -> Self {
        let subject = try DataSubject(arguments)
        let messages = try arguments.text("--messages")
        if let messages {
            guard case .user = subject else { throw UsageError(description: "--messages goes with --user") }
            guard ["erase", "anonymize"].contains(messages) else {
                throw UsageError(description: "--messages takes erase or anonymize")
            }
        }
        guard arguments.has("--yes") else {
            throw UsageError(description: "erase cannot be undone; confirm it with --yes")
        }
        return .erase(subject, messages: messages, waits: arguments.has("--wait"))
    }
}

extension DataSubject {
    init(_ arguments: CommandArguments) throws(UsageError) {
        switch (try arguments.text("--user"), try arguments.text("--room")) {
        case (let user?, nil): self = .user(user)
        case (nil, let room?): self = .room(room)
        default: throw UsageError(description: "\(arguments.command) needs --user ID or --room ID")
        }
    }
}

extension TailRequest {
    init(_ arguments: CommandArguments) throws(UsageError) {
        room = try arguments.text("--room")
        user = try arguments.text("--user")
        guard room != nil || user != nil else {
            throw UsageError(description: "tail needs --room ID or --user ID")
        }
        last = try arguments.value("--last", .integer(0...1000)) ?? last
        interval = try arguments.value("--interval", .withUnit) ?? interval
    }
}

extension BanRequest {
    init(_ arguments: CommandArguments) throws(UsageError) {
        user = arguments.operand
        room = try arguments.text("--room")
        span = try arguments.value("--for", .withUnit)
        reason = try arguments.text("--reason")
        isLifted = arguments.has("--lift")
        if let text = try arguments.text("--until") {
            guard let time = Timestamp(iso8601: text) else {
                throw UsageError(description: "--until must be an ISO 8601 time such as 2030-01-31T12:00:00Z")
            }
            until = time
        }
        if until != nil, span != nil { throw UsageError(description: "--for and --until say the same; give one") }
        if isLifted, until != nil || span != nil || reason != nil {
            throw UsageError(description: "--lift goes with --room alone")
        }
    }
}
