import ChatDomain
import Dispatch
import Synchronization

/// Keeps `rooms.lastMessage` behind the messages, for other programs that read it: off the way of acknowledgements, at
/// most once a second and room, and less often where the server takes long over it.
final class LastMessages: Sendable {
    private struct State {
        var newest: [RoomID: Message] = [:]
        /// What is left of the round under way.
        var round: ArraySlice<Message> = []
        var isScheduled = false

        /// What to write next, of this round or of a new one; with nothing to write the rounds end.
        mutating func takeSlice() -> ArraySlice<Message> {
            if round.isEmpty {
                round = Array(newest.values)[...]
                newest = [:]
            }
            isScheduled = !round.isEmpty
            defer { round = round.dropFirst(LastMessages.roomsAtOnce) }
            return round.prefix(LastMessages.roomsAtOnce)
        }
    }

    private static let interval = Duration.seconds(1)
    private static let roomsAtOnce = 32
    /// The rest after a command, in lengths of that command: what is only nice to have takes a tenth of a slow server.
    private static let restPerWork = 9
    /// Rooms that wait at most; what is dropped past that comes with the room's next message.
    private static let maximumRooms = 65_536

    private let state = Mutex(State())
    private let workers: MongoWorkers

    init(workers: MongoWorkers) { self.workers = workers }

    func note(_ message: Message) {
        let isFirst = state.withLock { state in
            let key = message.roomID
            if let known = state.newest[key], known.sequence > message.sequence { return false }
            guard state.newest[key] != nil || state.newest.count < Self.maximumRooms else { return false }
            state.newest[key] = message
            defer { state.isScheduled = true }
            return !state.isScheduled
        }
        if isFirst { goOn(after: .zero) }
    }

    /// Writes what is left; for closing.
    func flush(on connection: MongoConnection) {
        while writeSlice(on: connection) {}
    }

    private func goOn(after delay: Duration) {
        workers.post(after: delay) { [self] connection in
            let begun = ContinuousClock.now
            guard writeSlice(on: connection) else { return }
            let rest = (ContinuousClock.now - begun) * Self.restPerWork
            let isRoundOver = state.withLock { $0.round.isEmpty }
            goOn(after: isRoundOver ? max(Self.interval, rest) : rest)
        } refused: {
        }
    }

    /// False when nothing was left to write.
    private func writeSlice(on connection: MongoConnection) -> Bool {
        let slice = state.withLock { $0.takeSlice() }
        // Nothing depends on it: what fails comes with the room's next message.
        if !slice.isEmpty { try? connection.updateLastMessages(slice) }
        return !slice.isEmpty
    }
}

extension MongoConnection {
    fileprivate func updateLastMessages(_ messages: ArraySlice<Message>) throws(MongoError) {
        let updates = messages.map { message -> BSONDocument in
            [
                "q": [
                    "roomId": .any(of: message.roomID), "state": MongoSchema.RoomState.live,
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
        _ = try write(["update": .string(MongoSchema.rooms), "ordered": false, "updates": .documents(updates)])
    }
}
