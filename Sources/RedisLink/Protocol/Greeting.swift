/// The first commands of every connection: the user, the database, a question for version and role, and a PING whose answer shows
/// that the server serves. A sentinel has neither databases nor a role. A node of a cluster may be a replica, since it redirects what it does not
/// take.
struct Greeting {
    enum Kind {
        case primary, sentinel, node
    }

    enum Action: Equatable {
        case wait
        case done
        /// Redis refuses. The reason has neither the password nor the server's own words, which might quote it.
        case refused(reason: String)
        /// This server takes no writes. Another address of the same name may be the primary.
        case notPrimary(reason: String)
    }

    private enum Step {
        case authenticate, select, hello, ping
    }

    /// The scripts use HRANDFIELD, which came with 6.2.
    static let leastVersion = (major: 6, minor: 2)

    /// Sent in one write.
    let commands: [[RedisArgument]]
    private let kind: Kind
    private var awaited: [Step]

    init(_ access: RedisAccess, of kind: Kind = .primary) {
        self.kind = kind
        var steps: [(Step, [RedisArgument])] = []
        if let password = access.password {
            let user = access.user.map { [RedisArgument($0)] } ?? []
            steps.append((.authenticate, ["AUTH"] + user + [RedisArgument(password)]))
        }
        if kind == .primary, access.database != 0 {
            steps.append((.select, ["SELECT", RedisArgument(access.database)]))
        }
        // Unlike INFO and ROLE no access list denies it, and it gives the version and the role.
        if kind != .sentinel { steps.append((.hello, ["HELLO", "2"])) }
        steps.append((.ping, ["PING"]))
        commands = steps.map(\.1)
        awaited = steps.map(\.0)
    }

    mutating func receive(_ value: RedisValue) -> Action {
        guard !awaited.isEmpty else { return .refused(reason: "more answers than commands") }
        let step = awaited.removeFirst()
        if case .error(let code, _) = value { return Self.refusal(step, String(code.prefix(32))) }
        switch step {
        case .authenticate, .select: return .wait
        case .hello: return check(value)
        case .ping: return value == .string(Array("PONG".utf8)) ? .done : .refused(reason: Self.notRedis)
        }
    }

    private static let isSentinel = "the server is a sentinel, whose addresses belong into redis+sentinel://"
    private static let notRedis = "the server does not answer as Redis does"

    /// A version in another form than usual counts as recent enough.
    private func check(_ hello: RedisValue) -> Action {
        guard let fields = hello.array else { return .refused(reason: Self.notRedis) }
        func field(_ name: String) -> String? {
            stride(from: 0, to: fields.count - 1, by: 2).first { fields[$0].text == name }.flatMap {
                fields[$0 + 1].text
            }
        }
        if field("mode") == "sentinel" { return .refused(reason: Self.isSentinel) }
        if let version = field("version") {
            let parts = version.split(separator: ".").prefix(2).compactMap { Int($0) }
            if parts.count == 2, (parts[0], parts[1]) < (Self.leastVersion.major, Self.leastVersion.minor) {
                return .refused(reason: Self.tooOld("it is \(version.prefix(16))"))
            }
        }
        switch field("role") {
        case "replica", "slave":
            return kind == .node ? .wait : .notPrimary(reason: "Redis is a replica, which takes no writes")
        default: return .wait
        }
    }

    private static func refusal(_ step: Step, _ code: String) -> Action {
        switch step {
        case .authenticate: .refused(reason: "Redis refuses the user or password (\(code))")
        case .select: .refused(reason: "Redis refuses the database (\(code))")
        case .hello where code == "ERR": .refused(reason: tooOld("it does not know HELLO"))
        case .hello, .ping:
            ErrorReply.endsConnection(code) && code != "NOAUTH"
                ? .notPrimary(reason: ErrorReply.reason(code)) : .refused(reason: ErrorReply.reason(code))
        }
    }

    private static func tooOld(_ why: String) -> String {
        "Redis has to be \(leastVersion.major).\(leastVersion.minor) or later, and \(why)"
    }
}
