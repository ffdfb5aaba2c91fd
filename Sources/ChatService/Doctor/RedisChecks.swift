import ChatDomain
import RedisLink

/// Redis: whether it can be reached, its version, what its user may do, its memory and its clock.
enum RedisChecks {
    private static let connectLimit = Duration.seconds(5)
    private static let keyLifetime = 10_000

    static func findings(_ configuration: Configuration, now: @Sendable () -> Timestamp) async -> [Finding] {
        guard let deployment = configuration.redis else { return [] }
        let client = RedisClient(deployment)
        var findings = await Self.findings(client, deployment, now)
        if let problems = client.sentinelStatus?.problems {
            findings += problems.map {
                .warning("redis", "sentinels: \($0)", do: "let this host reach every sentinel that REDIS_URL names")
            }
        }
        await client.close()
        return findings
    }

    private static func findings(
        _ client: RedisClient, _ deployment: RedisDeployment, _ now: @Sendable () -> Timestamp
    ) async -> [Finding] {
        if let reason = await reasonNotConnected(client) {
            return [
                .error(
                    "redis", "\(deployment): \(reason)",
                    do: "check REDIS_URL, the network, and the server; without Redis each instance is by itself")
            ]
        }
        var findings = [
            Finding.ok("redis", "Redis \(await version(client) ?? "of unknown version") answers at \(deployment)")
        ]
        if let shortfall = client.shortfall {
            findings.append(.error("redis", shortfall, do: "cover the slots: redis-cli --cluster check"))
        }
        findings.append(rights(refused: await refusedCommands(client)))
        findings.append(await memory(client))
        if let clock = await clock(client, now) { findings.append(clock) }
        return findings
    }

    /// nil once it is connected.
    private static func reasonNotConnected(_ client: RedisClient) async -> String? {
        let deadline = ContinuousClock.now + connectLimit
        var reason = "no answer within \(connectLimit.components.seconds) seconds"
        while .now < deadline {
            switch client.state {
            case .connected: return nil
            case .disconnected(let why): reason = why
            case .connecting, .closed: break
            }
            try? await Task.sleep(for: .milliseconds(50))
        }
        return reason
    }

    private static func version(_ client: RedisClient) async -> String? {
        guard let fields = try? await client.send(["HELLO", "2"]).array else { return nil }
        let place = stride(from: 0, to: fields.count - 1, by: 2).first { fields[$0].text == "version" }
        return place.flatMap { fields[$0 + 1].text }
    }

    // MARK: Rights

    /// The names of the service's commands that Redis refuses to its user, with the refusal's code.
    private static func refusedCommands(_ client: RedisClient) async -> [(name: String, code: String)] {
        let prefix = "{chat-service}:doctor:\(UInt64.random(in: 0 ... .max))"
        let commands = probes(prefix)
        let replies = await withCheckedContinuation { continuation in
            client.perform(commands.map(\.command)) { continuation.resume(returning: $0) }
        }
        var refused: [(name: String, code: String)] = []
        for ((name, _), reply) in zip(commands, replies) {
            guard case .failure(.server(let code, _)) = reply, !refused.contains(where: { $0.name == name }) else {
                continue
            }
            refused.append((name, code))
        }
        return refused
    }

