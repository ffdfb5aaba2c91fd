import ChatDomain
import RedisLink
import Synchronization
import Telemetry

/// What is told to Redis, as calls of the scripts.
extension RedisDirectory {
    /// Sends in the order of the calls. A failure means that Redis has to be told everything again.
    func send(
        _ command: RedisCommand, then: @escaping @Sendable (RedisValue) -> Void = { _ in },
        failed: @escaping @Sendable () -> Void = {}
    ) {
        client.perform([command]) { [weak self] replies in
            switch replies[0] {
            case .success(let reply): then(reply)
            case .failure(let error):
                self?.trouble.warning("presence not told", ["reason": "\(error)"])
                failed()
                self?.unlink()
            }
        }
    }

    func connection(of record: SessionRecord, limit: Int, at now: Timestamp) -> RedisCommand {
        .script(
            scripts.connect, keys: [],
            arguments: [
                RedisArgument(instance.value), RedisArgument(record.user.userID.value), RedisArgument(record.id.value),
                RedisArgument(PresenceCodec.encode(record)), RedisArgument(limit), RedisArgument(now.milliseconds),
                RedisArgument(now.iso8601),
            ])
    }

    func removal(of session: SessionID, _ user: UserID, at now: Timestamp) -> RedisCommand {
        .script(
            scripts.remove, keys: [],
            arguments: [
                RedisArgument(instance.value), RedisArgument(user.value), RedisArgument(session.value),
                RedisArgument(now.milliseconds), RedisArgument(now.iso8601),
            ])
    }

    func place(_ place: RoomPlace, _ isPresent: Bool) -> RedisCommand {
        .script(
            scripts.room, keys: [],
            arguments: [
                RedisArgument(instance.value), RedisArgument(place.room.value), RedisArgument(place.user.value),
                isPresent ? 1 : 0,
            ])
    }

    static func words(_ update: SessionUpdate) -> (RedisArgument, RedisArgument) {
        switch update {
        case .requestedStatus(let status): ("wish", RedisArgument(status.rawValue))
        case .idle(let isIdle): ("idle", isIdle ? 1 : 0)
        case .active: ("active", "")
        case .renamed(let name): ("name", RedisArgument(name))
        case .lingering: ("lingering", "")
        }
    }

    func taken(_ reply: RedisValue, user: UserID) -> [SessionRecord] {
        let flat = reply.array?.dropFirst().map { $0 } ?? []
        return stride(from: 0, to: flat.count - 1, by: 2).compactMap { index in
            guard let id = flat[index].text, let bytes = flat[index + 1].bytes else { return nil }
            return PresenceCodec.record(SessionID(id), of: user, bytes)?.record
        }
    }

    /// A payload under this instance's name.
    func publication(_ payload: [UInt8], on channel: [UInt8]) -> RedisCommand {
        RedisCommand([
            "PUBLISH", RedisArgument(channel), RedisArgument(Array(instance.value.utf8) + [0] + payload),
        ])
    }
}
