public import ChatDomain

/// Whether everybody who is told of a message gets an event of their own, or all share one.
public enum EventMode: Sendable {
    case recipient
    case message
}

/// A stored message and whom to tell about it.
struct AddressedMessage: Sendable {
    var message: Message
    /// The room's participants except the author, as they were when the event was made.
    var recipients: [UserID]
    /// Those of them who were online.
    var online: Set<UserID>

    func eventCount(_ mode: EventMode) -> Int {
        switch mode {
        case .recipient: recipients.count
        case .message: recipients.isEmpty ? 0 : 1
        }
    }
}

/// What the relay asks others about.
public struct EventDirectory: Sendable {
    /// The participants of a room; none where there is no such room any more.
    public var participants: @Sendable (RoomID) async throws(StoreError) -> [UserID]
    /// Which of these users have a live session anywhere, as far as is known.
    public var online: @Sendable ([UserID]) async -> Set<UserID>
    /// Whether an instance is alive, so that its events are its own affair.
    public var isAlive: @Sendable (InstanceID) async -> Bool

    public init(
        participants: @escaping @Sendable (RoomID) async throws(StoreError) -> [UserID],
        online: @escaping @Sendable ([UserID]) async -> Set<UserID>,
        isAlive: @escaping @Sendable (InstanceID) async -> Bool
    ) {
        self.participants = participants
        self.online = online
        self.isAlive = isAlive
    }
}

extension EventDirectory {
    /// Finds out whom to tell of each message; each room and its people are looked up once.
    func address(_ messages: [Message]) async throws(StoreError) -> [AddressedMessage] {
        var rooms: [RoomID: (people: [UserID], online: Set<UserID>)] = [:]
        var addressed: [AddressedMessage] = []
        addressed.reserveCapacity(messages.count)
        for message in messages {
            let room: (people: [UserID], online: Set<UserID>)
            if let known = rooms[message.roomID] {
                room = known
            } else {
                let people = try await participants(message.roomID)
                room = (people, people.isEmpty ? [] : await online(people))
                rooms[message.roomID] = room
            }
            addressed.append(
                AddressedMessage(
                    message: message, recipients: room.people.filter { $0 != message.body.author },
                    online: room.online))
        }
        return addressed
    }
}