    /// Commands on keys of their own, which expire and are deleted at the end.
    private static func probes(_ prefix: String) -> [(name: String, command: RedisCommand)] {
        let (text, hash, list) = (prefix + ":text", prefix + ":hash", prefix + ":list")
        let (set, sorted) = (prefix + ":set", prefix + ":sorted")
        let words: [[String]] =
            [
                ["SET", text, "1", "PX", "\(keyLifetime)"], ["GET", text], ["EXISTS", text], ["INCR", text],
                ["PTTL", text],
                ["HSET", hash, "a", "1", "b", "2"], ["HGET", hash, "a"], ["HMGET", hash, "a"], ["HGETALL", hash],
                ["HEXISTS", hash, "a"], ["HRANDFIELD", hash], ["HDEL", hash, "b"],
                ["LPUSH", list, "1"], ["RPUSH", list, "2"], ["LLEN", list], ["LINDEX", list, "0"],
                ["LRANGE", list, "0", "-1"], ["LTRIM", list, "0", "0"],
                ["SADD", set, "a", "b"], ["SISMEMBER", set, "a"], ["SMEMBERS", set], ["SRANDMEMBER", set],
                ["SSCAN", set, "0"], ["SREM", set, "b"],
                ["ZADD", sorted, "1", "a", "2", "b", "3", "c"], ["ZCARD", sorted], ["ZCOUNT", sorted, "-inf", "+inf"],
                ["ZSCORE", sorted, "a"], ["ZRANGE", sorted, "0", "-1"], ["ZREVRANGE", sorted, "0", "-1"],
                ["ZRANGEBYSCORE", sorted, "-inf", "+inf"], ["ZRANGEBYLEX", sorted, "-", "+"],
                ["ZREMRANGEBYSCORE", sorted, "3", "3"], ["ZREM", sorted, "b"], ["ZPOPMIN", sorted],
            ] + [hash, list, set].map { ["PEXPIRE", $0, "\(keyLifetime)"] } + [["EXPIRE", hash, "10"]]
            + [text, hash, list, set, sorted].map { ["DEL", $0] }
        let plain = words.map { words in
            (name: words[0], command: RedisCommand(words.map { RedisArgument($0) }))
        }
        let script = RedisScript("return redis.call('PING')", name: "doctor")
        return plain + [
            ("EVALSHA", .script(script, keys: [RedisArgument(text)])), ("TIME", ["TIME"]),
            ("PUBLISH", .publish([], on: Array("presence:updates:doctor".utf8))),
            ("PUBSUB", .subscriberCount(of: Array("presence:updates:doctor".utf8))),
        ]
    }

    static func rights(refused: [(name: String, code: String)]) -> Finding {
        guard let first = refused.first else { return .ok("redis", "its user may do all that the service does") }
        let names = refused.map(\.name).joined(separator: ", ")
        if refused.allSatisfy({ $0.code == "NOPERM" }) {
            return .error(
                "redis", "its access list does not allow: \(names)",
                do: "allow it: ACL SETUSER … ~* &* +@all -@admin -@dangerous (docs/operations.md)")
        }
        return .error(
            "redis", "it refuses with \(first.code): \(names)",
            do: "docs/operations.md says under \"degraded\" what each refusal means")
    }

    // MARK: Memory

    private static func memory(_ client: RedisClient) async -> Finding {
        do throws(RedisError) {
            return memory(info: try await client.send(["INFO", "memory"]).text ?? "")
        } catch {
            return .note(
                "redis", "its memory limit and eviction policy cannot be seen (\(error))",
                do: "look that maxmemory-policy is noeviction; INFO is not needed otherwise")
        }
    }

    static func memory(info: String) -> Finding {
        var fields: [Substring: Substring] = [:]
        for line in info.split(whereSeparator: \.isNewline) {
            let parts = line.split(separator: ":", maxSplits: 1)
            if parts.count == 2 { fields[parts[0]] = parts[1] }
        }
        let limit = fields["maxmemory"].flatMap { Int64($0) } ?? 0
        let used = fields["used_memory"].flatMap { Int64($0) } ?? 0
        let policy = fields["maxmemory_policy"] ?? "unknown"
        if limit > 0, policy != "noeviction" {
            return .error(
                "redis", "with maxmemory-policy \(policy) a full Redis drops presence and leases without a sign",
                do: "CONFIG SET maxmemory-policy noeviction, and give it the memory that docs/operations.md names")
        }
        if limit > 0, used > limit / 10 * 8 {
            return .warning(
                "redis", "it uses \(used >> 20) of its \(limit >> 20) MiB",
                do: "raise maxmemory before it refuses writes")
        }
        if limit == 0, policy != "noeviction" {
            return .note(
                "redis", "maxmemory-policy is \(policy), and takes effect when maxmemory is set",
                do: "CONFIG SET maxmemory-policy noeviction")
        }
        return .ok("redis", "it uses \(used >> 20) MiB\(limit > 0 ? " of \(limit >> 20)" : ""), and evicts nothing")
    }

    private static func clock(_ client: RedisClient, _ now: @Sendable () -> Timestamp) async -> Finding? {
        let before = now()
        guard let parts = try? await client.send(["TIME"]).array, let seconds = parts.first?.integer,
            let milliseconds = seconds.multipliedReportingOverflow(by: 1000).overflow ? nil : seconds * 1000
        else { return nil }
        // The fraction is left out, so the time may be up to a second later.
        let time = Timestamp(milliseconds: milliseconds)
        return ClockCheck.finding("clock", "Redis", says: time, between: before, now())
    }
}
