/// What one sentinel said when it was last asked.
enum SentinelReport: Hashable, Sendable {
    /// It names the primary. `epoch` numbers the sentinels' decisions; nil where it may not be asked for it.
    case primary(RedisAddress, epoch: Int64?)
    /// It answers, and names none.
    case noPrimary(reason: String)
    /// It does not answer.
    case unavailable(reason: String)
}

extension SentinelReport {
    /// The questions. The first is the one that clients of Redis have to ask. The second gives the number of the decision, by which
    /// an outdated sentinel is recognised.
    static func questions(_ name: String) -> [RedisCommand] {
        [
            ["SENTINEL", "GET-MASTER-ADDR-BY-NAME", RedisArgument(name)],
            ["SENTINEL", "MASTER", RedisArgument(name)],
        ]
    }

    /// - Parameters:
    ///   - address: the reply to the first question.
    ///   - details: the reply to the second; any failure of it counts as "not allowed".
    init(address: Result<RedisValue, RedisError>, details: Result<RedisValue, RedisError>) {
        switch address {
        case .failure(.server(let code, _)):
            self = .noPrimary(
                reason: code == "ERR" || code == ErrorReply.unknownCommand
                    ? "it is not a sentinel" : "it refuses to say where the primary is (\(code.prefix(32)))")
        case .failure(.timeout): self = .unavailable(reason: "no answer in time")
        case .failure(.unavailable(let reason)), .failure(.interrupted(let reason)):
            self = .unavailable(reason: reason)
        case .success(.null): self = .noPrimary(reason: "it knows no primary of that name")
        case .success(let reply):
            guard let primary = Self.address(reply) else {
                self = .noPrimary(reason: "it does not answer as a sentinel does")
                return
            }
            self = .primary(primary, epoch: (try? details.get()).flatMap(Self.epoch))
        }
    }

    /// The name or IP address and the port. The text reaches the resolver and the log, so it has to be short and plain.
    private static func address(_ reply: RedisValue) -> RedisAddress? {
        guard let parts = reply.array, parts.count == 2, let host = parts[0].text, let number = parts[1].integer,
            let port = UInt16(exactly: number), port > 0, (1...255).contains(host.utf8.count),
            host.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
        else { return nil }
        return RedisAddress(host: host, port: port)
    }

    /// The field `config-epoch` of a list of names and values.
    private static func epoch(_ reply: RedisValue) -> Int64? {
        guard let fields = reply.array else { return nil }
        let name = stride(from: 0, to: fields.count - 1, by: 2).first { fields[$0].text == "config-epoch" }
        return name.flatMap { fields[$0 + 1].integer }
    }
}
