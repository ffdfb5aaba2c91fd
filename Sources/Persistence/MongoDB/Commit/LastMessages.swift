import ChatDomain
import Dispatch
import Synchronization

/// Keeps `rooms.lastMessage` behind the messages, for other programs that read it: off the way of acknowledgements, at
/// most once a second and room, and less often where the server takes long over it.
final class LastMessages: Sendable {
    private struct State {
        var newest: [ByteExactKey: Message] = [:]
        var isScheduled = false
    }

    private static let interval = Duration.seconds(1)
    /// The pause after a round, in lengths of that round: what is only nice to have takes a tenth of a slow server at most.
    private static let restPerWork = 9
    /// Rooms that wait at most; what is dropped past that comes with the room's next message.
    private static let maximumRooms = 65_536

    private let state = Mutex(State())
    private let workers: MongoWorkers

    init(workers: MongoWorkers) { self.workers = workers }

    func note(_ message: Message) {
        let isFirst = state.withLock { state in
            let key = ByteExactKey(message.roomID)
            if let known = state.newest[key], known.sequence > message.sequence { return false }
            guard state.newest[key] != nil || state.newest.count < Self.maximumRooms else { return false }
            state.newest[key] = message
            defer { state.isScheduled = true }
            return !state.isScheduled
        }
        if isFirst { schedule(after: .zero) }
    }

    /// Writes what is left; for closing.
    func flush(on connection: MongoConnection) {
        let messages = state.withLock { state in
            defer { state.newest = [:] }
            return Array(state.newest.values)
        }
        // Nothing depends on it: what fails comes with the room's next message.
        if !messages.isEmpty { try? connection.updateLastMessages(messages) }
    }

    private func schedule(after delay: Duration) {
        workers.post(after: delay) { [self] connection in
            let took = ContinuousClock().measure { flush(on: connection) }
            schedule(after: max(Self.interval, took * Self.restPerWork), unlessIdle: true)
        } refused: {
        }
    }

    private func schedule(after delay: Duration, unlessIdle: Bool) {
        DispatchQueue.global().asyncAfter(deadline: .now() + delay / .seconds(1)) { [self] in
            let isIdle = state.withLock { state in
                if state.newest.isEmpty { state.isScheduled = false }
                return state.newest.isEmpty
            }
            if !isIdle { schedule(after: .zero) }
        }
    }
}

extension MongoConnection {
    fileprivate func updateLastMessages(_ messages: [Message]) throws(MongoError) {
        let updates = messages.map { message -> BSONDocument in
            [
                "q": [
                    "roomId": .string(message.roomID), "state": MongoSchema.RoomState.live,
                    // Also where there is none yet.
                    "lastSeq": ["$not": ["$gte": .int64(message.sequence)]],
                ],
                "u": [
                    "$set": [
                        "lastSeq": .int64(message.sequence),
                        "lastMessage": [
                            "content": .string(message.body.text), "timestamp": .date(message.timestamp),
                            "senderId": .string(message.body.author),
                        ],
                    ],
                    "$max": ["updatedAt": .date(message.timestamp)],
                ],
            ]
        }
        for start in stride(from: 0, to: updates.count, by: 500) {
            _ = try write([
                "update": .string(MongoSchema.rooms), "ordered": false,
                "updates": .documents(Array(updates[start..<min(start + 500, updates.count)])),
            ])
        }
    }
}
