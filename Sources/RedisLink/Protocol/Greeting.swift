/// What is said first on every connection: who we are, which database, and a question whose answer shows that Redis serves.
struct Greeting {
    enum Action: Equatable {
        case wait
        case done
        /// Redis will not have us; why, without the secret and without the server's own words, which might quote it.
        case refused(reason: String)
    }

    private enum Step {
        case authenticate, select, ping
    }

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
        steps.append((.ping, ["PING"]))
        commands = steps.map(\.1)
        awaited = steps.map(\.0)
    }

    mutating func receive(_ value: RedisValue) -> Action {
        guard !awaited.isEmpty else { return .refused(reason: "more answers than questions") }
        let step = awaited.removeFirst()
        if case .error(let code, _) = value { return .refused(reason: Self.reason(step, code)) }
        guard awaited.isEmpty else { return .wait }
        return value == .string(Array("PONG".utf8))
            ? .done : .refused(reason: "the server does not speak as Redis does")
    }

    private static func reason(_ step: Step, _ code: String) -> String {
        let code = String(code.prefix(32))
        return switch step {
        case .authenticate: "Redis refuses the user or password (\(code))"
        case .select: "Redis refuses the database (\(code))"
        case .ping where code == "NOAUTH": "Redis asks for a password and none is configured (NOAUTH)"
        case .ping: "Redis does not serve (\(code))"
        }
    }
}
