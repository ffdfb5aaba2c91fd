/// What is said first on every connection: who we are, which database, what this server is, and a question whose answer
/// shows that it serves.
struct Greeting {
    enum Action: Equatable {
        case wait
        case done
        /// Redis will not have us; why, without the secret and without the server's own words, which might quote it.
        case refused(reason: String)
        /// This server cannot be written to. Another one of the same name may be the primary.
        case elsewhere(reason: String)
    }

    private enum Step {
        case authenticate, select, hello, ping
    }

    /// The scripts use HRANDFIELD, which came with 6.2.
    static let leastVersion = (major: 6, minor: 2)

    /// What to send, in one go.
    let commands: [[RedisArgument]]
    private var awaited: [Step]

    init(_ endpoint: RedisEndpoint) {
        var steps: [(Step, [RedisArgument])] = []
        if let password = endpoint.password {
            let user = endpoint.user.map { [RedisArgument($0)] } ?? []
            steps.append((.authenticate, ["AUTH"] + user + [RedisArgument(password)]))
        }
        if endpoint.database != 0 { steps.append((.select, ["SELECT", RedisArgument(endpoint.database)])) }
        // Unlike INFO and ROLE no access list denies it, and it tells the version and the role.
        steps.append((.hello, ["HELLO", "2"]))
        steps.append((.ping, ["PING"]))
        commands = steps.map(\.1)
        awaited = steps.map(\.0)
    }

    mutating func receive(_ value: RedisValue) -> Action {
        guard !awaited.isEmpty else { return .refused(reason: "more answers than questions") }
        let step = awaited.removeFirst()
        if case .error(let code, _) = value { return Self.refusal(step, String(code.prefix(32))) }
        switch step {
        case .authenticate, .select: return .wait
        case .hello: return Self.judge(value)
        case .ping: return value == .string(Array("PONG".utf8)) ? .done : .refused(reason: Self.foreign)
        }
    }

    private static let foreign = "the server does not speak as Redis does"

    /// A version that is not of the usual form is believed to be recent enough.
    private static func judge(_ hello: RedisValue) -> Action {
        guard let fields = hello.array else { return .refused(reason: foreign) }
        func field(_ name: String) -> String? {
            stride(from: 0, to: fields.count - 1, by: 2).first { fields[$0].text == name }.flatMap {
                fields[$0 + 1].text
            }
        }
        if let version = field("version") {
            let parts = version.split(separator: ".").prefix(2).compactMap { Int($0) }
            if parts.count == 2, (parts[0], parts[1]) < (leastVersion.major, leastVersion.minor) {
                return .refused(reason: tooOld("it is \(version.prefix(16))"))
            }
        }
        switch field("role") {
        case "replica", "slave": return .elsewhere(reason: "Redis is a replica, which takes no writes")
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
                ? .elsewhere(reason: ErrorReply.reason(code)) : .refused(reason: ErrorReply.reason(code))
        }
    }

    private static func tooOld(_ why: String) -> String {
        "Redis has to be \(leastVersion.major).\(leastVersion.minor) or later, and \(why)"
    }
}
