public import ChatDomain

/// Whether everybody who is told of a message gets an event of their own, or all share one.
public enum EventMode: String, CaseIterable, Sendable {
    case recipient
    case message
}

/// A stored message and whom to tell about it.
struct AddressedMessage: Sendable {
    var message: Message
    /// The room's participants except the author, as they were when the event was made.
    var recipients: [UserID]
    /// Who was online, of them and of others.
    var online: Set<UserID>
    /// The trace the message belongs to, where that is known.
    var traceparent: String?

    func eventCount(_ mode: EventMode) -> Int {
        switch mode {
        case .recipient: recipients.count
        case .message: recipients.isEmpty ? 0 : 1
        }
    }
}

/// What the relay asks others about.
public struct EventDirectory: Sendable {
    /// The people of each of these rooms; rooms that are there no more are absent.
    public var people: @Sendable ([RoomID]) async throws(StoreError) -> [RoomID: RoomPeople]
    /// Which of these users have a live session anywhere, as far as is known.
    public var online: @Sendable ([UserID]) async -> Set<UserID>
    /// Whether an instance is alive, so that its events are its own affair.
    public var isAlive: @Sendable (InstanceID) async -> Bool

    public init(
        people: @escaping @Sendable ([RoomID]) async throws(StoreError) -> [RoomID: RoomPeople],
        online: @escaping @Sendable ([UserID]) async -> Set<UserID>,
        isAlive: @escaping @Sendable (InstanceID) async -> Bool
    ) {
        self.people = people
        self.online = online
        self.isAlive = isAlive
    }
}

extension EventDirectory {
    /// Finds out whom to tell of each message: one question about all rooms, one about all people.
    func address(_ messages: [Message]) async throws(StoreError) -> [AddressedMessage] {
        guard !messages.isEmpty else { return [] }
        let people = try await people(Array(Set(messages.map(\.roomID))))
        let everybody = Set(people.values.map(\.participants).joined())
        let ordered = people.mapValues { $0.participants.sorted { $0.value < $1.value } }
        let online = everybody.isEmpty ? [] : await online(Array(everybody))
        return messages.map { message in
            let room = message.roomID
            let isOfThisRoom = people[room].map { $0.historyBase < message.sequence } ?? false
            let recipients = isOfThisRoom ? ordered[room]?.filter { $0 != message.body.author } : nil
            return AddressedMessage(message: message, recipients: recipients ?? [], online: online)
        }
    }
}
