import RedisLink
import Synchronization
import Telemetry

/// Runs scripts that derive keys which other services read. In a cluster the scripts return these keys' commands, and this sends
/// them; see derived-keys.lua.
final class DerivedKeyWriter: Sendable {
    /// Users, and places in rooms, that one confirmation names at most.
    private static let maximumSlice = 200
    /// Past this number nothing is confirmed here; the renewals of leases write it again.
    private static let maximumUnconfirmed = 20_000

    private struct State {
        /// The revisions that are written, by user or place in a room.
        var written: [RedisArgument: RedisArgument] = [:]
        var isConfirming = false
    }

    private let client: RedisClient
    private let space: KeySpace
    private let scripts: PresenceScripts
    private let trouble: OccasionalLogger
    private let state = Mutex(State())

    init(client: RedisClient, space: KeySpace, scripts: PresenceScripts, _ trouble: OccasionalLogger) {
        self.client = client
        self.space = space
        self.scripts = scripts
        self.trouble = trouble
    }

    /// As `RedisClient.perform`; the replies are what the scripts return on one server.
    func perform(_ commands: [RedisCommand], completion: @escaping @Sendable ([RedisClient.Reply]) -> Void) {
        guard space.isCluster else { return client.perform(commands, completion: completion) }
        client.perform(commands) { [self] replies in
            completion(replies.map { $0.map(takeDerived) })
        }
    }

    /// A server that may have lost what was written last was replaced.
    func rewrite() {
        guard space.isCluster else { return }
        run(scripts.rewrite, [RedisArgument(Self.maximumUnconfirmed / 4)])
    }

    /// Sends what a script derived.
    ///
    /// - Returns: the script's answer.
    private func takeDerived(_ value: RedisValue) -> RedisValue {
        guard let derived = DerivedKeys(value) else { return value }
        guard !derived.commands.isEmpty else { return derived.answer }
        client.perform(derived.commands) { [self] replies in
            for case .failure(let error) in replies {
                // Not confirmed, so it is derived again with a renewal of a lease.
                return trouble.warning("keys of presence were not written", ["reason": "\(error)"])
            }
            confirm(derived.revisions)
        }
        return derived.answer
    }

    // MARK: Confirming

    private func confirm(_ revisions: [(name: RedisArgument, revision: RedisArgument)]) {
        state.withLock { state in
            for (name, revision) in revisions where state.written.count < Self.maximumUnconfirmed {
                state.written[name] = revision
            }
        }
        confirmNext()
    }

    /// One confirmation is under way at a time, so that the next one names all that was written meanwhile.
    private func confirmNext() {
        let slice = state.withLock { state -> [RedisArgument] in
            guard !state.isConfirming, !state.written.isEmpty else { return [] }
            state.isConfirming = true
            let slice = Array(state.written.prefix(Self.maximumSlice))
            for entry in slice { state.written[entry.key] = nil }
            return slice.flatMap { [$0.key, $0.value] }
        }
        guard !slice.isEmpty else { return }
        run(scripts.written, slice) { [self] in
            state.withLock { $0.isConfirming = false }
            confirmNext()
        }
    }

    private func run(
        _ script: RedisScript, _ arguments: [RedisArgument], completion: @escaping @Sendable () -> Void = {}
    ) {
        perform([.script(script, keys: space.scriptKeys, arguments: arguments)]) { _ in completion() }
    }
}

/// What a script returns in a cluster. Replies are input: anything of another form is no such reply, and odd parts are left out.
struct DerivedKeys {
    /// What the script returns on one server.
    let answer: RedisValue
    /// Whose keys were derived: a user, or a place in a room.
    let revisions: [(name: RedisArgument, revision: RedisArgument)]
    let commands: [RedisCommand]

    /// The commands that derived keys need. A reply cannot make the instance send others.
    private static let verbs: Set<RedisArgument> = ["SADD", "SREM", "HSET", "SET", "DEL", "EXPIRE"]

    init?(_ value: RedisValue) {
        guard let parts = value.array, parts.count == 4, parts[0].text == "derived", let names = parts[2].array,
            let commands = parts[3].array
        else { return nil }
        answer = parts[1]
        revisions = DirectoryCodec.pairs(names[...]).compactMap { name, revision in
            guard let name = Self.word(name), let revision = Self.word(revision) else { return nil }
            return (name, revision)
        }
        self.commands = commands.compactMap { command in
            guard let values = command.array else { return nil }
            let words = values.compactMap(Self.word)
            guard words.count == values.count, words.count >= 2, Self.verbs.contains(words[0]) else { return nil }
            return RedisCommand(words)
        }
    }

    private static func word(_ value: RedisValue) -> RedisArgument? {
        switch value {
        case .string(let bytes): RedisArgument(bytes)
        case .integer(let number): RedisArgument(number)
        case .array, .null, .error: nil
        }
    }
}
