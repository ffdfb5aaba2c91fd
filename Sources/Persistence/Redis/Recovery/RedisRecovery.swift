public import ChatDomain
public import RedisLink
public import Telemetry

/// Broken-off sessions in Redis, where every instance finds them. See recovery.lua for the keys.
///
/// Without Redis nothing is kept and nothing is found, and clients start over.
public final class RedisRecovery: RecoveryStore {
    /// How long a client that comes back waits for Redis before it starts over.
    private static let takeTimeout: Duration = .seconds(1)

    private let client: RedisClient
    private let spaces: [KeySpace]
    /// Sessions of one space.
    private let capacity: Int
    private let trouble: OccasionalLogger

    /// - Parameters:
    ///   - client: stays the caller's to close.
    ///   - capacity: sessions of all instances kept at most.
    public init(client: RedisClient, capacity: Int = 50_000, logger: Logger) {
        self.client = client
        spaces = KeySpace.recovery(of: client)
        self.capacity = max(1, capacity / spaces.count)
        trouble = OccasionalLogger(logger)
    }

    public func keep(_ session: RecoverableSession, under key: String, for span: Duration) {
        guard let bytes = RecoveryCodec.encode(session) else { return }
        perform(
            RecoveryScripts.keep, in: space(of: key),
            [
                RedisArgument(key), RedisArgument(bytes), RedisArgument(session.user.userID.value),
                RedisArgument(span.wholeMilliseconds), RedisArgument(capacity),
            ])
    }

    public func take(_ key: String) async -> RecoverableSession? {
        do throws(RedisError) {
            let reply = try await client.run(
                RecoveryScripts.take, keys: space(of: key).scriptKeys, arguments: [RedisArgument(key)],
                within: Self.takeTimeout)
            guard let bytes = reply.bytes else { return nil }
            let session = RecoveryCodec.decode(bytes)
            if session == nil { trouble.warning("a kept session has an unknown form") }
            return session
        } catch {
            trouble.warning("a kept session could not be read", ["reason": "\(error)"])
            return nil
        }
    }

    public func forget(_ user: UserID, keptFor span: Duration) {
        // The user's sessions may be in any space, and each has a clock of its own.
        for space in spaces {
            perform(
                RecoveryScripts.forget, in: space, [RedisArgument(user.value), RedisArgument(span.wholeMilliseconds)])
        }
    }

    /// Keys are digests, so that their bytes spread them evenly.
    private func space(of key: String) -> KeySpace {
        spaces[key.utf8.reduce(0) { ($0 &* 31 &+ Int($1)) & 0xFFFF } % spaces.count]
    }

    private func perform(_ script: RedisScript, in space: KeySpace, _ arguments: [RedisArgument]) {
        client.perform([.script(script, keys: space.scriptKeys, arguments: arguments)]) { [trouble] replies in
            guard case .failure(let error) = replies[0] else { return }
            trouble.warning("a session was not sent to Redis for recovery", ["reason": "\(error)"])
        }
    }
}
